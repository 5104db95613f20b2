"""Waiting for an accelerator to compile is told, once, to those who want to hear of the training."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Accelerator, ModNetClassifier
from modnet.activations import ReLU

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(40, 3))
y = np.arange(40) % 2
TOLD = "waited 1.5 s for Compiling to compile; modnet doctor --warm-up does that ahead"


class Compiling(Accelerator):
    """Offers nothing, and takes 1.5 s to find that out for the first link with a rectifier in this process."""

    seconds: ClassVar[list[float]] = []

    def fuse(self, modules):
        if isinstance(modules[0], ReLU) and not self.seconds:
            self.seconds.append(1.5)

    def compile_seconds(self):
        return 10 + sum(self.seconds)  # what was compiled before a fit is nothing that it waits for


@pytest.fixture(autouse=True)
def _nothing_compiled():
    Compiling.seconds.clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_the_first_verbose_fit_says_how_long_it_waited_and_the_next_one_did_not(capsys):
    model = ModNetClassifier((4,), max_iter=2, verbose=True, accelerator=Compiling())
    model.fit(X, y)
    first, *others = lines(capsys)
    assert first == TOLD
    assert [line.split()[:2] for line in others] == [["epoch", "1"], ["epoch", "2"]]
    model.fit(X, y)
    assert [line.split()[:2] for line in lines(capsys)] == [["epoch", "1"], ["epoch", "2"]]


def test_a_first_call_of_partial_fit_says_so_too(capsys):
    model = ModNetClassifier((4,), verbose=True, accelerator=Compiling()).partial_fit(X, y, classes=[0, 1])
    assert lines(capsys)[0] == TOLD
    model.partial_fit(X, y)
    assert len(lines(capsys)) == 1


def test_a_quiet_fit_stays_quiet(capsys):
    ModNetClassifier((4,), max_iter=2, accelerator=Compiling()).fit(X, y)
    assert Compiling.seconds
    assert lines(capsys) == []

"""The contract of accelerators: right kernels pass, and each wrong one is caught by the check that is about it."""

from typing import Any

import numpy as np
import pytest

from modnet import Accelerator, Activation, Fused, Loss, Optimizer
from modnet.activations import Tanh
from modnet.losses import SquaredError
from modnet.optimizers import SGD
from modnet.testing import CheckFailed, check_accelerator, checks_of


class Twice(Activation):
    """A tanh that is off by a factor."""

    factor: float = 1.0

    def f(self, z, *, out=None):
        return np.multiply(np.tanh(z), self.factor, out=out)

    def df(self, z, a, da, *, out=None):
        return Tanh().df(None, np.tanh(z), da, out=out)


class Swapped(Loss):
    """A squared error that leaves weights out."""

    def for_task(self, task, widths=()):
        return self if task == "regression" else None

    def value(self, t, raw, *, weight=None):
        return SquaredError().value(t, raw)

    def gradient(self, t, raw, *, weight=None, out=None):
        return SquaredError().gradient(t, raw, out=out)

    def predict(self, raw):
        return raw


class Lazy(Optimizer):
    """A rule that does nothing."""

    def init(self, theta):
        return SGD().init(theta)

    def step(self, theta, grad, state):
        state.step += 1


class Offering(Accelerator):
    """Offers what it is told to."""

    what: str = "right"

    def fuse(self, modules):
        factor = 1.0 if self.what == "right" else 2.0
        return Fused(Twice(factor)) if type(modules[0]) is Tanh and self.what in ("right", "layer") else None

    def loss(self, loss):
        return Swapped() if type(loss) is SquaredError and self.what == "loss" else None

    def optimizer(self, optimizer):
        return Lazy() if type(optimizer) is SGD and self.what == "optimizer" else None


def failing(accelerator: Accelerator) -> list[str]:
    names = []
    for name, check in checks_of(accelerator):
        if not name.startswith(("fused", "accelerated")):
            continue  # that it has a name, a docstring, …
        try:
            check()
        except CheckFailed:
            names.append(name)
    return names


def test_what_is_right_passes():
    assert failing(Offering()) == []


@pytest.mark.parametrize(
    ("what", "check"),
    [
        ("layer", "fused_layers_agree"),
        ("loss", "fused_losses_agree"),
        ("optimizer", "fused_optimizers_agree"),
    ],
)
def test_what_is_wrong_is_caught(what: str, check: str):
    assert check in failing(Offering(what))
    assert check in failing(Offering(what))  # the answer is remembered, and so is that it was no


def test_what_is_no_accelerator_is_refused():
    not_one: Any = Tanh()
    with pytest.raises(TypeError, match=r"expected an instance of modnet.Accelerator, got Tanh\(\)"):
        check_accelerator(not_one)

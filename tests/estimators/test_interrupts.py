"""Ctrl-C while a network is trained, and two threads that fit one estimator."""

import itertools
import threading
from typing import ClassVar

import numpy as np
import pytest
from sklearn.datasets import load_iris

from modnet import ModNetClassifier, Module
from modnet.neural_network import MLPClassifier

X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Interrupting(Module):
    """The identity; in the training pass whose number is in `LEFT` it is as if somebody pressed Ctrl-C."""

    reads: ClassVar[frozenset[str]] = frozenset()

    test: int = 0  # a layer like one that was tried out before is not tried out again

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        if ctx.training:
            LEFT[0] -= 1
            if LEFT[0] == 0:
                raise KeyboardInterrupt
        return x

    def grad_input(self, ctx, dy):
        return dy


LEFT = [0]
TESTS = itertools.count()


def interrupted(model, passes, *data, **more):
    """A model whose training is interrupted in a pass, one of them being that of the trial run."""
    LEFT[0] = passes
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, *data, **more)
    LEFT[0] = 0
    return model


COOLING = {"early_stopping": True, "max_iter": 12}
"""Interrupted in the fourth epoch of the cool-down."""


@pytest.mark.parametrize(
    "more", [{}, {"early_stopping": True}, COOLING, {"optimizer": {"type": "adam", "ema": 0.9}}], ids=str
)
def test_what_was_learnt_stays_and_the_interrupt_goes_on(more):
    model = interrupted(ModNetClassifier((8, Interrupting(next(TESTS))), batch_size=150, random_state=0, **more), 12)
    assert model.n_iter_ == len(model.loss_curve_) == 10
    assert model.score(X, y) > 0.2
    model.partial_fit(X, y)
    assert model.n_iter_ == 11


def test_before_the_first_epoch_is_over_nothing_was_learnt():
    model = interrupted(ModNetClassifier((8, Interrupting(next(TESTS))), batch_size=150), 2)
    assert not hasattr(model, "theta_")
    fitted = ModNetClassifier((8, Interrupting(next(TESTS))), batch_size=150, max_iter=3, random_state=0).fit(X, y)
    before = fitted.theta_.copy()
    interrupted(fitted, 1)  # it was tried out before
    np.testing.assert_array_equal(fitted.theta_, before)


class Meeting(Module):
    """The identity, which waits in training until another thread has been there."""

    reads: ClassVar[frozenset[str]] = frozenset()

    test: int = 0  # a layer like one that was tried out before is not tried out again

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        if ctx.training:
            STARTED.set()
            DONE.wait(10)
        return x

    def grad_input(self, ctx, dy):
        return dy


STARTED, DONE = threading.Event(), threading.Event()


def test_a_second_thread_that_fits_the_same_estimator_is_refused():
    model = ModNetClassifier((8, Meeting()), max_iter=2, random_state=0)
    thread = threading.Thread(target=model.fit, args=(X, y))
    thread.start()
    STARTED.wait(10)
    for change in (lambda: model.fit(X, y), lambda: model.partial_fit(X, y)):
        with pytest.raises(RuntimeError, match="this ModNetClassifier is being fitted in another thread: fit a clone"):
            change()
    DONE.set()
    thread.join()
    alone = ModNetClassifier((8, Meeting()), max_iter=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.theta_, alone.theta_)


def test_afterwards_any_thread_may_fit_it_again():
    model = MLPClassifier((4,), max_iter=2)
    for _ in range(2):
        thread = threading.Thread(target=model.fit, args=(X, y))
        thread.start()
        thread.join()
    assert model.n_iter_ == 2

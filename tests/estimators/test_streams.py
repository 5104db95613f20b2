"""Streams: many calls of `partial_fit`, each as fast as the first, past the end of a schedule too."""

import time
import warnings

import numpy as np
import pytest

from modnet import ModNetClassifier, ModNetRegressor

X = np.random.default_rng(0).normal(size=(20, 3))
y = X[:, 0]


def test_a_call_takes_no_longer_for_all_that_came_before():
    model = ModNetRegressor((2,), random_state=0).partial_fit(X, y)
    curve = model.loss_curve_
    for name in ("loss_curve_", "learning_rate_curve_"):
        getattr(model, name).extend([1.0] * 10**6)
    best = min(_seconds(model) for _ in range(20))
    assert model.loss_curve_ is curve
    assert best < 0.004  # to copy 2 million numbers takes longer than that


def _seconds(model):
    started = time.perf_counter()
    model.partial_fit(X, y)
    return time.perf_counter() - started


def test_a_call_that_fails_leaves_the_curves_as_they_were():
    model = ModNetRegressor((2,), random_state=0).partial_fit(X, y)
    before = list(model.loss_curve_)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(X, np.full(20, np.nan))
    assert model.loss_curve_ == before
    assert len(model.learning_rate_curve_) == len(before)


def test_a_stream_behind_its_schedule_goes_on_and_says_so_once():
    optimizer = {"type": "sgd", "learning_rate": 0.1, "schedule": "cosine"}
    model = ModNetRegressor((2,), optimizer=optimizer, max_iter=5, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(12):
            model.partial_fit(X, y)
    (told,) = caught
    assert "planned for max_iter=5 passes, which are over: partial_fit goes on at the rate 0.001" in str(told.message)
    assert told.filename == __file__
    np.testing.assert_allclose(model.learning_rate_curve_[5:], 0.001)
    before = model.theta_.copy()
    assert (model.partial_fit(X, y).theta_ != before).any()


def test_verbose_says_how_long_a_call_took(capsys):
    ModNetClassifier((2,), verbose=True).partial_fit(np.repeat(X, 500, axis=0), np.repeat(y > 0, 500), [False, True])
    assert not capsys.readouterr().out.strip().endswith(" 0.000 s")

"""Losses at raw outputs where naive formulas overflow: finite, or inf where the loss is, and never a warning."""

from itertools import product

import numpy as np
import pytest

from modnet.base import served
from modnet.losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    Gamma,
    GaussianNLL,
    Hinge,
    Huber,
    LogCosh,
    Poisson,
    Quantile,
    SquaredHinge,
    Tweedie,
)

INF = np.inf


def at(loss, t, raw, dtype=np.float64):
    """Value and gradient of one row."""
    t = np.array([t]) if isinstance(t, int) else np.array([t], dtype)
    value, gradient = loss.value_and_gradient(t, np.array([raw], dtype))
    return value, gradient[0].tolist()


BOUNDED = [
    AbsoluteError(),
    Huber(),
    LogCosh(),
    Quantile((0.1, 0.5, 0.9)),
    GaussianNLL(),
    *Focal.examples(),
    *Hinge.examples(),
    *SquaredHinge.examples(),
    *CrossEntropy.examples(),
]


@pytest.mark.parametrize("measure", BOUNDED, ids=repr)
def test_value_and_gradient_are_finite(measure):
    rng = np.random.default_rng(0)
    tasks = [task for task, ready in served(measure).items() if ready == measure]
    for task, dtype, size in product(tasks, (np.float32, np.float64), (30.0, 100.0, 1e4)):
        t = measure.example_truth(task, rng, 60)
        t = t if t.dtype.kind == "i" else t.astype(dtype)
        raw = rng.choice([-size, 0, size], (60, measure.width(3 if t.ndim == 1 else t.shape[1]))).astype(dtype)
        value, gradient = measure.value_and_gradient(t, raw)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert np.isfinite(measure.predict(raw)).all()


@pytest.mark.parametrize(
    ("measure", "t", "z", "value", "gradient"),
    [
        (Poisson(), 0.0, -1e4, 0.0, 0.0),
        (Poisson(), 1.0, -1e4, 9999.0, -1.0),
        (Poisson(), 0.0, -INF, 0.0, 0.0),  # a rate of exactly 0
        (Poisson(), 1.0, -INF, INF, -1.0),
        (Poisson(), 0.0, 1e4, INF, INF),
        (Poisson(), 1.0, 1e4, INF, INF),
        (Gamma(), 1.0, 1e4, 9999.0, 1.0),
        (Gamma(), 1.0, -1e4, INF, -INF),
        (Tweedie(1.5), 0.0, -1e4, 0.0, 0.0),
        (Tweedie(1.5), 1.0, -1e4, INF, -INF),
        (Tweedie(1.5), 0.0, 1e4, INF, INF),
        (Tweedie(1.5), 1.0, 1e4, INF, INF),
        (Tweedie(1.5), 0.0, -INF, 0.0, 0.0),
        (Tweedie(1.0), 1.0, -1e4, 9999.0, -1.0),
        (Tweedie(2.0), 1.0, 1e4, 9999.0, 1.0),
    ],
)
def test_deviances_are_infinite_only_where_they_overflow(measure, t, z, value, gradient):
    for dtype in (np.float32, np.float64):
        assert at(measure, [t], [z], dtype) == (value, [gradient])


@pytest.mark.parametrize("measure", [Poisson(), Gamma(), Tweedie()], ids=repr)
def test_a_prediction_that_overflows_is_infinite(measure):
    assert measure.predict(np.array([[1e4, -1e4]])).tolist() == [[INF, 0.0]]


@pytest.mark.parametrize("weight", [None, np.array([1.0, 2.0])], ids=["plain", "weighted"])
def test_an_infinite_row_makes_the_average_infinite(weight):
    t, raw = np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[0.0, 1e4], [0.0, 0.0]])
    assert Poisson().value(t, raw, weight=weight) == INF


@pytest.mark.parametrize(
    ("measure", "t", "raw", "value", "gradient"),
    [
        (AbsoluteError(), [0.0], [-INF], INF, [-1.0]),
        (Huber(2.0), [0.0], [-INF], INF, [-2.0]),
        (LogCosh(), [0.0], [INF], INF, [1.0]),
        (Quantile(0.25), [0.0], [INF], INF, [0.75]),
        (Hinge(), [1.0], [INF], 0.0, [0.0]),
        (Hinge(), [1.0], [-INF], INF, [-1.0]),
        (CrossEntropy(), 1, [-INF, 0.0], 0.0, [0.0, 0.0]),
        (CrossEntropy(), 0, [-INF, 0.0], INF, [-1.0, 1.0]),
        (Focal(), [1.0], [INF], 0.0, [0.0]),
        (Focal(link="softmax"), 1, [-INF, 0.0, 0.0], 0.25 * np.log(2), None),
    ],
)
def test_infinite_raw_outputs_are_limits(measure, t, raw, value, gradient):
    for dtype in (np.float32, np.float64):
        found, slopes = at(measure, t, raw, dtype)
        assert found == pytest.approx(value, rel=1e-6)
        assert gradient is None or slopes == gradient


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_hopeless_variance_costs_what_it_should(dtype):
    # s = −1e4 leaves ε: J = ½ (log ε + e²/ε), and s no longer moves it.
    value, (dmu, ds) = at(GaussianNLL(1e-4), [1.0], [0.0, -1e4], dtype)
    assert value == pytest.approx(0.5 * (np.log(1e-4) + 1e4), rel=1e-6)
    assert dmu == pytest.approx(-1e4)
    assert ds == 0

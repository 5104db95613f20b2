"""Fused optimizers: the same path, on a state that either of the two can go on with."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from modnet_numba import Numba
from modnet_numba.optimizers import FusedOptimizer

from modnet import Array, Layout, Optimizer
from modnet.optimizers import Adam, AdamW

ORIGINALS = [example.original for example in FusedOptimizer.examples()]


def path(steppers: Sequence[Optimizer], dtype: Any, size: int = 700) -> Array:
    """Return θ after a step by each of these optimizers, all on the state of the first."""
    rng = np.random.default_rng(0)
    theta = rng.normal(size=size).astype(dtype)
    state = steppers[0].init(theta, Layout.flat(theta.size))
    for index, optimizer in enumerate(steppers):
        grad = (rng.normal(size=size) * 10.0 ** rng.integers(-4, 2, size=size)).astype(dtype)
        grad[5] = 0
        state.learning_rate = steppers[0].learning_rate / (1 + index)
        optimizer.step(theta, grad, state)
    assert state.step == len(steppers)
    return theta


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("original", ORIGINALS, ids=repr)
def test_fifty_steps_lead_to_the_same_place(original: Optimizer, dtype: Any):
    fused = Numba().optimizer(original)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    expected = path([original] * 50, dtype)
    np.testing.assert_allclose(path([fused] * 50, dtype), expected, rtol=tolerance, atol=tolerance)
    there_and_back = [original, *[fused, original, original, fused, fused] * 10][:50]
    np.testing.assert_allclose(path(there_and_back, dtype), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("original", ORIGINALS, ids=repr)
def test_any_size_of_theta_will_do(original: Optimizer):
    fused = Numba().optimizer(original)
    for size in (6, 255, 256, 257, 1000):
        np.testing.assert_allclose(path([fused] * 3, float, size), path([original] * 3, float, size), rtol=1e-12)


@pytest.mark.parametrize("original", ORIGINALS, ids=repr)
def test_nan_and_inf_in_the_gradient_reach_theta_where_the_originals_do(original: Optimizer):
    grad = np.array([1.0, np.nan, np.inf, -np.inf, 0.0])
    thetas = []
    for optimizer in (original, Numba().optimizer(original)):
        theta = np.ones(5)
        state = optimizer.init(theta, Layout.flat(theta.size))
        with np.errstate(all="ignore"):
            for _ in range(3):
                optimizer.step(theta, grad.copy(), state)
        thetas.append(theta)
    np.testing.assert_allclose(thetas[1], thetas[0], rtol=1e-12)


def test_a_fused_optimizer_has_the_fields_that_any_optimizer_has():
    original = AdamW(0.1, weight_decay=0.5, clip_norm=2.0, ema=0.9, groups=[{"layers": "trunk", "factor": 0}])
    fused = Numba().optimizer(original)
    for name in ("learning_rate", "weight_decay", "clip_norm", "ema", "groups"):
        assert getattr(fused, name) == getattr(original, name)


def test_an_update_by_the_fused_rule_clips_and_decays_weights():
    original = Adam(0.1, weight_decay=0.5, clip_value=0.2)
    fused = Numba().optimizer(original)
    theta, grad = np.ones(4), np.array([3.0, -0.1, 0.0, 1.0])
    state, other = original.init(theta, Layout.flat(4, regularized=2)), theta.copy()
    other_state = copy.deepcopy(state)
    original.update(theta, grad.copy(), state)
    original.update(other, grad.copy(), other_state, rule=fused)
    np.testing.assert_allclose(other, theta, rtol=1e-14)

"""Fused losses: value and gradient are the original's, with and without weights, wherever the logits are."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from modnet_numba import Numba

from modnet import Array, Loss
from modnet.losses import CrossEntropy, SquaredError

DTYPES = [np.float32, np.float64]
LOSSES = [*CrossEntropy.examples(), *SquaredError.examples()]


def truth(loss: Loss, n: int, k: int, dtype: Any) -> Array:
    """Return a truth for k columns of raw output."""
    rng = np.random.default_rng(1)
    if isinstance(loss, SquaredError):
        return rng.normal(size=(n, k)).astype(dtype)
    if loss.link == "softmax":
        return rng.integers(k, size=n)
    return rng.integers(2, size=(n, k)).astype(dtype)


def expect_like_original(loss: Loss, t: Array, raw: Array, weight: Array | None) -> None:
    """Compare value and gradient of the fused version with the original's."""
    fused = Numba().loss(loss)
    before = raw.copy()
    value, draw = loss.value_and_gradient(t, raw, weight=weight)
    tolerance = 1e-5 if raw.dtype == np.float32 else 1e-12
    for out in (None, np.full_like(raw, np.nan)):
        own_value, own_draw = fused.value_and_gradient(t, raw, weight=weight, out=out)
        assert type(own_value) is float
        assert own_draw.dtype == raw.dtype
        assert out is None or own_draw is out
        np.testing.assert_allclose(own_value, value, rtol=tolerance, atol=tolerance / 10)
        np.testing.assert_allclose(own_draw, draw, rtol=tolerance, atol=tolerance / 10 / len(raw))
    np.testing.assert_array_equal(raw, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_value_and_gradient_are_what_they_were(loss: Loss, dtype: Any):
    rng = np.random.default_rng(0)
    for n, k in [(1, 1), (1, 5), (33, 1), (32, 10), (7, 130)]:
        raw = rng.normal(scale=3, size=(n, k)).astype(dtype)
        weights = rng.uniform(0.1, 2, n)
        weights[1:2] = 0
        for weight in (None, weights.astype(dtype), weights):
            expect_like_original(loss, truth(loss, n, k, dtype), raw, weight)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", CrossEntropy.examples(), ids=repr)
def test_large_logits_neither_overflow_nor_lose_the_tail(loss: CrossEntropy, dtype: Any):
    rng = np.random.default_rng(2)
    for scale in (30.0, 300.0, 1e4):
        raw = (scale * rng.choice([-1.0, -0.3, 0.0, 0.5, 1.0], size=(20, 6))).astype(dtype)
        expect_like_original(loss, truth(loss, 20, 6, dtype), raw, None)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_nan_in_the_raw_output_makes_the_value_nan(loss: Loss):
    for row, column in [(0, 0), (2, 1)]:
        raw = np.random.default_rng(0).normal(size=(4, 3))
        raw[row, column] = np.nan
        value, draw = Numba().loss(loss).value_and_gradient(truth(loss, 4, 3, float), raw)
        assert np.isnan(value)
        assert np.isnan(draw[row, column])


@pytest.mark.parametrize("code", [-1, 3, 10**9])
def test_a_class_code_out_of_range_is_an_error_and_no_access_to_other_memory(code: int):
    with pytest.raises(IndexError, match="class code"):
        Numba().loss(CrossEntropy()).value(np.array([0, code]), np.zeros((2, 3)))


def test_rows_in_another_order_of_memory_give_the_same():
    raw = np.random.default_rng(0).normal(size=(6, 4))
    for loss in LOSSES:
        t, fused = truth(loss, 6, 4, float), Numba().loss(loss)
        value, draw = fused.value_and_gradient(t, raw)
        other_value, other_draw = fused.value_and_gradient(np.asfortranarray(t), np.asfortranarray(raw))
        assert other_value == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(other_draw, draw, rtol=1e-13)


def test_a_buffer_that_is_not_contiguous_is_refused_and_not_left_unwritten():
    out = np.empty((6, 8))[:, ::2]
    for loss in LOSSES:
        with pytest.raises(Exception, match="contiguous"):
            Numba().loss(loss).gradient(truth(loss, 6, 4, float), np.zeros((6, 4)), out=out)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_predictions_are_the_originals(loss: Loss):
    raw = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(Numba().loss(loss).predict(raw), loss.predict(raw))

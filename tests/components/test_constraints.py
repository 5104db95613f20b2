"""Constraints: projections, and so idempotent, in place, and without effect on what is allowed."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import modnet.constraints
from modnet import Constraint
from modnet.constraints import MaxNorm, MinMaxNorm, NonNegative, UnitNorm
from modnet.errors import InvalidSpecError

CLASSES = [cls for _, cls in inspect.getmembers(modnet.constraints, inspect.isclass) if issubclass(cls, Constraint)]
EXAMPLES = [example for cls in CLASSES for example in cls.examples()]
SHAPES = [(1, 4), (2, 5, 3), (0, 3), (400, 6)]

each = pytest.mark.parametrize("ours", EXAMPLES, ids=repr)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def weights(shape, dtype=np.float64, scale=1.0, seed=0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(dtype)


def projected(constraint, W):
    W = W.copy()
    assert constraint.project(W) is None
    return W


def norms(W):
    return np.linalg.norm(W.astype(np.float64), axis=-2)


floats = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)


@each
@settings(max_examples=12)
@given(W=arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=floats))
def test_a_second_projection_changes_nothing_whatever_the_weights(ours, W):
    for dtype in (np.float32, np.float64):
        once = projected(ours, W.astype(dtype))
        assert np.isfinite(once).all()
        np.testing.assert_array_equal(projected(ours, once), once)


@each
def test_no_point_that_is_allowed_is_nearer(ours):
    W = weights((6, 4), scale=3)
    distances = norms(projected(ours, W) - W)
    for seed in range(200):
        allowed = projected(ours, weights((6, 4), scale=3, seed=seed))
        assert np.all(distances <= norms(allowed - W) * (1 + 1e-12))


@each
def test_a_view_of_theta_is_changed_in_place(ours):
    theta = weights(30, scale=3)
    before = theta.copy()
    ours.project(theta[5:25].reshape(5, 4))
    np.testing.assert_array_equal(theta[5:25].reshape(5, 4), projected(ours, before[5:25].reshape(5, 4)))
    np.testing.assert_array_equal(theta[:5], before[:5])
    np.testing.assert_array_equal(theta[25:], before[25:])
    assert np.any(theta != before)


# One by one


@each_dtype
@each_shape
def test_max_norm_shortens_long_columns_and_leaves_short_ones_alone(dtype, shape):
    W = weights(shape, dtype)
    W[..., ::2] *= 100
    W[..., 1::2] /= 100
    after = projected(MaxNorm(1.5), W)
    assert np.all(norms(after) <= 1.5 * (1 + np.finfo(dtype).eps))
    np.testing.assert_array_equal(after[..., 1::2], W[..., 1::2])
    if shape[-2]:
        np.testing.assert_allclose(norms(after)[..., ::2], 1.5, rtol=1e-6)
        np.testing.assert_allclose(after[..., ::2], W[..., ::2] * (1.5 / norms(W))[..., None, ::2], rtol=1e-6)


@each_dtype
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_unit_norm_keeps_the_direction_whatever_the_size(dtype, scale):
    W = weights((50, 8), dtype, scale)
    after = projected(UnitNorm(), W)
    np.testing.assert_allclose(norms(after), 1, rtol=2 * np.finfo(dtype).eps)
    np.testing.assert_allclose(after, W / norms(W), rtol=1e-6)


@pytest.mark.parametrize("ours", [UnitNorm(), MinMaxNorm(1.0, 2.0), MaxNorm(), NonNegative()], ids=repr)
def test_columns_of_zeros_stay(ours):
    W = np.zeros((4, 3))
    W[:, 1] = 1e-3
    assert not projected(ours, W)[:, ::2].any()


def test_min_max_norm_brings_norms_into_its_range():
    W = weights((6, 30)) * np.linspace(0.01, 3, 30)
    after = projected(MinMaxNorm(0.5, 1.5), W)
    np.testing.assert_allclose(norms(after), np.clip(norms(W), 0.5, 1.5), rtol=1e-13)
    inside = (norms(W) > 0.5) & (norms(W) < 1.5)
    assert 0 < inside.sum() < 30
    np.testing.assert_array_equal(after[:, inside], W[:, inside])


def test_max_norm_is_min_max_norm_without_a_minimum():
    W = weights((6, 30), scale=2)
    np.testing.assert_array_equal(projected(MaxNorm(1.5), W), projected(MinMaxNorm(0.0, 1.5), W))


def test_unit_norm_is_min_max_norm_with_one_norm_left():
    W = weights((6, 30), scale=2)
    np.testing.assert_array_equal(projected(UnitNorm(), W), projected(MinMaxNorm(1.0, 1.0), W))


@each_dtype
def test_non_negative_raises_what_is_below_zero(dtype):
    W = weights((5, 3), dtype)
    np.testing.assert_array_equal(projected(NonNegative(), W), np.where(W < 0, 0, W))


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (MaxNorm, {"value": 0.0}),
        (MaxNorm, {"value": math.inf}),
        (MinMaxNorm, {"min_value": -1.0}),
        (MinMaxNorm, {"max_value": 0.0}),
        (MinMaxNorm, {"min_value": 2.0, "max_value": 1.0}),
    ],
    ids=str,
)
def test_bounds_out_of_range_are_refused_on_construction(cls, fields):
    with pytest.raises(InvalidSpecError, match=list(fields)[-1]):
        cls(**fields)


def test_max_norm_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    W = weights((6, 30), scale=2)
    # renorm's axis is the one that stays: here the columns. It adds 1e-7 to the norm that it divides by.
    theirs = torch.renorm(torch.tensor(W), p=2, dim=1, maxnorm=1.5).numpy()
    np.testing.assert_allclose(projected(MaxNorm(1.5), W), theirs, rtol=1e-6)

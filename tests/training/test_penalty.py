"""The penalty of weights: value and gradient as the formula has them, in blocks of any size."""

import numpy as np
import pytest

import modnet.training.penalty
from modnet.training.penalty import Penalty

W = np.random.default_rng(0).normal(size=100)


@pytest.mark.parametrize("block", [1, 7, 99, 100, 1000])
@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_it_is_the_formula_whatever_the_blocks(monkeypatch, block, rho):
    monkeypatch.setattr(modnet.training.penalty, "_BLOCK", block)
    dW = np.ones(100)
    value = Penalty(0.5, rho).add(W, dW, 8.0)
    assert value == pytest.approx(0.5 / 8 * (0.5 * (1 - rho) * (W**2).sum() + rho * abs(W).sum()), rel=1e-12)
    np.testing.assert_allclose(dW, 1 + 0.5 / 8 * ((1 - rho) * W + rho * np.sign(W)), rtol=1e-12)


def test_vectors_of_other_sizes_and_dtypes_may_follow():
    decay = Penalty(1.0, 0.0)
    for size, dtype in ((10, np.float32), (100, np.float32), (100, np.float64), (0, np.float64)):
        dW = np.zeros(size, dtype)
        decay.add(W[:size].astype(dtype), dW, 1.0)
        assert dW.dtype == dtype
        np.testing.assert_array_equal(dW, W[:size].astype(dtype))

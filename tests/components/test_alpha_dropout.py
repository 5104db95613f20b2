"""AlphaDropout: what it does to mean and variance, and that backward sees the mask of forward."""

import numpy as np
import pytest
from support.single import Single

from modnet.errors import InvalidSpecError
from modnet.layers import AlphaDropout

X = np.random.default_rng(0).normal(size=(1000, 200))
LIMIT = -1.7580993408473766
"""What SELU saturates at: −λα."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_mean_and_variance_of_standard_normal_inputs_are_kept(rate, dtype):
    y = Single(AlphaDropout(rate), (200,), dtype=dtype).forward(X)
    assert y.dtype == dtype
    # 200 000 draws: five standard errors of the mean are 0.011, of the variance 0.02.
    assert y.mean(dtype=np.float64) == pytest.approx(X.mean(), abs=0.011)
    assert y.var(dtype=np.float64) == pytest.approx(1, abs=0.02)


def test_dropped_elements_become_the_value_selu_saturates_at_and_then_all_are_moved_alike():
    rate = 0.3
    y = Single(AlphaDropout(rate), (200,)).forward(X)
    q = 1 - rate
    a = (q + LIMIT**2 * q * rate) ** -0.5
    b = -a * rate * LIMIT
    dropped = np.isclose(y, a * LIMIT + b)
    assert dropped.mean() == pytest.approx(rate, abs=0.006)
    np.testing.assert_allclose(y[~dropped], a * X[~dropped] + b, rtol=1e-9, atol=1e-12)


def test_backward_uses_the_mask_of_forward():
    single = Single(AlphaDropout(0.3), (200,))
    y = single.forward(X).copy()
    dx = single.backward(np.ones_like(X))
    assert set(np.unique(dx)) == {0.0, dx.max()}
    np.testing.assert_allclose(y[dx == 0], y[dx == 0][0], rtol=1e-12)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.5, False)])
def test_it_is_the_identity_without_a_rate_or_without_training(rate, training):
    single = Single(AlphaDropout(rate), (200,), training=training)
    np.testing.assert_array_equal(single.forward(X), X)
    np.testing.assert_array_equal(single.backward(X), X)


@pytest.mark.parametrize("bad", [-0.1, 1.0, float("nan"), True])
def test_rates_are_probabilities_below_one(bad):
    with pytest.raises(InvalidSpecError, match="rate"):
        AlphaDropout(bad)

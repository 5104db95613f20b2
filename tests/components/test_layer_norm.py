"""LayerNorm: every row by itself, standardized over its features."""

import numpy as np
import pytest
from support.single import Single

from modnet.errors import InvalidSpecError
from modnet.layers import LayerNorm
from modnet.testing import check_network

X = np.random.default_rng(0).normal(2, 3, size=(6, 8))


def test_a_row_comes_out_with_mean_zero_and_deviation_one():
    y = Single(LayerNorm(epsilon=1e-12), (8,)).forward(X)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=1), 1, rtol=1e-9)


def test_gamma_and_beta_are_applied_feature_by_feature():
    gamma, beta = np.arange(8.0), np.arange(8.0)[::-1]
    plain = Single(LayerNorm(use_scale=False, use_bias=False), (8,)).forward(X)
    y = Single(LayerNorm(), (8,), gamma=gamma, beta=beta).forward(X)
    np.testing.assert_allclose(y, plain * gamma + beta, rtol=1e-12)


def test_shift_and_scale_of_a_row_do_not_matter():
    y = Single(LayerNorm(epsilon=1e-12), (8,)).forward(X)
    np.testing.assert_allclose(Single(LayerNorm(epsilon=1e-12), (8,)).forward(7 * X - 5), y, rtol=1e-9)


def test_rows_do_not_depend_on_each_other_in_training_either():
    single = Single(LayerNorm(), (8,))
    together = single.forward(X).copy()
    np.testing.assert_allclose(single.forward(X[2:3]), together[2:3], rtol=1e-12)


def test_a_row_of_equal_values_becomes_beta():
    y = Single(LayerNorm(), (8,), beta=np.arange(8.0)).forward(np.full((2, 8), -1e4))
    np.testing.assert_allclose(y, [np.arange(8.0)] * 2, atol=1e-12)


def test_gradients_of_a_row_add_up_to_nothing_along_shift_and_scale():
    single = Single(LayerNorm(epsilon=1e-14), (8,), gamma=np.arange(1.0, 9.0))
    single.forward(X)
    dx = single.backward(np.random.default_rng(1).normal(size=X.shape))
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose((dx * X).sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("layer", LayerNorm.examples(), ids=repr)
def test_gradients_go_through_mean_and_variance(layer):
    check_network(layer, (8,), x=X)


def test_gains_and_biases_are_not_decayed_and_can_be_left_out():
    assert not any(each.regularized for each in LayerNorm().parameters((3,)).values())
    assert set(LayerNorm(use_scale=False).parameters((3,))) == {"beta"}


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidSpecError, match="epsilon"):
        LayerNorm(0.0)

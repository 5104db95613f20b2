"""RMSNorm: every row divided by the root of its mean square."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from support.single import Single

from modnet import ModNetRegressor
from modnet.errors import InvalidSpecError
from modnet.layers import LayerNorm, RMSNorm
from modnet.testing import check_network

X = np.random.default_rng(0).normal(2, 3, size=(6, 8))


def test_a_row_comes_out_with_mean_square_one():
    y = Single(RMSNorm(epsilon=1e-12), (8,)).forward(X)
    np.testing.assert_allclose(np.mean(y**2, axis=1), 1, rtol=1e-12)


def test_only_the_length_of_a_row_is_lost():
    y = Single(RMSNorm(epsilon=1e-12), (8,)).forward(X)
    np.testing.assert_allclose(y * np.linalg.norm(X, axis=1, keepdims=True) / np.sqrt(8), X, rtol=1e-9)


def test_on_centred_rows_it_is_layer_normalization():
    centred = X - X.mean(axis=1, keepdims=True)
    gamma = np.arange(8.0)
    y = Single(RMSNorm(), (8,), gamma=gamma).forward(centred)
    np.testing.assert_allclose(y, Single(LayerNorm(), (8,), gamma=gamma).forward(centred), rtol=1e-9)


def test_a_row_of_zeros_stays_zero_with_a_gradient_that_is_finite():
    single = Single(RMSNorm(), (8,))
    assert not single.forward(np.zeros((1, 8))).any()
    np.testing.assert_allclose(single.backward(np.ones((1, 8))), 1 / np.sqrt(1e-5), rtol=1e-12)


@pytest.mark.parametrize("layer", RMSNorm.examples(), ids=repr)
def test_gradients_go_through_the_mean_square(layer):
    check_network(layer, (8,), x=X)


def test_gains_are_not_decayed_and_can_be_left_out():
    assert not RMSNorm().parameters((3,))["gamma"].regularized
    assert not RMSNorm(use_scale=False).parameters((3,))
    with pytest.raises(InvalidSpecError, match="epsilon"):
        RMSNorm(-1.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layer", ["rms_norm", "layer_norm"])
@pytest.mark.parametrize(("dtype", "scale"), [(np.float64, 1e160), (np.float32, 1e20)])
def test_rows_whose_squares_overflow_are_predicted_without_a_warning(layer, dtype, scale):
    Z = np.random.default_rng(0).normal(size=(20, 8)).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ModNetRegressor((layer, 4), max_iter=2, accelerator=None).fit(Z, Z[:, 0])
    assert np.isfinite(model.predict(Z * dtype(scale))).all()

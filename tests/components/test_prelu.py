"""PReLU: learnt slopes below zero, and the activations it is for some of them."""

import numpy as np
import pytest
from support.single import Single

from modnet.activations import Identity, ReLU
from modnet.layers import PReLU
from modnet.testing import check_network

X = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize(("slope", "same"), [(0.0, ReLU()), (1.0, Identity())], ids=["relu", "identity"])
def test_slopes_of_zero_and_one_are_relu_and_the_identity(slope, same):
    np.testing.assert_allclose(Single(PReLU(), (3,), a=slope).forward(X), same.f(X), rtol=1e-14)


def test_every_feature_has_its_own_slope_which_starts_at_a_quarter():
    single = Single(PReLU(), (3,))
    np.testing.assert_array_equal(single.p.a, [[0.25, 0.25, 0.25]])
    single.p.a[...] = [[0.0, 0.5, -1.0]]
    np.testing.assert_allclose(single.forward([[-2.0, -2.0, -2.0], [2.0, 2.0, 2.0]]), [[0, -1, 2], [2, 2, 2]])


def test_a_shared_slope_learns_from_all_features():
    own, shared = Single(PReLU(), (3,)), Single(PReLU(shared=True), (3,))
    assert shared.p.a.shape == (1, 1)
    dy = np.random.default_rng(1).normal(size=X.shape)
    np.testing.assert_array_equal(own.forward(X), shared.forward(X))
    np.testing.assert_allclose(own.backward(dy), shared.backward(dy), rtol=1e-14)
    np.testing.assert_allclose(own.g.a.sum(), shared.g.a[0, 0], rtol=1e-12)


def test_at_the_kink_the_derivative_is_that_from_below():
    single = Single(PReLU(), (1,))
    single.forward([[0.0]])
    assert single.backward(np.ones((1, 1))) == 0.25


def test_tiny_slopes_are_kept_exact_in_float32():
    single = Single(PReLU(), (1,), dtype=np.float32, a=1e-6)
    np.testing.assert_allclose(single.forward([[-1.0]]), [[-1e-6]], rtol=1e-6)


@pytest.mark.parametrize("layer", PReLU.examples(), ids=repr)
def test_gradients_agree_with_central_differences(layer):
    check_network(layer, (3,), x=X)


def test_slopes_are_not_decayed():
    assert not PReLU().parameters((3,))["a"].regularized

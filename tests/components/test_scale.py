"""Scale and Bias: one factor and one shift per feature, and the affine layer they make together."""

import numpy as np
import pytest
from support.single import Single

from modnet import Network
from modnet.layers import Bias, Scale
from modnet.testing import check_network

X = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize("layer", [Scale(), Bias()], ids=repr)
def test_both_start_as_the_identity_and_are_not_decayed(layer):
    np.testing.assert_array_equal(Single(layer, (3,)).forward(X), X)
    assert not any(each.regularized for each in layer.parameters((3,)).values())


def test_a_scale_and_a_bias_are_an_affine_map_of_each_feature():
    network = Network([Scale(), Bias()], (3,))
    theta, state = network.initialize(np.random.default_rng(0))
    network.assign(theta, state, {"layers[0].g": [2.0, 0.0, -1.0], "layers[1].b": [1.0, 1.0, 0.0]})
    np.testing.assert_allclose(network.predict(theta, state, X), X * [2, 0, -1] + [1, 1, 0])


@pytest.mark.parametrize("layer", [Scale(), Bias()], ids=repr)
def test_gradients_agree_with_central_differences(layer):
    check_network(layer, (3,), x=X)

"""ActivationLayer: the activation it stands for, in a network and in a search."""

import numpy as np
import pytest

from modnet import ModNetRegressor, Network
from modnet.activations import ReLU, Softmax, Tanh
from modnet.layers import ActivationLayer, Dense
from modnet.testing import check_network

X = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize("used", [Tanh(), ReLU(), Softmax()], ids=repr)
def test_a_network_runs_the_activation_in_its_place(used):
    plain, wrapped = (Network([Dense(4), layer], (3,)) for layer in (used, ActivationLayer(used)))
    theta, state = plain.initialize(np.random.default_rng(0))
    np.testing.assert_array_equal(wrapped.predict(theta, state, X), plain.predict(theta, state, X))
    assert wrapped.links[-1].module is used
    check_network([Dense(4), ActivationLayer(used)], (3,))


def test_its_activation_can_be_searched_over():
    net = ModNetRegressor(layers=(Dense(4), ActivationLayer("tanh")))
    net.set_params(layers__1__activation="relu")
    assert net.layers[1] == ActivationLayer(ReLU())

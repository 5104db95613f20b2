"""GatedLinear: two affine maps, one of which gates the other."""

import numpy as np
import pytest
from support.single import Single

from modnet.activations import Identity, ReLU, Sigmoid, Softmax, Tanh
from modnet.layers import Dense, GatedLinear
from modnet.testing import check_network

X = np.random.default_rng(0).normal(size=(6, 3))
GATES = [Sigmoid(), Tanh(), ReLU(), Identity(), Softmax()]


@pytest.mark.parametrize("gate", GATES, ids=repr)
def test_it_is_the_product_of_two_dense_layers(gate):
    single = Single(GatedLinear(4, gate), (3,), b=0.5, c=[0.1, 0.2, 0.3, 0.4])
    p = single.p
    value = Single(Dense(4), (3,), W=p.W, b=p.b).forward(X)
    gates = gate.f(Single(Dense(4), (3,), W=p.V, b=p.c).forward(X))
    np.testing.assert_allclose(single.forward(X), value * gates, rtol=1e-13)


@pytest.mark.parametrize("gate", GATES, ids=repr)
def test_gradients_go_through_both_factors(gate):
    check_network(GatedLinear(4, gate), (3,))


def test_closed_gates_let_nothing_through_and_learn_nothing_for_the_value():
    single = Single(GatedLinear(2), (3,), V=0, c=-1e3)
    assert not single.forward(X).any()
    assert not single.backward(np.ones((6, 2))).any()
    assert not single.g.W.any()


def test_open_gates_are_a_dense_layer():
    single = Single(GatedLinear(2), (3,), V=0, c=1e3)
    np.testing.assert_allclose(single.forward(X), X @ single.p.W, rtol=1e-13)


def test_weights_are_regularized_and_biases_are_not():
    regularized = {name: each.regularized for name, each in GatedLinear(2).parameters((3,)).items()}
    assert regularized == {"W": True, "V": True, "b": False, "c": False}
    assert set(GatedLinear(2, use_bias=False).parameters((3,))) == {"W", "V"}

"""Backpropagation through a whole network: its gradients, and the work it saves in front of the first parameter."""

from collections import Counter
from typing import ClassVar

import numpy as np
import pytest

from modnet import Module
from modnet.layers import Dense, Dropout, Parallel, Residual, Sequential
from modnet.network import Network, Pass
from modnet.testing import check_gradient, check_network


def test_a_wrong_gradient_is_named_with_both_its_values():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    wrong = 2 * x
    wrong[1, 0] = 6.6
    with pytest.raises(AssertionError, match=r"^dx\[1, 0\]: numeric 6(\.0\d*)?, analytic 6\.6, .*1 of 4 elements"):
        check_gradient(lambda x: float(np.sum(x * x)), x, wrong, subject="dx")


@pytest.mark.parametrize("slip", [np.nan, 1e-3])
def test_a_slip_in_one_small_element_is_found(slip):
    x = np.linspace(-1, 1, 9)
    wrong = 3 * x**2
    wrong[4] += slip
    with pytest.raises(AssertionError, match=r"gradient\[4\]"):
        check_gradient(lambda x: float(np.sum(x**3)), x, wrong)


def test_a_wrong_layer_is_named_with_its_parameter():
    class Forgetful(Dense):
        def grad_params(self, ctx, dy):
            super().grad_params(ctx, dy)
            ctx.g.b[...] = dy[:1]

    with pytest.raises(AssertionError, match=r"^layers\[1\]\.b\[0, \d\]: numeric"):
        check_network([Dense(3), Forgetful(2)], (3,))


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(4, "tanh"), Dense(3, "sigmoid"), Dense(2)],
        [Dense(4, "relu"), Residual([Dense(6, "tanh"), Dropout(0.3), Dense(4)]), Dense(3), "softmax"],
        [Parallel([Sequential([Residual([Dense(3, "tanh"), Dense(3)]), Dense(2)]), "sigmoid", Dense(4)]), Dense(2)],
        [Dense(4), Parallel([Residual([Dense(4)]), Sequential([Dense(4, "tanh")])], merge="mean"), Dense(1)],
        [Residual([Residual([Residual([Dense(3, "tanh")])])])],
        ["tanh", Dropout(0.2), Dense(3), "sigmoid", Dense(2)],
        ["tanh", "softmax"],
    ],
    ids=lambda layers: "-".join(each if isinstance(each, str) else type(each).__name__ for each in layers),
)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_deep_networks_agree_with_central_differences(layers, training):
    check_network(Sequential(layers).body, (3,), training=training)


@pytest.mark.parametrize(
    "layers",
    [
        [Residual(["tanh"]), Dense(2)],
        [Dense(3), Sequential([Residual(["tanh"]), Dense(2)])],
        [Dense(3), Sequential([Residual(["tanh"]), "sigmoid"])],
        [Parallel(["tanh", "sigmoid"]), Dense(2)],
        [Dense(3), Parallel([Sequential([Parallel(["tanh", "sigmoid"]), Dense(2)]), "tanh"]), Dense(2)],
    ],
    ids=["in front", "in front in a chain", "a chain without parameters", "branches", "branches in a branch"],
)
def test_gradients_pass_through_composites_without_parameters(layers):
    check_network(layers, (3,))


# What is left out


class Counted(Module):
    """y = 2 x; notes who calls it."""

    reads: ClassVar[frozenset[str]] = frozenset()
    calls: ClassVar[Counter[str]] = Counter()

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        return 2 * x

    def grad_params(self, ctx, dy):
        self.calls[f"{self.name}.grad_params"] += 1

    def grad_input(self, ctx, dy):
        self.calls[f"{self.name}.grad_input"] += 1
        return 2 * dy


class CountedDense(Dense):
    """A Dense that notes who calls it."""

    def grad_params(self, ctx, dy):
        Counted.calls[f"{self.name}.grad_params"] += 1
        super().grad_params(ctx, dy)

    def grad_input(self, ctx, dy):
        Counted.calls[f"{self.name}.grad_input"] += 1
        return super().grad_input(ctx, dy)


@pytest.fixture
def calls():
    Counted.calls.clear()
    return Counted.calls


def backward(layers):
    network = Network(layers, (3,))
    theta, state = network.initialize(np.random.default_rng(0))
    running = Pass(network, theta, state, gradient=np.empty_like(theta), rows=2, training=True)
    running.backward(np.ones_like(running.forward(np.ones((2, 3)))))
    return running


def test_the_first_link_is_not_asked_for_the_gradient_of_its_input(calls):
    backward([CountedDense(3, name="first"), CountedDense(2, name="second")])
    assert calls == {"second.grad_params": 1, "second.grad_input": 1, "first.grad_params": 1}


def test_links_in_front_of_the_first_parameter_are_not_asked_at_all(calls):
    backward([Counted(name="a"), Counted(name="b"), CountedDense(3, name="first"), Counted(name="c"), Dense(2)])
    assert calls == {"c.grad_params": 1, "c.grad_input": 1, "first.grad_params": 1}


def test_the_gradient_of_the_input_is_there_for_who_asks(calls):
    running = backward([Counted(name="a"), CountedDense(3, name="first")])
    assert "a.grad_input" not in calls
    assert running.input_gradient().shape == (2, 3)
    assert calls["a.grad_input"] == calls["first.grad_input"] == 1


def test_composites_need_the_gradient_of_their_first_links_input(calls):
    backward([Dense(3), Residual([Counted(name="a"), CountedDense(3, name="first")])])
    assert calls["a.grad_input"] == calls["first.grad_input"] == calls["first.grad_params"] == 1


def test_a_composite_in_front_saves_its_first_links_gradient(calls):
    backward([Sequential([CountedDense(3, name="first"), Dense(3)]), Dense(2)])
    assert calls == {"first.grad_params": 1}


def test_what_a_hook_returns_for_y_goes_on_in_its_place():
    network = Network([Dense(3), Residual([Dense(3, "tanh")]), Dense(1)], (2,))
    theta, state = network.initialize(np.random.default_rng(0))
    x, given = np.ones((4, 2)), np.full((4, 3), 0.5)
    inner = network.links[1].chains[0][-1]

    def put(link, name, array):
        return given if link is inner and name == "y" else None

    found = Pass(network, theta, state, rows=4, hook=put).forward(x).copy()
    p = network.parameters(theta)
    h = x @ p["layers[0].W"] + p["layers[0].b"] + given
    np.testing.assert_allclose(found, h @ p["layers[2].W"] + p["layers[2].b"], rtol=1e-12)

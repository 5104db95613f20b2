"""Non-trainable state: it lies in a vector of its own, changes in training and at no other time."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Module, Parameter
from modnet.initializers import Zeros
from modnet.layers import Dense, Residual
from modnet.losses import SquaredError
from modnet.network import Network, Pass
from modnet.network.trial import check_links
from modnet.optimizers import SGD
from modnet.training import Data, Trainer, TrainingSettings


class Centre(Module):
    """y = x − m, with m the running mean of what passed through in training."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def parameters(self, input_shape):
        return {"mean": Parameter((1, *input_shape), Zeros(), trainable=False)}

    def forward(self, ctx, x):
        y = np.subtract(x, ctx.s.mean, out=ctx.out)
        if ctx.training:
            ctx.s.mean += 0.5 * (x.mean(axis=-2, keepdims=True) - ctx.s.mean)
        return y

    def grad_input(self, ctx, dy):
        return dy


@pytest.fixture
def network():
    return Network([Centre(), Dense(2), Residual([Centre()])], (3,))


@pytest.fixture
def weights(network):
    return network.initialize(np.random.default_rng(0))


X = 5 + np.random.default_rng(1).normal(size=(8, 3))


def test_state_lies_in_the_state_vector_and_not_in_theta(network, weights):
    theta, state = weights
    assert list(network.layout.places) == ["layers[1].W", "layers[1].b"]
    assert list(network.state_layout.places) == ["layers[0].mean", "layers[2].body[0].mean"]
    assert (theta.size, state.size) == (3 * 2 + 2, 3 + 2)


def test_state_has_the_dtype_of_theta(network):
    _, state = network.initialize(np.random.default_rng(0), np.float32)
    assert state.dtype == np.float32


def test_a_module_with_nothing_but_state_does_not_learn(network):
    assert [link.trainable for link in network.links] == [False, True, False]


def test_training_passes_change_the_state(network, weights):
    theta, state = weights
    Pass(network, theta, state, rows=8, training=True).forward(X)
    np.testing.assert_allclose(network.state_layout.views(state)["layers[0].mean"], 0.5 * X.mean(axis=0, keepdims=True))
    assert np.all(network.state_layout.views(state)["layers[2].body[0].mean"] != 0)


def test_prediction_uses_the_state_and_leaves_it_alone(network, weights):
    theta, state = weights
    state += 3.0
    before = state.copy()
    shifted = network.predict(theta, state, X)
    np.testing.assert_array_equal(state, before)
    assert not np.allclose(shifted, network.predict(theta, np.zeros_like(state), X))


def test_a_trial_run_leaves_the_state_alone(network, weights):
    theta, state = weights
    check_links(network, theta, state, X[:2])
    np.testing.assert_array_equal(state, 0)


def test_training_changes_the_state_and_evaluation_does_not(network, weights):
    theta, state = weights
    data = Data(X, np.zeros((8, 2)))
    settings, rngs = TrainingSettings(max_iter=2), [np.random.default_rng(seed) for seed in (0, 1)]
    trainer = Trainer(
        network, SquaredError(), SGD(1e-3), settings, theta, state, shuffle_rng=rngs[0], noise_rng=rngs[1]
    )
    trainer.fit(data)
    after = state.copy()
    assert np.all(after != 0)
    trainer.evaluate(data)
    np.testing.assert_array_equal(state, after)

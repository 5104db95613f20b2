"""Dense as the affine map z = x W + b, written out, and what its activation and constraint bring along."""

from types import SimpleNamespace

import numpy as np
import pytest

from modnet import Context, Network
from modnet.activations import ReLU, Tanh
from modnet.base import Constraint
from modnet.errors import InvalidSpecError
from modnet.initializers import GlorotUniform, HeUniform, LecunNormal, Zeros
from modnet.layers import Dense

N, K_IN, K_OUT = 4, 5, 2


def context(W, b, **buffers):
    p, g = SimpleNamespace(W=W, b=b), SimpleNamespace(W=np.full_like(W, np.nan), b=np.full_like(b, np.nan))
    return Context(p=p, g=g, s=SimpleNamespace(), rng=np.random.default_rng(0), **buffers)


@pytest.mark.parametrize("buffered", [True, False])
def test_it_is_the_affine_map_and_its_gradients_are_the_textbooks(buffered):
    rng = np.random.default_rng(0)
    x, W, b, dz = (rng.normal(size=shape) for shape in ((N, K_IN), (K_IN, K_OUT), (1, K_OUT), (N, K_OUT)))
    buffers = {"out": np.empty_like(dz), "dx": np.empty_like(x)} if buffered else {}
    dense, ctx = Dense(K_OUT), context(W, b, **buffers)
    ctx.x = x
    z = dense.forward(ctx, x)
    dense.grad_params(ctx, dz)
    dx = dense.grad_input(ctx, dz)
    np.testing.assert_allclose(z, x @ W + b, rtol=1e-13)
    np.testing.assert_allclose(ctx.g.W, x.T @ dz, rtol=1e-13)
    np.testing.assert_allclose(ctx.g.b, dz.sum(axis=0, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(dx, dz @ W.T, rtol=1e-13)
    assert not buffered or (z is ctx.out and dx is ctx.dx)


def test_without_bias_zero_stays_zero():
    dense = Dense(K_OUT, use_bias=False)
    assert dense.parameters((K_IN,)).keys() == {"W"}
    np.testing.assert_array_equal(dense.forward(context(np.ones((K_IN, K_OUT)), np.ones(0)), np.zeros((N, K_IN))), 0)


def test_weights_are_regularized_and_biases_are_not():
    parameters = Dense(K_OUT).parameters((K_IN,))
    assert parameters["W"].regularized
    assert not parameters["b"].regularized
    assert parameters["W"].shape == (K_IN, K_OUT)
    assert parameters["b"].shape == (1, K_OUT)


class Positive(Constraint):
    """Values ≥ 0."""

    def project(self, W):
        np.maximum(W, 0, out=W)


def test_a_constraint_is_passed_on_with_the_weights_and_not_with_the_biases():
    network = Network([Dense(K_OUT, "tanh", kernel_constraint=Positive())], (K_IN,))
    assert network.layout.constraints == {"layers[0].W": Positive()}
    assert not Network([Dense(K_OUT)], (K_IN,)).layout.constraints


RECOMMENDED = {"glorot": GlorotUniform(), "he": HeUniform(), "lecun": LecunNormal()}


@pytest.mark.parametrize(
    ("dense", "meant"),
    [
        (Dense(K_OUT, ReLU(), kernel_initializer="auto"), RECOMMENDED[ReLU.recommended_init]),
        (Dense(K_OUT, Tanh(), kernel_initializer="auto"), RECOMMENDED[Tanh.recommended_init]),
        (Dense(K_OUT, kernel_initializer="auto"), GlorotUniform()),
        (Dense(K_OUT, ReLU()), GlorotUniform()),
        (Dense(K_OUT, ReLU(), kernel_initializer="zeros"), Zeros()),
    ],
    ids=repr,
)
def test_auto_weights_go_by_the_activation_with_which_the_layer_is_built(dense, meant):
    affine = dense.links()[0][1]
    assert dense.parameters((K_IN,))["W"].initializer == meant
    assert affine.parameters((K_IN,))["W"].initializer == meant


def test_only_auto_is_a_word_among_initializers():
    with pytest.raises(InvalidSpecError, match=r"Dense: kernel_initializer: .*automatic"):
        Dense(K_OUT, kernel_initializer="automatic")

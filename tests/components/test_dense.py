"""Dense as the affine map z = x W + b, written out, also for several networks at once along a leading axis."""

from types import SimpleNamespace

import numpy as np
import pytest

from modnet import Context, Network
from modnet.activations import ReLU, Tanh
from modnet.base import Constraint
from modnet.errors import InvalidSpecError
from modnet.initializers import GlorotUniform, HeUniform, LecunNormal, Zeros
from modnet.layers import Dense

M, N, K_IN, K_OUT = 3, 4, 5, 2


def context(W, b, **buffers):
    p, g = SimpleNamespace(W=W, b=b), SimpleNamespace(W=np.full_like(W, np.nan), b=np.full_like(b, np.nan))
    return Context(p=p, g=g, s=SimpleNamespace(), rng=np.random.default_rng(0), **buffers)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    shapes = {"x": (M, N, K_IN), "W": (M, K_IN, K_OUT), "b": (M, 1, K_OUT), "dz": (M, N, K_OUT)}
    return SimpleNamespace(**{name: rng.normal(size=shape) for name, shape in shapes.items()})


@pytest.mark.parametrize("buffered", [True, False])
def test_members_along_a_leading_axis_are_networks_of_their_own(arrays, buffered):
    x, W, b, dz = arrays.x, arrays.W, arrays.b, arrays.dz
    buffers = {"out": np.empty_like(dz), "dx": np.empty_like(x)} if buffered else {}
    dense, ctx = Dense(K_OUT), context(W, b, **buffers)
    ctx.x = x
    z = dense.forward(ctx, x)
    dense.grad_params(ctx, dz)
    dx = dense.grad_input(ctx, dz)
    for m in range(M):
        np.testing.assert_allclose(z[m], x[m] @ W[m] + b[m], rtol=1e-13)
        np.testing.assert_allclose(ctx.g.W[m], x[m].T @ dz[m], rtol=1e-13)
        np.testing.assert_allclose(ctx.g.b[m], dz[m].sum(axis=0, keepdims=True), rtol=1e-13)
        np.testing.assert_allclose(dx[m], dz[m] @ W[m].T, rtol=1e-13)


def test_one_input_is_shared_by_all_members(arrays):
    x, W, b = arrays.x[0], arrays.W, arrays.b
    z = Dense(K_OUT).forward(context(W, b), x)
    np.testing.assert_allclose(z, np.stack([x @ W[m] + b[m] for m in range(M)]), rtol=1e-13)


def test_buffers_are_used_where_there_are_any(arrays):
    x, W, b, dz = arrays.x[0], arrays.W[0], arrays.b[0], arrays.dz[0]
    ctx = context(W, b, out=np.empty_like(dz), dx=np.empty_like(x))
    ctx.x = x
    assert Dense(K_OUT).forward(ctx, x) is ctx.out
    assert Dense(K_OUT).grad_input(ctx, dz) is ctx.dx


def test_without_bias_zero_stays_zero():
    dense = Dense(K_OUT, use_bias=False)
    assert dense.parameters((K_IN,)).keys() == {"W"}
    np.testing.assert_array_equal(dense.forward(context(np.ones((K_IN, K_OUT)), np.ones(0)), np.zeros((N, K_IN))), 0)


def test_weights_are_decayed_and_biases_are_not():
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


SUITED = {"glorot": GlorotUniform(), "he": HeUniform(), "lecun": LecunNormal()}


@pytest.mark.parametrize(
    ("dense", "meant"),
    [
        (Dense(K_OUT, ReLU(), kernel_initializer="auto"), SUITED[ReLU.recommended_init]),
        (Dense(K_OUT, Tanh(), kernel_initializer="auto"), SUITED[Tanh.recommended_init]),
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

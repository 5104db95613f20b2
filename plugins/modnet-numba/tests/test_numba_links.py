"""Fused modules: what they give is what their originals give, whatever the size, the dtype and the values."""

import itertools
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("numba")

import scipy.sparse
from modnet_numba import Numba
from modnet_numba.formulas import formulas_of

from modnet import Activation, Array, Module, Network, activations
from modnet.layers import BatchNorm, Dense, Dropout, LayerNorm, RMSNorm
from modnet.network import Pass
from modnet.testing import check_network

DTYPES = [np.float32, np.float64]
FUSED = [
    example
    for cls in vars(activations).values()
    if isinstance(cls, type)
    for example in cls.examples()
    if formulas_of(example) is not None
]
OTHERS = [*BatchNorm.examples(), *LayerNorm.examples(), *RMSNorm.examples(), *Dropout.examples()]


class Results(NamedTuple):
    """What a pass gives."""

    y: Array
    dx: Array
    gradient: Array
    state: Array


def run(modules: Sequence[Module], x: Any, theta: Array, state: Array, dy: Array, *, training: bool = True) -> Results:
    """Send rows forward and a gradient back, with noise that is always the same."""
    gradient, after = np.full_like(theta, np.nan), state.copy()
    noise, rows = np.random.default_rng(3), x.shape[0]
    running = Pass(
        Network(modules, x.shape[1:]), theta, after, gradient=gradient, rows=rows, training=training, rng=noise
    )
    with np.errstate(all="ignore"):
        y = running.forward(x).copy()
        running.backward(dy)
        return Results(y, running.input_gradient().copy(), gradient, after)


def expect_like_original(modules: Sequence[Module], x: Any, *, training: bool = True, scale: float = 0.5) -> None:
    """Compare the fused version of some modules with them."""
    rng = np.random.default_rng(0)
    network = Network(modules, x.shape[1:])
    theta, state = network.initialize(rng, x.dtype)
    theta += scale * rng.normal(size=theta.size).astype(x.dtype)
    state += rng.uniform(size=state.size).astype(x.dtype)
    dy = rng.normal(size=(x.shape[0], *network.output_shape)).astype(x.dtype)
    fused = Numba().fuse([link.module for link in network.links])
    assert fused is not None
    assert fused.length == len(network.links)
    expected = run(modules, x, theta, state, dy, training=training)
    found = run([fused.module], x, theta, state, dy, training=training)
    single = x.dtype == np.float32
    for name, one, other in zip(Results._fields, found, expected, strict=True):
        assert one.dtype == other.dtype, name
        np.testing.assert_allclose(one, other, rtol=1e-5 if single else 1e-12, atol=3e-6 if single else 1e-13)


def rows(n: int, features: int, dtype: Any) -> Array:
    """Return rows of normal numbers."""
    return np.random.default_rng(1).normal(size=(n, features)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", FUSED, ids=repr)
def test_a_dense_layer_and_its_activation_are_what_they_were(activation: Activation, dtype: Any):
    for (n, units), use_bias in itertools.product([(7, 13), (1, 3), (5, 1), (0, 2), (33, 40)], [True, False]):
        expect_like_original([Dense(units, activation, use_bias=use_bias)], rows(n, 4, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", FUSED, ids=repr)
def test_an_activation_alone_is_what_it_was_at_kinks_and_extremes(activation: Activation, dtype: Any):
    x = np.concatenate([np.linspace(-8, 8, 65), [1e4, -1e4, 1e-30, -0.0, 88.7, -104, 700, -745, np.inf, -np.inf]])
    expect_like_original([activation], x.astype(dtype)[np.newaxis])


@pytest.mark.parametrize("activation", FUSED, ids=repr)
def test_nan_stays_nan_so_that_divergence_is_seen(activation: Activation):
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    for modules in ([activation], [Dense(2), activation]):
        network = Network(modules, (2,))
        theta, state = network.initialize(np.random.default_rng(0))
        fused = Numba().fuse(modules)
        expected = run(modules, x, theta, state, x)
        found = run([fused.module], x, theta, state, x)
        assert np.isnan(found.y).any()
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(np.isnan(one), np.isnan(other))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("layer", OTHERS, ids=repr)
def test_normalizations_and_dropout_are_what_they_were(layer: Module, training: bool, dtype: Any):
    for n, features in [(7, 5), (1, 3), (0, 2), (40, 1), (64, 33)]:
        expect_like_original([layer], rows(n, features, dtype), training=training, scale=0.1)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "modules", [[Dense(3)], [Dense(3, "tanh")], [Dense(3, "gelu")], [activations.Tanh()], *([each] for each in OTHERS)]
)
def test_rows_of_several_axes_give_the_same(modules: list[Module], training: bool):
    for shape in [(7, 3, 5), (1, 2, 2, 4), (1, 1, 3), (0, 2, 3)]:
        x = np.random.default_rng(1).normal(size=shape)
        expect_like_original(modules, x, training=training, scale=0.1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_drops_the_same_elements_bit_by_bit(dtype: Any):
    x, nothing = rows(50, 20, dtype), np.empty(0, dtype)
    for dropout in Dropout.examples():
        expected = run([dropout], x, nothing, nothing, x)
        found = run([Numba().fuse([dropout]).module], x, nothing, nothing, x)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("modules", [[Dense(3)], [Dense(3, use_bias=False)], [Dense(3, "tanh")], [Dense(3, "gelu")]])
def test_sparse_rows_are_taken_as_dense_ones(modules: list[Dense], dtype: Any):
    x = rows(20, 6, dtype)
    x[np.abs(x) < 0.8] = 0
    network = Network(modules, (6,))
    theta, state = network.initialize(np.random.default_rng(0), dtype)
    fused = [Numba().fuse([link.module for link in network.links]).module]
    gradients = []
    for each in (x, scipy.sparse.csr_matrix(x)):
        gradient = np.full_like(theta, np.nan)
        running = Pass(Network(fused, (6,)), theta, state, gradient=gradient, rows=20)
        running.backward(running.forward(each))
        gradients.append(gradient)
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("activation", FUSED, ids=repr)
def test_gradients_agree_with_central_differences(activation: Activation):
    x = np.random.default_rng(5).normal(size=(4, 3))  # seed: no element within a step of a kink
    check_network([Numba().fuse([Dense(5), activation]).module], (3,), x=x)


def test_rows_in_another_order_of_memory_give_the_same():
    x = rows(30, 8, np.float64)
    for modules in ([Dense(3, "gelu")], [activations.Tanh()], *([layer] for layer in OTHERS)):
        network = Network(modules, (8,))
        theta, state = network.initialize(np.random.default_rng(0))
        fused = [Numba().fuse([link.module for link in network.links]).module]
        dy = np.random.default_rng(2).normal(size=(30, *network.output_shape))
        expected = run(fused, x, theta, state, dy)
        for other in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2]):
            found = run(fused, other, theta, state, np.asfortranarray(dy))
            for one, another in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, another, rtol=1e-12, atol=1e-14)


def test_threads_do_not_meet():
    network = Network([Dense(16, "gelu"), BatchNorm(), Dense(8, "tanh"), LayerNorm(), Dense(2)], (5,))
    modules = [link.module for link in network.links]
    fused: list[Module] = []
    while modules:
        offer = Numba().fuse(modules)
        fused.append(offer.module)
        modules = modules[offer.length :]
    theta, state = network.initialize(np.random.default_rng(0))
    batches = [np.random.default_rng(seed).normal(size=(20, 5)) for seed in range(8)]
    expected = [run(fused, x, theta, state, np.ones((20, 2))) for x in batches]
    found: dict[int, list[Results]] = {}

    def work(index: int) -> None:
        found[index] = [run(fused, batches[index], theta, state, np.ones((20, 2))) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, results in found.items():
        for result in results:
            for one, other in zip(result, expected[index], strict=True):
                np.testing.assert_array_equal(one, other)

"""What arrays may be like in memory: read-only, and at any distance from one another; and how much of it there is."""

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from modnet_numba import Numba, passes

from modnet import Array, Layout, Loss, ModNetClassifier, ModNetRegressor, Module, Network, Optimizer
from modnet.activations import GELU, Tanh
from modnet.layers import BatchNorm, Dense, Dropout, LayerNorm, RMSNorm
from modnet.losses import CrossEntropy, SquaredError
from modnet.network import Pass
from modnet.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DTYPES = [np.float32, np.float64]
NORMS = [*BatchNorm.examples(), *LayerNorm.examples(), *RMSNorm.examples()]
MODULES = [*([norm] for norm in NORMS), [Dense(3)], [Dense(3), Tanh()], [Dense(3), GELU()], [GELU()], [Dropout()]]
LOSSES = [*CrossEntropy.examples(), SquaredError()]

Place = Callable[[Array], Array]
"""Puts an array somewhere else."""


def kept(array: Array) -> Array:
    """Return the array."""
    return array


def locked(array: Array) -> Array:
    """Return a copy that cannot be written to."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def packed(rng: np.random.Generator) -> Place:
    """Return what puts arrays one behind the other, at random distances of a few elements.

    A loop that sums and stores is seen by arrays that are short, but long enough for vectors: it then adds up in
    another order where the output begins less than 256 bytes behind an input.
    """
    buffer, position = np.zeros(1 << 20, np.uint8), [0]

    def place(array: Array) -> Array:
        start = position[0] + int(rng.integers(8)) * array.itemsize
        position[0] = -(-(start + array.nbytes) // 8) * 8
        copy = buffer[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        copy[...] = array
        return copy

    return place


def passed(modules: Sequence[Module], n: int, dtype: Any, place: Place, *, training: bool) -> Iterator[Array]:
    """Yield output and gradients of a fused module whose rows, θ and state are put somewhere."""
    rng = np.random.default_rng(0)
    network = Network(modules, (3,))
    theta, state = network.initialize(rng, dtype)
    x, dy = (rng.normal(size=(n, 3)).astype(dtype) for _ in range(2))
    fused = Network([Numba().fuse([link.module for link in network.links]).module], (3,))
    state = state.copy() if training else place(state)
    options: dict[str, Any] = {"rows": n, "training": training, "rng": rng}
    gradient = np.zeros_like(theta)
    running = Pass(fused, place(theta), state, gradient=gradient, **options)
    yield running.forward(place(x))
    running.backward(place(dy))
    yield gradient
    yield running.input_gradient()
    yield state


def measured(
    loss: Loss, shape: tuple[int, int], dtype: Any, weighted: bool, place: Place, out: Place, seed: int = 0
) -> list[Array]:
    """Return value and gradient of a fused loss whose arrays are put somewhere."""
    rng, (n, k) = np.random.default_rng(seed), shape
    codes = isinstance(loss, CrossEntropy) and loss.link == "softmax"
    t = rng.integers(k, size=n) if codes else rng.integers(2, size=(n, k)).astype(dtype)
    raw, weight = rng.normal(size=(n, k)).astype(dtype), rng.uniform(size=n).astype(dtype) if weighted else None
    t, raw, weight = place(t), place(raw), None if weight is None else place(weight)
    value, draw = Numba().loss(loss).value_and_gradient(t, raw, weight=weight, out=out(np.zeros_like(raw)))
    return [np.float64(value), draw]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("modules", MODULES, ids=repr)
def test_read_only_rows_parameters_and_state_give_the_same_bits(modules: list[Module], training: bool, dtype: Any):
    expected, found = (list(passed(modules, 20, dtype, place, training=training)) for place in (kept, locked))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_read_only_truth_output_and_weights_give_the_same_bits(loss: Loss, weighted: bool):
    expected, found = (measured(loss, (20, 3), float, weighted, place, kept) for place in (kept, locked))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9), Adam()], ids=repr)
def test_optimizers_take_a_read_only_gradient_and_refuse_a_read_only_theta(optimizer: Optimizer):
    fused, grad = Numba().optimizer(optimizer), np.linspace(-1, 1, 50)
    thetas = [np.ones(50), np.ones(50)]
    for theta, each in zip(thetas, (grad, locked(grad)), strict=True):
        fused.step(theta, each, fused.init(theta, Layout.flat(theta.size)))
    np.testing.assert_array_equal(*thetas)
    with pytest.raises(Exception, match="readonly"):
        fused.step(locked(thetas[0]), grad, fused.init(thetas[0], Layout.flat(50)))


def test_a_model_trains_on_read_only_rows_and_predicts_with_read_only_weights():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 3)), rng.normal(size=64)
    layers, settings = (Dense(6), BatchNorm(), "relu", LayerNorm()), {"max_iter": 20, "tol": 0, "random_state": 0}
    settings = {**settings, "n_iter_no_change": 1000, "batch_size": 16, "accelerator": "numba"}
    for shuffle in (True, False):
        models = [
            ModNetRegressor(layers, shuffle=shuffle, **settings).fit(place(X), place(y)) for place in (kept, locked)
        ]
        np.testing.assert_array_equal(models[1].theta_, models[0].theta_)
        expected = models[0].predict(X)
        models[1].theta_.flags.writeable = models[1].state_.flags.writeable = False
        np.testing.assert_array_equal(models[1].predict(locked(X)), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("modules", MODULES, ids=repr)
def test_modules_give_the_same_bits_wherever_their_arrays_are(modules: list[Module], dtype: Any):
    for n in (1, 11, 20, 64):
        expected = list(passed(modules, n, dtype, kept, training=True))
        for seed in range(10):
            place = packed(np.random.default_rng(seed))
            for one, other in zip(passed(modules, n, dtype, place, training=True), expected, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_losses_give_the_same_bits_wherever_their_arrays_are(loss: Loss, weighted: bool, dtype: Any):
    softmax = isinstance(loss, CrossEntropy) and loss.link == "softmax"
    for size, seed in itertools.product(range(2, 40), range(4)):
        shape = (1, size) if softmax else (size, 1)
        expected = measured(loss, shape, dtype, weighted, kept, kept, seed)
        place = packed(np.random.default_rng(seed))
        for one, other in zip(measured(loss, shape, dtype, weighted, place, place, seed), expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_penalty_has_the_same_bits_wherever_its_arrays_are(dtype: Any):
    for size, seed in itertools.product(range(2, 40), range(4)):
        rng, found = np.random.default_rng(seed), []
        W, dW = (rng.normal(size=size).astype(dtype) for _ in range(2))
        for place in (np.copy, packed(rng)):
            theta, gradient, value = place(W), place(dW), np.array([0.0, 0.0, 7.0])
            passes.penalize(theta, gradient, value, 0.3, 0.4)
            found.append((value[1], gradient.tobytes()))
        assert found[0] == found[1]


def test_a_training_whose_loop_is_compared_takes_less_than_two():
    rng, peaks = np.random.default_rng(0), []
    X, y = rng.standard_normal((6000, 256), np.float32), np.arange(6000) % 3
    for batch_size, accelerator in ((100, "numba"), (250, "numba"), (250, "numba"), (250, None)):
        model = ModNetClassifier((128,) * 3, batch_size=batch_size, inputs=None, max_iter=4, accelerator=accelerator)
        gc.collect()
        tracemalloc.start()
        model.fit(X, y)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    _, compared, known, plain = peaks  # the first one loads the kernels
    assert known < plain
    assert compared < 2 * plain

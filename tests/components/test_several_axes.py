"""Rows of several axes: layers on features act on the last one, and sum over all others."""

import numpy as np
import pytest

from modnet import Network
from modnet.activations import Softmax
from modnet.errors import InputError, InvalidSpecError, ShapeError
from modnet.layers import (
    BatchNorm,
    Bias,
    Columns,
    Dense,
    Embedding,
    Flatten,
    GatedLinear,
    LayerNorm,
    OneHot,
    Parallel,
    PReLU,
    Reshape,
    Residual,
    RMSNorm,
    Scale,
    Sequential,
    Standardize,
)
from modnet.network import Pass
from modnet.network.trial import adapt
from modnet.testing import check_network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4, 2, 5))
CODES = RNG.integers(-1, 3, (6, 4, 2)).astype(float)

ON_FEATURES = [
    *(Dense(3), Dense(3, "softmax", use_bias=False), GatedLinear(3), Columns((3, 0)), Softmax()),
    *(BatchNorm(), LayerNorm(), RMSNorm(use_bias=True), Standardize(), Scale(), Bias(), PReLU(), PReLU(shared=True)),
    *(Residual([Dense(5, "tanh")]), Parallel([Dense(2), "relu"]), Sequential([Dense(3, "tanh"), "layer_norm"])),
]


def passed(layers, x, dy, *, training):
    """Return y, ∇J and ∂J/∂x of layers with seeded first values."""
    network = Network(layers, x.shape[1:])
    theta, state = network.initialize(np.random.default_rng(1), x.dtype)
    theta += 0.1 * np.random.default_rng(2).normal(size=theta.size)
    adapt(network, theta, state, x, np.ones(len(x)))
    gradient = np.full_like(theta, np.nan)
    running = Pass(network, theta, state, gradient=gradient, rows=len(x), training=training)
    y = running.forward(x).copy()
    running.backward(dy.reshape(y.shape))
    return y, gradient, running.input_gradient(), state


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("layer", ON_FEATURES, ids=repr)
def test_every_position_is_a_row_of_features(layer, training):
    shape = layer.output_shape((4, 2, 5))
    assert shape == (4, 2, *layer.output_shape((5,)))
    dy = RNG.normal(size=(6 * 4 * 2, shape[-1]))
    found = passed([layer], X, dy, training=training)
    for array, flat in zip(found, passed([layer], X.reshape(-1, 5), dy, training=training), strict=True):
        np.testing.assert_allclose(array, flat.reshape(array.shape), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "layer", [OneHot(categories=3), Embedding(4, categories=3), Embedding(1, categories=(3, 5))], ids=repr
)
def test_codes_are_those_of_the_last_axis(layer):
    dy = RNG.normal(size=(24, *layer.output_shape((2,))))
    found = passed([layer], CODES, dy, training=True)
    for array, flat in zip(found, passed([layer], CODES.reshape(-1, 2), dy, training=True), strict=True):
        np.testing.assert_array_equal(array, flat.reshape(array.shape))


@pytest.mark.parametrize("layer", ON_FEATURES, ids=repr)
def test_gradients_agree_with_central_differences(layer):
    check_network(layer, (2, 3, 5), rows=3)


def test_what_an_index_out_of_range_names_is_row_and_column():
    codes = np.zeros((4, 3, 2))
    codes[2, 1, 1] = 7
    network = Network([OneHot(categories=3)], (3, 2))
    with pytest.raises(InputError, match=r"row 2: column 1 holds 7"):
        network.predict(*network.initialize(RNG), codes)


def test_a_weight_of_two_is_the_row_twice_at_every_position():
    weight = np.array([1.0, 2.0, 1.0, 1.0, 2.0, 1.0])
    network = Network([Standardize()], X.shape[1:])
    states = []
    for x, w in ((X, weight), (np.repeat(X, weight.astype(int), axis=0), None)):
        theta, state = network.initialize(RNG)
        adapt(network, theta, state, x, w)
        states.append(state)
    np.testing.assert_allclose(*states, rtol=1e-12)


@pytest.mark.parametrize("layer", [Dense(3), GatedLinear(3), BatchNorm(), LayerNorm(), Scale(), Columns((0,))])
def test_rows_without_an_axis_are_refused(layer):
    with pytest.raises(ShapeError, match=r"axis of features, got rows of shape \(\)"):
        Network([layer], ())


# Other shapes


def test_flatten_and_reshape_are_numpys():
    dy = RNG.normal(size=(6, 40))
    for layer, shape in ((Flatten(), (40,)), (Reshape((5, -1)), (5, 8)), (Reshape((4, 2, 5)), (4, 2, 5))):
        y, _, dx, _ = passed([layer], X, dy, training=True)
        assert layer.output_shape(X.shape[1:]) == shape
        np.testing.assert_array_equal(y, X.reshape(6, *shape))
        np.testing.assert_array_equal(dx, dy.reshape(X.shape))


def test_no_rows_keep_their_shape():
    network = Network([Reshape((-1, 5)), Dense(3), Flatten()], (10,))
    assert network.predict(*network.initialize(RNG), np.empty((0, 10))).shape == (0, 6)


@pytest.mark.parametrize("shape", [(), (0, 3), (-1, -1), (-2,), (2.5,)])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(InvalidSpecError, match="Reshape: shape"):
        Reshape(shape)


def test_a_shape_that_does_not_hold_the_row_names_both():
    for shape in ((3, 3), (3, -1)):
        with pytest.raises(ShapeError, match=r"layers\[0\] \(Reshape\): rows of shape \(10,\) have 10 elements, which"):
            Network([Reshape(shape)], (10,))


def test_memory_of_predictions_is_bounded_by_all_elements_of_a_row():
    network = Network([Dense(2)], (1000, 4))
    assert max(rows.stop - rows.start for rows in network.blocks(10_000)) * 4000 <= 2**18

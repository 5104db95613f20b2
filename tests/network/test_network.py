"""Assembling a network: paths and titles of links, shapes that do not fit, and prediction in blocks."""

import numpy as np
import pytest

import modnet.network.network
from modnet.activations import Identity
from modnet.errors import ShapeError
from modnet.layers import Dense, Dropout, Parallel, Reshape, Residual, Sequential
from modnet.network import Network, Pass


def titles(layers, input_shape=(3,)):
    return [link.title for link in Network(layers, input_shape).walk()]


def test_paths_of_nested_composites_are_those_in_the_spec():
    inner = Residual([Dense(3, "tanh"), Dense(3)])
    assert titles([Dense(3), Parallel([Sequential([inner, "sigmoid"]), Dense(2)])]) == [
        "layers[0] (Dense)",
        "layers[1] (Parallel)",
        "layers[1].branches[0] (Sequential)",
        "layers[1].branches[0].body[0] (Residual)",
        "layers[1].branches[0].body[0].body[0] (Dense)",
        "layers[1].branches[0].body[0].body[0].activation (Tanh)",
        "layers[1].branches[0].body[0].body[1] (Dense)",
        "layers[1].branches[0].body[1] (Sigmoid)",
        "layers[1].branches[1] (Dense)",
    ]


def test_titles_show_the_users_name_for_a_layer():
    assert titles([Dense(2, name="trunk")]) == ["layers[0] (Dense 'trunk')"]


def test_paths_may_be_given():
    assert titles([("hidden", Dense(2, "relu")), ("output", Dense(1))]) == [
        "hidden (Dense)",
        "hidden.activation (ReLU)",
        "output (Dense)",
    ]


def test_dense_with_an_activation_is_two_links():
    one = Network([Dense(4, "tanh")], (3,))
    two = Network([Dense(4), Dense(4, "tanh").activation], (3,))
    theta, state = one.initialize(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(5, 3))
    assert [link.module for link in one.links] == [link.module for link in two.links]
    np.testing.assert_array_equal(one.predict(theta, state, x), two.predict(theta, state, x))


def test_only_links_with_trainable_parameters_learn():
    network = Network([Residual(["tanh"]), Dropout(), Residual([Dense(3)])], (3,))
    assert [link.trainable for link in network.links] == [False, False, True]


def test_shapes_are_known_link_by_link():
    network = Network([Parallel([Dense(4), Dense(2)]), Dense(5)], (3,))
    assert [(link.input_shape, link.output_shape) for link in network.links] == [((3,), (6,)), ((6,), (5,))]
    assert (network.input_shape, network.output_shape) == ((3,), (5,))


@pytest.mark.parametrize(
    ("layers", "input_shape", "path"),
    [
        ([Reshape((5,))], (3, 4), "layers[0] (Reshape): "),
        ([Dropout(), Residual([Reshape((5,))])], (3, 4), "layers[1].body[0] (Reshape): "),
        ([Dense(4), Residual([Dense(3)])], (3,), "layers[1] (Residual): "),
        ([Dense(4), Sequential([Residual([Dense(4), Dense(3)])])], (3,), "layers[1].body[0] (Residual): "),
        ([Parallel([Dense(4), Dense(3)], merge="add")], (3,), "layers[0] (Parallel): "),
        ([("trunk", Dense(4)), ("head", Residual([Dense(3)]))], (3,), "head (Residual): "),
    ],
)
def test_a_shape_that_does_not_fit_is_reported_with_the_path(layers, input_shape, path):
    with pytest.raises(ShapeError) as caught:
        Network(layers, input_shape)
    assert str(caught.value).startswith(path)


def test_a_shape_error_says_what_was_expected_and_what_to_do():
    with pytest.raises(ShapeError, match=r"keep the shape of its input, \(4,\), got \(3,\): end it with Dense\(4\)"):
        Network([Dense(4), Residual([Dense(3)])], (3,))


def test_a_network_needs_a_layer():
    with pytest.raises(ShapeError, match="at least one layer"):
        Network([], (3,))


# Prediction

NETWORK = Network(
    [Dense(8, "tanh"), Dropout(), Residual([Dense(16, "relu"), Dense(8)]), Parallel([Dense(3), "sigmoid"]), Dense(2)],
    input_shape=(3,),
)


@pytest.fixture
def weights():
    return NETWORK.initialize(np.random.default_rng(0))


@pytest.mark.parametrize("block", [1, 16, 16 * 7, 16 * 50, 10**9])
def test_predict_does_not_depend_on_the_size_of_its_blocks(block, weights, monkeypatch):
    x = np.random.default_rng(1).normal(size=(50, 3))
    whole = Pass(NETWORK, *weights, rows=50).forward(x)
    monkeypatch.setattr(modnet.network.network, "BLOCK", block)
    np.testing.assert_allclose(NETWORK.predict(*weights, x), whole, rtol=1e-12, atol=1e-14)


def test_blocks_bound_the_rows_of_a_pass(weights, monkeypatch):
    seen = []

    class Watched(Pass):
        def __init__(self, *args, rows, **kwargs):
            seen.append(rows)
            super().__init__(*args, rows=rows, **kwargs)

    monkeypatch.setattr(modnet.network.network, "Pass", Watched)
    monkeypatch.setattr(modnet.network.network, "BLOCK", 7 * 16)  # 16 is the widest link
    NETWORK.predict(*weights, np.zeros((50, 3)))
    assert seen == [7, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predict_keeps_the_dtype_of_theta(dtype):
    theta, state = NETWORK.initialize(np.random.default_rng(0), dtype)
    assert NETWORK.predict(theta, state, np.zeros((5, 3), dtype)).dtype == dtype


def test_predict_of_no_rows_is_no_rows(weights):
    assert NETWORK.predict(*weights, np.zeros((0, 3))).shape == (0, 2)


def test_predict_only_reads(weights):
    x = np.random.default_rng(1).normal(size=(5, 3))
    for array in (*weights, x):
        array.flags.writeable = False
    assert NETWORK.predict(*weights, x).shape == (5, 2)


def test_rows_one_at_a_time_are_predicted_with_the_weights_of_their_call(weights):
    x = np.random.default_rng(1).normal(size=(3, 3))
    theta, state = weights
    other = theta + 1
    for each in (theta, other, theta):
        alone = [NETWORK.predict(each, state, row)[0] for row in x[:, np.newaxis]]
        np.testing.assert_allclose(alone, Pass(NETWORK, each, state, rows=3).forward(x), rtol=1e-12)
    theta += 1  # in place, as an optimizer does
    np.testing.assert_array_equal(NETWORK.predict(theta, state, x), NETWORK.predict(other, state, x))


def test_two_predictions_side_by_side_keep_their_rows(weights):
    x = np.random.default_rng(1).normal(size=(2, 3))
    NETWORK.predict(*weights, x[:1])
    first, second = (NETWORK.predict_blocks(*weights, row) for row in x[:, np.newaxis])
    found = np.vstack([next(first), next(second)])
    np.testing.assert_allclose(found, NETWORK.predict(*weights, x), rtol=1e-12)


def test_predict_returns_memory_of_its_own(weights):
    network = Network([Identity()], (3,))
    x, none = np.ones((5, 3)), np.empty(0)
    assert not np.shares_memory(network.predict(none, none, x), x)

"""Layers that treat every column by itself: a dense layer per column, and codes by the size of their column."""

import numpy as np
import pandas as pd
import pytest
from modnet_tabular import PLR, ColumnDense, ColumnEmbedding, NTKDense

from modnet import ModNetClassifier, Network
from modnet.errors import InputError, InvalidSpecError, ShapeError
from modnet.layers import Dense, PReLU
from modnet.network import Pass

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

RNG = np.random.default_rng(0)
CODES = np.array([[0, 3, 10], [1, 0, 49], [1, 7, 0], [0, 7, 10]], dtype=float)


def drawn(layer, width):
    network = Network([layer], (width,))
    return network, *network.initialize(np.random.default_rng(1))


@pytest.mark.parametrize(
    "layer",
    [
        lambda activation: NTKDense(4, activation),
        lambda activation: ColumnDense(4, activation=activation),
        lambda activation: PLR(4, 3, activation=activation),
    ],
    ids=["NTKDense", "ColumnDense", "PLR"],
)
def test_its_activation_is_any_layer_that_keeps_the_shape(layer):
    network, _, _ = drawn(layer("prelu"), 3)
    assert [link.module for link in network.walk()][-1] == PReLU()
    with pytest.raises(ShapeError, match=r"activation \(Dense\): should end in rows of shape .* got \(7,\)"):
        drawn(layer(Dense(7)), 3)


def test_on_numbers_it_is_the_linear_embedding_of_each():
    network, theta, state = drawn(ColumnDense(4), 3)
    W, b = network.parameters(theta).values()
    x = RNG.normal(size=(5, 3))
    expected = x[:, :, np.newaxis] * W[:, 0] + b.reshape(3, 4)
    np.testing.assert_allclose(network.predict(theta, state, x), expected.reshape(5, 12), rtol=1e-13)
    assert abs(theta).max() <= 0.5  # ±1/√units, as in FT-Transformer


@pytest.mark.parametrize("shared", [False, True])
def test_on_groups_of_columns_it_is_a_dense_layer_of_each_group(shared):
    network, theta, state = drawn(ColumnDense(4, inputs=2, shared=shared), 6)
    W, b = network.parameters(theta).values()
    x = RNG.normal(size=(5, 6))
    parts = [x[:, 2 * j : 2 * j + 2] @ (W if shared else W[j]) + b[0, 4 * j * (not shared) :][:4] for j in range(3)]
    np.testing.assert_allclose(network.predict(theta, state, x), np.hstack(parts), rtol=1e-13)


def test_columns_that_make_no_groups_are_an_error_that_says_so():
    with pytest.raises(ShapeError, match=r"layers\[0\] \(ColumnDense\): expected columns in groups of inputs=4, got 6"):
        Network([ColumnDense(2, inputs=4)], (6,))


def test_few_categories_become_one_hot_columns_and_many_a_table():
    network, theta, state = drawn(ColumnEmbedding(3, categories=(2, 8, 50)), 3)
    assert network.output_shape == (2 + 8 + 3,)
    (table,) = (each for name, each in network.parameters(theta).items() if ".E" in name)
    expected = np.hstack(
        [np.eye(2)[CODES[:, 0].astype(int)], np.eye(8)[CODES[:, 1].astype(int)], table[CODES[:, 2].astype(int)]]
    )
    np.testing.assert_array_equal(network.predict(theta, state, CODES), expected)


def test_each_column_has_the_units_that_it_was_given():
    layer = ColumnEmbedding((5, 99, 7), categories=(20, 8, 50))
    shapes = sorted(each.shape for each in Network([layer], (3,)).parameters(drawn(layer, 3)[1]).values())
    assert shapes == [(1, 5), (1, 7), (20, 5), (50, 7)]
    assert layer.output_shape((3,)) == (5 + 8 + 7,)


def test_a_row_of_a_table_gets_the_gradients_of_the_rows_that_have_its_code():
    network, theta, state = drawn(ColumnEmbedding(2, categories=(50,)), 1)
    gradient = np.full_like(theta, np.nan)
    running = Pass(network, theta, state, gradient=gradient, rows=4)
    running.forward(CODES[:, 2:])
    dy = RNG.normal(size=(4, 2))
    running.backward(dy)
    (table,) = (each for name, each in network.parameters(gradient).items() if ".E" in name)
    np.testing.assert_allclose(table[10], dy[0] + dy[3])
    np.testing.assert_allclose(table[[49, 0]], dy[[1, 2]])
    assert np.count_nonzero(table) == 6


def test_a_code_out_of_range_is_named_with_its_row_or_counts_as_missing():
    codes = np.array([[0.0, 1.0], [1.0, 12.0]])
    network, theta, state = drawn(ColumnEmbedding(categories=(2, 12)), 2)
    with pytest.raises(InputError, match="row 1: column 1 holds 12"):
        network.predict(theta, state, codes)
    network, theta, state = drawn(ColumnEmbedding(categories=(2, 12), handle_unknown="missing"), 2)
    np.testing.assert_array_equal(network.predict(theta, state, codes)[1], [0.0, 1.0, *np.zeros(8)])


def test_wrong_numbers_of_columns_are_errors():
    with pytest.raises(ShapeError, match="expected 2 columns of codes, one per number in categories, got 3"):
        Network([ColumnEmbedding(categories=(2, 12))], (3,))
    with pytest.raises(InvalidSpecError, match="units should be one number, or 2, one per column"):
        ColumnEmbedding((1, 2, 3), categories=(2, 12))


def test_a_classifier_learns_from_codes():
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(3, size=600), rng.integers(40, size=600)], axis=1)
    likes = rng.integers(2, size=40)
    y = (likes[codes[:, 1]] + (codes[:, 0] == 1)) % 2
    net = ModNetClassifier((ColumnEmbedding(categories=(3, 40)), 16), max_iter=60, random_state=0)
    net.set_params(optimizer__learning_rate=0.01).fit(codes[:450], y[:450])
    assert net.score(codes[450:], y[450:]) > 0.95


def test_columns_of_a_frame_say_how_many_categories_there_are():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.choice(["S", "M"], 50), "town": rng.integers(20, size=50).astype(str)})
    net = ModNetClassifier((ColumnEmbedding(units=3),), max_iter=1).fit(X, X["size"] == "S")
    assert net.network_.links[0].output_shape == (2 + 3,)
    with pytest.raises(ShapeError, match="does not say how many categories"):
        ColumnEmbedding().output_shape((2,))


def test_units_per_column_have_to_be_one_per_column():
    with pytest.raises(ShapeError, match="expected 3 columns of codes, one per number in units, got 2"):
        ColumnEmbedding((1, 2, 3), categories=20).output_shape((2,))

"""Columns: which columns it takes by position, name and dtype, and where their gradient goes."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from support.single import Single

from modnet import Network
from modnet.base import Column, TableShape
from modnet.errors import InvalidSpecError, ShapeError
from modnet.layers import BatchNorm, Columns, Dense, Dropout, Parallel, Residual, Sequential
from modnet.testing import check_network

TABLE = TableShape([Column("age"), Column("town", "category"), Column("member", "bool"), Column("income")])
X = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("columns", "index"),
    [
        (Columns((2, 0)), [2, 0]),
        (Columns((-1, 1)), [3, 1]),
        (Columns(("income", "age")), [3, 0]),
        (Columns(("town", -1)), [1, 3]),
        (Columns(dtype="number"), [0, 3]),
        (Columns(dtype="category"), [1]),
        (Columns(dtype="bool"), [2]),
    ],
    ids=repr,
)
def test_columns_come_in_the_order_in_which_they_are_named(columns, index):
    single = Single(columns, TABLE)
    np.testing.assert_array_equal(single.forward(X), X[:, index])
    shape = columns.output_shape(TABLE)
    assert shape == (len(index),)
    assert shape.columns == tuple(TABLE.columns[i] for i in index)


def test_the_gradient_goes_to_the_columns_chosen_and_nowhere_else():
    single = Single(Columns((3, 1)), (4,))
    single.forward(X)
    np.testing.assert_array_equal(single.backward(np.array([[1.0, 2.0]] * 3)), [[0, 2, 0, 1]] * 3)
    check_network(Columns((3, 1)), (4,))


def test_positions_need_no_names_and_give_none():
    shape = Columns((0, 2)).output_shape((4,))
    assert shape == (2,)
    assert not isinstance(shape, TableShape)


def test_a_choice_of_columns_keeps_what_is_known_of_each():
    town = Column("town", "category", 7, missing=True)
    assert Columns(["town"]).output_shape(TableShape([Column("age"), town])).columns == (town,)


def test_float32_keeps_positions_apart():
    wide = np.arange(3000.0, dtype=np.float32)[np.newaxis]
    index = (2999, 0, 1535)
    np.testing.assert_array_equal(Single(Columns(index), (3000,), dtype=np.float32).forward(wide), [index])


def test_sparse_rows_give_dense_columns():
    network = Network([Columns((2, -4)), Dense(2)], (4,))
    theta, state = network.initialize(np.random.default_rng(0))
    dense, sparse = (network.predict(theta, state, rows) for rows in (X, csr_array(X)))
    np.testing.assert_allclose(sparse, dense, rtol=1e-13)


@pytest.mark.parametrize("layer", [BatchNorm(), Dropout(), Residual([Dense(4)]), Sequential([Dropout()])], ids=repr)
def test_layers_that_keep_the_shape_of_rows_keep_the_names_of_columns(layer):
    assert Columns(dtype="bool").output_shape(layer.output_shape(TABLE)) == (1,)


def test_names_reach_the_branches_of_composites():
    branches = Parallel([Columns(("town",)), Sequential([Columns(dtype="number"), Dense(5), Dense(2)])])
    network = Network([Dropout(), branches], TABLE)
    theta, state = network.initialize(np.random.default_rng(0))
    y = network.predict(theta, state, X)
    np.testing.assert_array_equal(y[:, 0], X[:, 1])
    check_network([branches, Dense(1)], TABLE)


def test_names_are_gone_behind_a_layer_that_makes_columns_of_its_own():
    with pytest.raises(
        ShapeError, match=r"layers\[1\] \(Columns\): column 'age' was asked for, but the columns have no names here"
    ):
        Network([Dense(4), Columns(("age",))], TABLE)
    with pytest.raises(ShapeError, match=r"dtype 'number' was asked for.*data frame"):
        Columns(dtype="number").output_shape((4,))


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ShapeError, match=r"no column 'incme'; did you mean 'income'\? there are age, town"):
        Columns(("incme",)).output_shape(TABLE)
    with pytest.raises(ShapeError, match=r"no column of dtype 'bool'; there are age \(number\)"):
        Columns(dtype="bool").output_shape(TableShape([Column("age")]))


@pytest.mark.parametrize("index", [4, -5])
def test_a_position_that_is_not_there_is_named(index):
    with pytest.raises(ShapeError, match=f"no column {index}: the input has 4, which are 0 to 3 or -4 to -1"):
        Columns((0, index)).output_shape(TABLE)


@pytest.mark.parametrize("columns", [(0, -4), ("age", 0), (3, "income")])
def test_one_column_under_two_names_is_refused(columns):
    with pytest.raises(ShapeError, match=f"columns should differ, but {columns[0]!r} and {columns[1]!r} are the same"):
        Columns(columns).output_shape(TABLE)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"columns": ("age",), "dtype": "number"},
        {"columns": ()},
        {"columns": (1, 1)},
        {"columns": (True,)},
        {"columns": (1.5,)},
        {"columns": "age"},
        {"dtype": "text"},
    ],
    ids=repr,
)
def test_what_is_no_choice_of_columns_is_refused(bad):
    with pytest.raises(InvalidSpecError, match="Columns: "):
        Columns(**bad)


def test_the_choice_is_state_and_not_trained():
    network = Network([Columns((2, 0))], (4,))
    assert network.layout.size == 0
    np.testing.assert_array_equal(network.initialize(np.random.default_rng(0))[1], [2, 0])

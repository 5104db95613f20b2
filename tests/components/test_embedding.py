"""Embedding: rows of tables for codes, what it makes of codes that are none, and what its tables learn."""

import numpy as np
import pytest
from support.single import Single

from modnet import Network
from modnet.base import Column, TableShape
from modnet.errors import InputError, InvalidSpecError, ShapeError
from modnet.layers import Dense, Embedding, OneHot
from modnet.network import Pass
from modnet.testing import check_gradient

CODES = np.array([[0.0, 4.0], [2.0, 1.0], [0.0, 0.0]])


def test_every_column_has_a_table_of_its_own():
    E, U = np.arange(16.0).reshape(8, 2), -np.ones((2, 2))
    y = Single(Embedding(2, categories=(3, 5)), (2,), E=E, U=U).forward(CODES)
    np.testing.assert_array_equal(y, [[*E[0], *E[3 + 4]], [*E[2], *E[3 + 1]], [*E[0], *E[3]]])


def test_it_is_a_dense_layer_on_one_hot_columns():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (20, 1)).astype(float)
    embedding = Single(Embedding(3, categories=4), (1,))
    dense = Network([OneHot(categories=4), Dense(3, use_bias=False)], (1,))
    gradient, dy = np.empty(dense.layout.size), rng.normal(size=(20, 3))
    running = Pass(dense, embedding.p.E.ravel(), np.empty(0), gradient=gradient, rows=20)
    np.testing.assert_allclose(embedding.forward(x), running.forward(x), rtol=1e-14)
    embedding.backward(dy)
    running.backward(dy)
    np.testing.assert_allclose(embedding.g.E.ravel(), gradient, rtol=1e-12)


@pytest.mark.parametrize("missing", [np.nan, -1.0])
def test_a_missing_code_has_a_row_of_its_own_which_starts_at_zero(missing):
    single = Single(Embedding(2, categories=(3, 5)), (2,))
    x = CODES.copy()
    x[1, 1] = missing
    y = single.forward(x).copy()
    np.testing.assert_array_equal(y[1, 2:], 0)
    single.p.U[...] = [[1.0, 2.0], [3.0, 4.0]]
    again = single.forward(x)
    np.testing.assert_array_equal(again[1, 2:], [3, 4])
    np.testing.assert_array_equal(np.delete(again, 1, axis=0), np.delete(y, 1, axis=0))


def test_the_gradient_of_a_row_is_the_sum_over_all_that_have_its_code():
    single = Single(Embedding(1, categories=(3, 5)), (2,))
    single.forward([[0, 1], [0, np.nan], [2, 1], [0, -1]])
    single.backward(np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]]))
    np.testing.assert_array_equal(single.g.E[:, 0], [1 + 2 + 8, 0, 4, 0, 10 + 40, 0, 0, 0])
    np.testing.assert_array_equal(single.g.U[:, 0], [0, 20 + 80])


@pytest.mark.parametrize("layer", Embedding.examples(), ids=repr)
def test_gradients_agree_with_central_differences(layer):
    rng = np.random.default_rng(0)
    x = layer.example_rows(rng, 12)
    single = Single(layer, (5,))
    dy = rng.normal(size=single.forward(x).shape)
    dx = single.backward(dy)
    for name in ("E", "U"):

        def J(value, name=name):
            moved = Single(layer, (5,), **{**vars(single.p), name: value})
            return float(np.sum(dy * moved.forward(x)))

        check_gradient(J, getattr(single.p, name), getattr(single.g, name), subject=name)
    assert not dx.any()


@pytest.mark.parametrize("code", [5.0, -2.0, 1.5, np.inf, -np.inf])
def test_what_is_no_code_is_an_error_with_its_row_and_column(code):
    x = np.vstack([CODES, [[0.0, code]], [[7.0, 7.0]]])
    with pytest.raises(InputError, match=rf"row 3: column 1 holds {code:g}, which is no code: .* 5 .* 0 to 4,"):
        Single(Embedding(2, categories=(3, 5)), (2,)).forward(x)


def test_the_error_names_the_layer_and_the_row_of_all_rows():
    network = Network([Embedding(300, categories=3)], (1,))
    theta, state = network.initialize(np.random.default_rng(0))
    x = np.zeros((5000, 1))  # several blocks
    x[4321] = 3
    with pytest.raises(InputError, match=r"layers\[0\] \(Embedding\): row 4321: column 0 holds 3"):
        network.predict(theta, state, x)


@pytest.mark.parametrize("code", [5.0, -2.0, 1.5, np.inf, -np.inf])
def test_what_is_no_code_counts_as_missing_if_that_is_asked_for(code):
    single = Single(Embedding(2, categories=(3, 5), handle_unknown="missing"), (2,), U=[[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(single.forward([[0.0, code]])[0, 2:], [3, 4])


def test_rows_that_no_code_reaches_have_no_gradient():
    single = Single(Embedding(4, categories=100), (2,))
    single.forward(CODES)
    single.backward(np.ones((3, 8)))
    assert set(np.flatnonzero(single.g.E.any(axis=1))) == {0, 2, 100, 101, 104}
    assert not single.g.U.any()


def test_one_number_of_categories_serves_all_columns():
    assert Embedding(2, categories=4).parameters((3,))["E"].shape == (12, 2)
    assert Embedding(2, categories=4).output_shape((3,)) == (6,)


def test_tables_are_decayed_like_the_dense_weights_they_stand_for():
    assert all(each.regularized for each in Embedding(2, categories=4).parameters((3,)).values())


def test_float32_codes_stay_exact_far_down_a_long_table():
    single = Single(Embedding(1, categories=70_000), (2,), dtype=np.float32)
    single.p.E[:, 0] = np.arange(140_000)
    np.testing.assert_array_equal(single.forward([[69_999, 69_998]]), [[69_999, 139_998]])


def test_columns_and_categories_have_to_agree():
    with pytest.raises(ShapeError, match="expected 2 columns of codes, one per number in categories, got 3"):
        Embedding(2, categories=(3, 5)).output_shape((3,))


@pytest.mark.parametrize("bad", [{"categories": 0}, {"categories": ()}, {"categories": (3, 0)}, {"units": 0}])
def test_hyper_parameters_out_of_range_are_refused(bad):
    with pytest.raises(InvalidSpecError, match=next(iter(bad))):
        Embedding(**{"categories": 3, "units": 2, **bad})


# Columns that know their categories


TOWNS = TableShape([Column("town", "category", 3), Column("month", "category", 5)])


def test_columns_say_how_many_categories_there_are():
    told = Single(Embedding(2, categories=(3, 5)), (2,))
    single = Single(Embedding(2), TOWNS, E=told.p.E)
    np.testing.assert_array_equal(single.forward(CODES), told.forward(CODES))
    assert single.p.E.shape == (8, 2)


@pytest.mark.parametrize(
    ("shape", "who"),
    [
        ((2,), "the input does not say"),
        (TableShape([Column("town", "category", 3), Column("age")]), "column 'age', which holds numbers, does not say"),
        (TableShape([Column("owner", "bool")]), "column 'owner', which holds truth values, does not say"),
        (TableShape([Column("since", "other")]), "column 'since', which holds neither numbers nor text, does not say"),
    ],
)
def test_without_counts_columns_that_do_not_say_them_are_refused_with_the_remedy(shape, who):
    with pytest.raises(ShapeError, match=rf"{who} how many categories there are; say it, as in categories=3"):
        Embedding(2).output_shape(shape)


def test_what_is_no_code_is_an_error_with_the_name_of_its_column():
    with pytest.raises(InputError, match=r"row 0: column 'month' holds 7, which is no code"):
        Single(Embedding(2), TOWNS).forward([[0.0, 7.0]])


def test_categories_go_by_name_as_other_libraries_put_them_in_front_of_the_units():
    with pytest.raises(InvalidSpecError, match="at most units by position"):
        Embedding(4, 2)

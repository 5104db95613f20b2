"""OneHot: a column of its own for every category."""

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder
from support.single import Single

from modnet.base import Column, TableShape
from modnet.errors import InputError, ShapeError
from modnet.layers import OneHot


def test_it_is_what_scikit_learn_calls_one_hot():
    counts = (3, 5, 1)
    x = np.random.default_rng(0).integers(0, counts, (50, 3)).astype(float)
    encoder = OneHotEncoder(categories=[list(range(count)) for count in counts], sparse_output=False)
    np.testing.assert_array_equal(Single(OneHot(categories=counts), (3,)).forward(x), encoder.fit_transform(x))


@pytest.mark.parametrize("missing", [np.nan, -1.0])
def test_a_missing_code_is_zero_in_all_columns(missing):
    y = Single(OneHot(categories=(2, 3)), (2,)).forward([[missing, 1.0], [1.0, missing]])
    np.testing.assert_array_equal(y, [[0, 0, 0, 1, 0], [0, 1, 0, 0, 0]])


@pytest.mark.parametrize("code", [3.0, -2.0, 0.5, np.inf])
def test_what_is_no_code_is_an_error_or_counts_as_missing(code):
    with pytest.raises(InputError, match=rf"row 1: column 0 holds {code:g}"):
        Single(OneHot(categories=3), (1,)).forward([[0.0], [code]])
    assert not Single(OneHot(categories=3, handle_unknown="missing"), (1,)).forward([[code]]).any()


def test_there_is_no_gradient_along_codes():
    single = Single(OneHot(categories=3), (2,), dtype=np.float32)
    assert single.forward([[0.0, 2.0]]).dtype == np.float32
    np.testing.assert_array_equal(single.backward(np.ones((1, 6), np.float32)), [[0, 0]])


def test_columns_and_categories_have_to_agree():
    with pytest.raises(ShapeError, match="expected 2 columns of codes"):
        OneHot(categories=(3, 5)).output_shape((3,))


def test_columns_say_how_many_categories_there_are():
    table = TableShape([Column("town", "category", 2), Column("month", "category", 3)])
    np.testing.assert_array_equal(Single(OneHot(), table).forward([[1.0, 0.0]]), [[0, 1, 1, 0, 0]])
    with pytest.raises(InputError, match="row 0: column 'month' holds 3"):
        Single(OneHot(), table).forward([[0.0, 3.0]])
    with pytest.raises(ShapeError, match="the input does not say how many categories there are"):
        OneHot().output_shape((2,))

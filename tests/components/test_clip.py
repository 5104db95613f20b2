"""Clip: bounds, and a derivative of one between them and zero beyond."""

import numpy as np
import pytest
from support.single import Single

from modnet.errors import InvalidSpecError
from modnet.layers import Clip
from modnet.testing import check_network

X = np.array([[-2.0, -1.0, 0.0, 0.5, 3.0]])


@pytest.mark.parametrize(
    ("clip", "y", "slope"),
    [
        (Clip(-1, 0.5), [-1, -1, 0, 0.5, 0.5], [0, 1, 1, 1, 0]),
        (Clip(low=0), [0, 0, 0, 0.5, 3], [0, 0, 1, 1, 1]),
        (Clip(high=0), [-2, -1, 0, 0, 0], [1, 1, 1, 0, 0]),
    ],
    ids=repr,
)
def test_values_are_held_between_the_bounds_which_still_let_gradients_through(clip, y, slope):
    single = Single(clip, (5,))
    np.testing.assert_array_equal(single.forward(X), [y])
    np.testing.assert_array_equal(single.backward(np.full(X.shape, 2.0)), [[2.0 * each for each in slope]])


def test_bounds_that_float32_has_to_round_let_values_between_them_through():
    single = Single(Clip(-0.1, 0.1), (2,), dtype=np.float32)
    single.forward([[0.1, 0.05]])
    np.testing.assert_array_equal(single.backward(np.ones((1, 2), np.float32)), [[1, 1]])


@pytest.mark.parametrize("layer", Clip.examples(), ids=repr)
def test_gradients_agree_with_central_differences(layer):
    check_network(layer, (5,))


@pytest.mark.parametrize("bad", [{}, {"low": 1, "high": 0}, {"low": float("nan")}, {"high": float("inf")}])
def test_bounds_that_are_none_are_refused(bad):
    with pytest.raises(InvalidSpecError, match=r"low|high"):
        Clip(**bad)

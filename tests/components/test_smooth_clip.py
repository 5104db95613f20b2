"""SmoothClip: the identity near zero, its limit far away, monotonic in between."""

import numpy as np
import pytest
from support.single import Single

from modnet.errors import InvalidSpecError
from modnet.layers import SmoothClip
from modnet.testing import check_network


def test_it_is_the_formula_and_rises_within_its_limits():
    x = np.linspace(-50, 50, 1001)
    y = Single(SmoothClip(2.0), (1001,)).forward([x])[0]
    np.testing.assert_allclose(y, x / np.sqrt(1 + (x / 2) ** 2), rtol=1e-13)
    assert (np.diff(y) > 0).all()
    assert (np.abs(y) < 2).all()


def test_small_values_are_let_through_and_large_ones_become_the_limit():
    y = Single(SmoothClip(), (3,)).forward([[1e-4, 1e4, -1e4]])
    np.testing.assert_allclose(y, [[1e-4, 3, -3]], rtol=1e-7)


def test_it_is_odd():
    x = np.random.default_rng(0).normal(0, 5, (4, 3))
    single = Single(SmoothClip(), (3,))
    np.testing.assert_array_equal(single.forward(-x), -single.forward(x).copy())


@pytest.mark.parametrize("limit", [0.5, 3.0])
def test_gradients_agree_with_central_differences(limit):
    check_network(SmoothClip(limit), (5,), x=np.random.default_rng(0).normal(0, 3, (4, 5)))


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf")])
def test_limits_are_positive_numbers(bad):
    with pytest.raises(InvalidSpecError, match="limit"):
        SmoothClip(bad)

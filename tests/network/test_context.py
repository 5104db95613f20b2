"""What a context lends to a link: scratch memory that lasts from forward to backward, and what `reads` asks for."""

from types import SimpleNamespace

import numpy as np
import pytest

from modnet import Context
from modnet.errors import ContractError


@pytest.fixture
def ctx():
    none = SimpleNamespace()
    return Context(p=none, g=none, s=none, rng=np.random.default_rng(0))


def test_scratch_memory_keeps_what_was_written(ctx):
    ctx.scratch("mask", (2, 3), np.float32)[...] = 7
    np.testing.assert_array_equal(ctx.scratch("mask", (2, 3), np.float32), np.full((2, 3), 7, np.float32))


def test_scratch_memory_has_the_shape_and_dtype_of_the_last_request(ctx):
    for shape, dtype in (((2, 3), np.float32), ((4, 3), np.float32), ((4, 3), np.float64), ((4, 3), np.intp)):
        array = ctx.scratch("mask", shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)


def test_scratch_memory_is_one_array_per_name_and_context(ctx):
    other = Context(p=ctx.p, g=ctx.g, s=ctx.s, rng=ctx.rng)
    arrays = [ctx.scratch("a", (3,), float), ctx.scratch("b", (3,), float), other.scratch("a", (3,), float)]
    for number, array in enumerate(arrays):
        array[...] = number
    assert [array[0] for array in arrays] == [0, 1, 2]


@pytest.mark.parametrize("name", ["x", "y"])
def test_what_was_not_kept_is_explained(ctx, name):
    with pytest.raises(ContractError, match=rf"ctx\.{name} was not kept: put '{name}' into the class's reads"):
        getattr(ctx, name)


def test_what_was_kept_is_there(ctx):
    ctx.x = np.ones(3)
    np.testing.assert_array_equal(ctx.x, np.ones(3))


def test_a_context_takes_and_has_nothing_else(ctx):
    with pytest.raises(AttributeError, match="no attribute 'z'"):
        _ = ctx.z
    with pytest.raises(AttributeError):
        ctx.z = np.ones(3)

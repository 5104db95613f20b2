"""Formulas as people write them, and what becomes of them: kernels in the precision of the data."""

import math
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from math import exp

from modnet_numba.compiling import formula
from modnet_numba.formulas import formulas_of
from modnet_numba.fusing import fused, is_vectorizable, reads

from modnet import Array

SLOPE = 0.25


def f(z: Any) -> Any:
    """Stand in the loop for a formula."""


def loop(z: Array, a: Array) -> None:
    """Write a = f(z)."""
    for i in range(z.size):
        a[i] = f(z[i])


def applied(function: Any, z: Array) -> Array:
    """Return the formula of every element."""
    a = np.empty_like(z)
    fused(loop, f=function)(z, a)
    return a


def helper(z: float) -> float:
    """Return a formula that other formulas use."""
    return SLOPE * z


@pytest.mark.parametrize(
    "function",
    [
        lambda z: max(z, 0),
        lambda z: z if z > 0 else SLOPE * z,
        lambda z: helper(z) + math.pi,
        lambda z: exp(-z) * math.sqrt(2),
        lambda z, slope=0.5: slope * z,
        lambda z: z**3 - 2 * z**2,
        lambda z: math.copysign(math.log1p(abs(z)), z),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_formula_gives_what_python_gives(function: Any, dtype: Any):
    z = np.linspace(-3, 3, 41).astype(dtype)
    expected = [function(each) for each in z.tolist()]
    np.testing.assert_allclose(applied(function, z), expected, rtol=1e-6 if dtype == np.float32 else 1e-14, atol=1e-6)


def test_numbers_in_a_closure_are_part_of_the_formula():
    def scaled(factor: float) -> Any:
        return lambda z: factor * z

    z = np.ones(3)
    assert [applied(scaled(factor), z)[0] for factor in (2.0, 3.0, 2.0)] == [2.0, 3.0, 2.0]


def test_formulas_that_differ_have_kernels_of_different_names():
    def scaled(factor: float) -> Any:
        return lambda z: factor * z

    functions = [scaled(2.0), scaled(3.0), lambda z: 2.0 * z, lambda z: 2.5 * z, lambda z: helper(z), helper]
    names = [fused(loop, f=function).compiled.py_func.__qualname__ for function in functions]
    assert len(set(names)) == len(names)
    assert fused(loop, f=scaled(2.0)).compiled.py_func.__qualname__ == names[0]


def test_constants_take_the_precision_of_the_argument():
    compiled = formula(lambda a: 1 - 2 * a)
    for dtype in (numba.float32, numba.float64):
        compiled.compile((dtype,))
        assert compiled.overloads[(dtype,)].signature.return_type == dtype


@pytest.mark.parametrize("thing", [np.ones(2), "word", [1.0], object()])
def test_what_a_formula_may_not_use_is_named(thing: Any):
    with pytest.raises(TypeError, match=r"uses thing = .*; it may use numbers, math"):
        fused(loop, f=lambda z: thing * z)


def test_a_formula_is_a_function_written_in_python():
    with pytest.raises(TypeError, match="written in Python"):
        fused(loop, f=math.tanh)


def test_a_formula_with_a_function_that_is_computed_one_by_one_is_slow():
    def swinging(z: float) -> float:
        return math.sin(z)

    assert is_vectorizable(lambda z: math.tanh(z) + exp(z) * math.sqrt(z) * math.pi)
    assert not is_vectorizable(lambda z: math.sin(z))
    assert not is_vectorizable(lambda z: 2 * swinging(z))


def test_which_arguments_a_formula_looks_at_is_seen():
    assert reads(lambda z, a: z * a, 0)
    assert reads(lambda z, a: z * a, 1)
    assert not reads(lambda z, a: 1 - a * a, 0)
    assert not reads(lambda z, a: 1 if z > 0 else 0, 1)


def test_what_is_no_activation_has_no_formulas():
    from modnet.layers import Dense, PReLU

    assert formulas_of(Dense(3)) is None
    assert formulas_of(PReLU()) is None

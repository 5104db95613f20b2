"""The elementary functions that kernels are made of: a few units in the last place, and the right limits."""

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from modnet_numba import elementary
from scipy import special

from modnet import Array

NAMES = ["exp", "expm1", "tanh", "log", "log1p", "erfc"]
DTYPES = [np.float32, np.float64]
LIMITS = [np.nan, np.inf, -np.inf, 0.0, 1e4, -1e4, 1.0, -1.0, 1e-30, 1e30, 88.7, -87.4, -103.9, 709.7, -745.0]


@cache
def loop_of(name: str) -> Any:
    """Return a loop that computes the function of every element of x, and writes it into y."""
    function = getattr(elementary, name)

    @numba.njit(error_model="numpy")
    def loop(x: Array, y: Array) -> None:
        for i in range(x.size):
            y[i] = function(x[i])

    return loop


def computed(name: str, x: Array) -> Array:
    """Return the function of every element."""
    y = np.empty_like(x)
    loop_of(name)(x, y)
    return y


def exact(name: str, x: Array) -> Array:
    """Return what it should be, in float64."""
    with np.errstate(all="ignore"):
        return (special.erfc if name == "erfc" else getattr(np, name))(x.astype(float))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_values_are_right_to_a_few_units_in_the_last_place(name: str, dtype: Any):
    rng = np.random.default_rng(0)
    x = np.concatenate([scale * rng.normal(size=5000) for scale in (1e-8, 1e-3, 0.1, 1, 3, 20)]).astype(dtype)
    x = np.clip(np.abs(x) if name.startswith("log") else x, -80, 80)
    x = np.clip(x, -6, 4) if name == "erfc" else x
    units = 24 if name == "erfc" else 2  # x² is 16 at 4, and e^(−x²) has 16 times its error
    np.testing.assert_allclose(computed(name, x), exact(name, x), rtol=units * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_limits_are_right(name: str, dtype: Any):
    x = np.array(LIMITS, dtype)
    with np.errstate(over="ignore"):
        expected = exact(name, x).astype(dtype)
    np.testing.assert_allclose(computed(name, x), expected, rtol=1e-5 if dtype == np.float32 else 1e-13, atol=1e-40)


def test_the_exponential_goes_down_through_the_subnormal_numbers():
    x = np.linspace(-744, -709, 200)
    np.testing.assert_allclose(computed("exp", x), np.exp(x), rtol=1e-13, atol=5e-324)


def test_small_arguments_keep_all_their_digits():
    x = np.array([1e-300, 1e-17, -1e-17, 1e-9, -1e-9])
    for name in ("expm1", "tanh", "log1p"):
        np.testing.assert_allclose(computed(name, x), exact(name, x), rtol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_a_loop_becomes_vector_instructions(name: str):
    loop = loop_of(name)
    loop(np.ones(8, np.float32), np.ones(8, np.float32))
    code = next(code for types, code in loop.inspect_llvm().items() if "float32" in str(types))
    assert re.search(r"fmul [^\n]*<\d+ x float>", code)

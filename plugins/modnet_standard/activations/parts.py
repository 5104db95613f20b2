"""Parts that several activations are made of: z σ(kz) with its slope, and the slope of exponential units."""

import math

import numpy as np

from modnet import Array
from modnet_standard.constants import zeros

DEEP = 750.0
"""e^−750 is 0 in every float: z is cut there where it meets such a factor, for −∞ times 0 would be NaN."""


def swish(z: Array, k: float, *, out: Array | None) -> Array:
    """Return z σ(kz)."""
    x: Array = z.clip(-DEEP, math.inf)
    a = np.multiply(x, 0.5 * k, out=out)  # σ(kz) = (1 + tanh(kz/2)) / 2
    np.tanh(a, out=a)
    np.add(a, 1, out=a)
    np.multiply(a, 0.5, out=a)
    return np.multiply(a, x, out=a)


def swish_slope(z: Array, k: float, *, out: Array | None) -> Array:
    """Return σ (1 + kz (1 − σ)) with σ = σ(kz)."""
    x: Array = z.clip(-DEEP, DEEP)
    np.multiply(x, k, out=x)
    slope = np.multiply(x, 0.5, out=out)
    np.tanh(slope, out=slope)
    np.add(slope, 1, out=slope)
    np.multiply(slope, 0.5, out=slope)
    rest = np.subtract(1, slope)
    np.multiply(rest, x, out=rest)
    np.add(rest, 1, out=rest)
    return np.multiply(slope, rest, out=slope)


def exponential_slope(a: Array, *, above: float, below: float, out: Array | None) -> Array:
    """Return `above` where a > 0, else a + `below`."""
    slope = step(a, out=out)
    np.multiply(slope, above - below, out=slope)
    np.add(slope, below, out=slope)
    return np.add(slope, np.minimum(a, zeros(a.shape, a.dtype)), out=slope)


def step(a: Array, *, out: Array | None) -> Array:
    """Return 1 where a > 0, else 0, as floats."""
    slope = np.empty_like(a) if out is None else out
    np.greater(a, zeros(a.shape, a.dtype), out=slope)
    return slope

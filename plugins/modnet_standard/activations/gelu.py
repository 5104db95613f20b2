"""GELU: the input, weighted with the probability that a normal variable is below it."""

import math
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import ndtr

from modnet import Activation, Array
from modnet_standard.activations.parts import DEEP, swish, swish_slope


class GELU(Activation):
    """The Gaussian error linear unit: a = z Φ(z), dz = (Φ(z) + z φ(z)) da, Φ and φ of the normal distribution.

    Parameters
    ----------
    approximate : {"none", "tanh", "sigmoid"}
        "none": Φ itself, which takes 5 to 8 times as long as the others. "tanh": Φ(z) ≈ (1 + tanh u) / 2 with
        u = √(2/π) (z + 0.044715 z³), by which a is off by less than 0.0005. "sigmoid": Φ(z) ≈ σ(1.702 z), by which it
        is off by less than 0.021; also called quick GELU.

    References
    ----------
    Hendrycks & Gimpel (2016), Gaussian error linear units (GELUs), arXiv:1606.08415, sec. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import GELU
    >>> z = np.array([-1.0, 0.0, 1.0])
    >>> for approximate in ("none", "tanh", "sigmoid"):
    ...     GELU(approximate).f(z).round(4)
    array([-0.1587,  0.    ,  0.8413])
    array([-0.1588,  0.    ,  0.8412])
    array([-0.1542,  0.    ,  0.8458])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    approximate: Literal["none", "tanh", "sigmoid"] = "none"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it as it is and with both approximations."""
        return (cls(), cls("tanh"), cls("sigmoid"))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z Φ(z)."""
        if self.approximate == "sigmoid":
            return swish(z, K, out=out)
        x: Array = z.clip(-DEEP, math.inf)
        a = ndtr(x, out=out) if self.approximate == "none" else _half_tanh(x, out=out)
        return np.multiply(a, x, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (Φ(z) + z Φ'(z)) da."""
        assert z is not None
        if self.approximate == "sigmoid":
            slope = swish_slope(z, K, out=out)
        else:
            x: Array = z.clip(-DEEP, DEEP)
            slope = _exact_slope(x, out=out) if self.approximate == "none" else _tanh_slope(x, out=out)
        return np.multiply(slope, da, out=slope)


K = 1.702
C = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def _exact_slope(z: Array, *, out: Array | None) -> Array:
    """Return Φ(z) + z φ(z), φ(z) = e^(−z²/2) / √(2π)."""
    density = np.multiply(z, z)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(density, z, out=density)
    np.multiply(density, 1 / math.sqrt(2 * math.pi), out=density)
    slope: Array = ndtr(z, out=out)
    return np.add(slope, density, out=slope)


def _half_tanh(z: Array, *, out: Array | None) -> Array:
    """Return (1 + tanh u) / 2, u = c z (1 + 0.044715 z²), c = √(2/π)."""
    p = np.multiply(z, z, out=out)
    np.multiply(p, C * CUBIC, out=p)
    np.add(p, C, out=p)
    np.multiply(p, z, out=p)
    np.tanh(p, out=p)
    np.add(p, 1, out=p)
    return np.multiply(p, 0.5, out=p)


def _tanh_slope(z: Array, *, out: Array | None) -> Array:
    """Return p + 2 z p (1 − p) u', p = (1 + tanh u) / 2, u' = c (1 + 3 · 0.044715 z²)."""
    p = _half_tanh(z, out=None)
    du = np.multiply(z, z, out=out)
    np.multiply(du, 6 * C * CUBIC, out=du)
    np.add(du, 2 * C, out=du)
    np.multiply(du, z, out=du)
    np.multiply(du, np.subtract(1, p), out=du)
    np.add(du, 1, out=du)
    return np.multiply(du, p, out=du)

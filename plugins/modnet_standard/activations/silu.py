"""Units that weigh their input with a gate between 0 and 1: SiLU (also called swish), GELU, Mish and hard swish.

Far below zero the gate is 0, and the input is cut off there: −∞ times 0 is NaN.
"""

import math
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import ndtr

from modnet import Activation, Array, Formulas, Graph, Value

__all__ = ["GELU", "HardSwish", "Mish", "SiLU"]

DEEP = 750.0
"""e^−750 is 0 in every float: z is cut off there before it is multiplied by such a factor, for −∞ times 0 is NaN."""


class SelfGated(Activation):
    """The input times a gate between 0 and 1 that depends on the input itself."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"


class SiLU(SelfGated):
    """The sigmoid linear unit, also called swish: a = z σ(z), dz = σ(z) (1 + z (1 − σ(z))) da.

    References
    ----------
    Elfwing, Uchibe & Doya (2018), Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning, Neural Networks 107.

    Ramachandran, Zoph & Le (2017), Searching for activation functions, arXiv:1710.05941: swish.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SiLU
    >>> SiLU().f(np.array([-1.0, 0.0, 1000.0])).round(4)
    array([-2.689e-01,  0.000e+00,  1.000e+03])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z σ(z)."""
        return swish(z, 1.0, out=out)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z * graph.op("Sigmoid", z)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return σ(z) (1 + z (1 − σ(z))) da."""
        assert z is not None
        slope = swish_slope(z, 1.0, out=out)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return swish_formulas(1)


class GELU(SelfGated):
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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        if self.approximate == "sigmoid":
            return z * graph.op("Sigmoid", K * z)
        if self.approximate == "tanh":
            return 0.5 * z * (1 + (C * z * (1 + CUBIC * z * z)).tanh())
        erf = graph.op("Erf", (ROOT * z).astype(np.float32))  # onnxruntime has no other
        return 0.5 * z * (1 + erf.astype(z.dtype))

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (Φ(z) + z Φ'(z)) da."""
        assert z is not None
        if self.approximate == "sigmoid":
            slope = swish_slope(z, K, out=out)
        else:
            x: Array = z.clip(-DEEP, DEEP)
            slope = _exact_slope(x, out=out) if self.approximate == "none" else _tanh_slope(x, out=out)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        if self.approximate == "sigmoid":
            return swish_formulas(K)
        gate, slope = (_half, _half_slope) if self.approximate == "tanh" else (_normal, _normal_slope)
        return lambda z: gate(max(z, -DEEP)) * max(z, -DEEP), lambda z, a: slope(min(max(z, -DEEP), DEEP))


K = 1.702


C = math.sqrt(2 / math.pi)


CUBIC = 0.044715


ROOT = math.sqrt(0.5)


DENSITY = 1 / math.sqrt(2 * math.pi)


def _exact_slope(z: Array, *, out: Array | None) -> Array:
    """Return Φ(z) + z φ(z), φ(z) = e^(−z²/2) / √(2π)."""
    density = np.multiply(z, z)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(density, z, out=density)
    np.multiply(density, DENSITY, out=density)
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


class Mish(SelfGated):
    """Mish: a = z T, T = tanh(log(1 + e^z)), dz = (T + z (1 − T²) σ(z)) da.

    With n = e^z (e^z + 2), T = n / (n + 2): one exponential, no logarithm and no cancellation.

    References
    ----------
    Misra (2020), Mish: a self regularized non-monotonic activation function, BMVC.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Mish
    >>> Mish().f(np.array([-1.0, 0.0, 1000.0])).round(4)
    array([-3.034e-01,  0.000e+00,  1.000e+03])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z n / (n + 2), n = e^z (e^z + 2)."""
        e: Array = z.clip(-DEEP, ONE_FROM)
        np.exp(e, out=e)
        n = np.add(e, 2, out=out)
        np.multiply(n, e, out=n)
        np.divide(n, np.add(n, 2, out=e), out=n)
        return np.multiply(n, z.clip(-DEEP, math.inf, out=e), out=n)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        e = z.clip(high=20.0).exp()  # beyond, n / (n + 2) is 1
        n = e * (e + 2)
        return z * n / (n + 2)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return r (n + 2 r z n') da, r = 1 / (n + 2), n' = 2 e^z (e^z + 1) = 2 (n − e^z)."""
        assert z is not None
        x: Array = z.clip(-DEEP, ONE_FROM)
        e = np.exp(x)
        n = np.add(e, 2, out=out)
        np.multiply(n, e, out=n)
        change = np.subtract(n, e, out=e)
        np.multiply(change, x, out=change)
        r = np.add(n, 2, out=x)
        np.divide(1, r, out=r)
        np.multiply(change, r, out=change)
        np.multiply(change, 4, out=change)
        slope = np.add(n, change, out=n)
        np.multiply(slope, r, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return _mish, _mish_slope


ONE_FROM = 20.0
"""From here on T is 1 to the last digit, and nothing has overflowed yet."""


class HardSwish(SelfGated):
    """The hard swish or hard SiLU: a = z h(z), h(z) = min(max(z/6 + 1/2, 0), 1); dz = (z/3 + 1/2) da where |z| < 3.

    Elsewhere dz = da above and 0 below; the kinks at z = ±3 have these slopes of the outer pieces.

    References
    ----------
    Howard et al. (2019), Searching for MobileNetV3, ICCV, sec. 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardSwish
    >>> HardSwish().f(np.array([-1.5, 1.5, 4.0]))
    array([-0.375,  1.125,  4.   ])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, −3) min(max(z + 3, 0), 6) / 6."""
        a = np.add(z, 3, out=out)
        a.clip(0.0, 6.0, out=a)
        np.multiply(a, z.clip(-3.0, math.inf), out=a)  # not z: −∞ times 0 would be NaN
        return np.divide(a, 6, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z * (z + 3).clip(0.0, 6.0) / 6

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (h + z h') da, h' = 1/6 where |z| < 3, else 0."""
        assert z is not None
        x: Array = z.clip(-3.0, 3.0)
        np.divide(x, 6, out=x)
        slope = np.multiply(x, np.abs(z) < 3, out=out)
        np.add(slope, x, out=slope)
        np.add(slope, 0.5, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return (
            lambda z: max(z, -3) * min(max(z + 3, 0), 6) / 6,
            lambda z, a: (1 if z > 0 else 0) if abs(z) >= 3 else z / 3 + 0.5,
        )


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


def swish_formulas(k: float) -> Formulas:
    """Return a = z σ(k z) and its derivative, of one number; z is cut where it would meet a factor of 0 at −∞."""
    return (
        lambda z: max(z, -DEEP) * sigmoid_of(k * z),
        lambda z, a: swish_slope_of(k * min(max(z, -DEEP), DEEP)),
    )


def sigmoid_of(x: float) -> float:
    """Return σ(x) of one number."""
    return 0.5 * math.tanh(0.5 * x) + 0.5


def swish_slope_of(x: float) -> float:
    """Return the derivative of x σ(x) of one number."""
    return sigmoid_of(x) * (1 + x * (1 - sigmoid_of(x)))


def _half(z: float) -> float:
    """Return (1 + tanh u) / 2, u = c z (1 + 0.044715 z²), of one number."""
    return 0.5 * (1 + math.tanh(C * z * (1 + CUBIC * z * z)))


def _half_slope(z: float) -> float:
    """Return the derivative of z (1 + tanh u) / 2, of one number."""
    p = _half(z)
    return p + 2 * z * p * (1 - p) * C * (1 + 3 * CUBIC * z * z)


def _normal(z: float) -> float:
    """Return Φ(z) of one number."""
    return 0.5 * math.erfc(-ROOT * z)


def _normal_slope(z: float) -> float:
    """Return Φ(z) + z φ(z) of one number."""
    return _normal(z) + DENSITY * z * math.exp(-0.5 * z * z)


def _mish(z: float) -> float:
    """Return z n / (n + 2), n = e^z (e^z + 2), of one number."""
    e = math.exp(min(z, ONE_FROM))
    n = e * (e + 2)
    return max(z, -DEEP) * n / (n + 2)


def _mish_slope(z: float, a: float) -> float:
    """Return the derivative of z n / (n + 2), of one number."""
    x = min(max(z, -DEEP), ONE_FROM)
    e = math.exp(x)
    n = e * (e + 2)
    return (n + 4 * x * e * (e + 1) / (n + 2)) / (n + 2)

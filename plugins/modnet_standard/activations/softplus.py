"""Smooth rectifiers: softplus and its algebraic relatives, which have a rounded corner in place of a kink.

Each is computed as max(z, 0) and a remainder, so that no digits are lost far from the corner.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Formulas
from modnet_standard.arrays import zeros


class Softplus(Activation):
    """The softplus: a = log(1 + e^(βz)) / β, dz = σ(βz) da = (1 − e^(−βa)) da.

    Computed as max(z, 0) + log(1 + e^(−β|z|)) / β, which is exact everywhere: no threshold is needed beyond
    which a is taken to be z.

    Parameters
    ----------
    beta : float
        β, > 0: the larger, the closer to `relu`.

    References
    ----------
    Dugas, Bengio, Bélisle, Nadeau & Garcia (2001), Incorporating second-order functional knowledge for better option
    pricing, NIPS 13.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Softplus
    >>> Softplus().f(np.array([-1000.0, 0.0, 1000.0])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+03])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    beta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual β and with another."""
        return (cls(), cls(2.5))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + log(1 + e^(−β|z|)) / β."""
        rest = np.abs(z)
        np.multiply(rest, -self.beta, out=rest)
        np.exp(rest, out=rest)
        np.log1p(rest, out=rest)
        np.divide(rest, self.beta, out=rest)
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.add(a, rest, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (1 − e^(−βa)) da."""
        assert a is not None
        dz = np.multiply(a, -self.beta, out=out)
        np.expm1(dz, out=dz)
        np.multiply(dz, da, out=dz)
        return np.negative(dz, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        beta = self.beta
        return lambda z: max(z, 0) + math.log1p(math.exp(-beta * abs(z))) / beta, lambda z, a: -math.expm1(-beta * a)


class Squareplus(Activation):
    """The squareplus: a = (z + √(z² + b)) / 2, dz = da / (1 + b / (4a²)).

    Computed as max(z, 0) + (b/2) / (|z| + √(z² + b)), which keeps its digits far below zero.

    Parameters
    ----------
    b : float
        > 0: how round the corner is; a = √b / 2 at z = 0.

    References
    ----------
    Barron (2021), Squareplus: a softplus-like algebraic rectifier, arXiv:2112.11687.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Squareplus
    >>> Squareplus().f(np.array([-1.5, 0.0, 1.5]))
    array([0.5, 1. , 2. ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    b: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual b and with another."""
        return (cls(), cls(0.3))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + (b/2) / (|z| + √(z² + b))."""
        rest = np.multiply(z, z)
        np.add(rest, self.b, out=rest)
        np.sqrt(rest, out=rest)
        np.add(rest, np.abs(z), out=rest)
        np.divide(0.5 * self.b, rest, out=rest)
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.add(a, rest, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da / (1 + b / (4a²))."""
        # √(z² + b) = a + b/(4a), and σ' = a / √(z² + b).
        assert a is not None
        inverse = np.multiply(a, a, out=out)
        np.divide(0.25 * self.b, inverse, out=inverse)
        np.add(inverse, 1, out=inverse)
        return np.divide(da, inverse, out=inverse)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        b = self.b
        return (
            lambda z: max(z, 0) + 0.5 * b / (abs(z) + math.sqrt(z * z + b)),
            lambda z, a: 1 / (1 + 0.25 * b / (a * a)),
        )


class SparsePlus(Activation):
    """The sparse plus: a = 0 up to z = −1, (z + 1)²/4 up to z = 1, then z; dz = min(√a, 1) ∘ da.

    References
    ----------
    Martins & Astudillo (2016), From softmax to sparsemax: a sparse model of attention and multi-label classification,
    ICML: its loss for two classes is the sparse plus of minus the margin.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SparsePlus
    >>> SparsePlus().f(np.array([-2.0, 0.0, 0.5, 3.0]))
    array([0.    , 0.25  , 0.5625, 3.    ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return ((min(max(z, −1), 1) + 1) / 2)² + max(z, 1) − 1."""
        corner: Array = z.clip(-1.0, 1.0)
        np.add(corner, 1, out=corner)
        np.multiply(corner, 0.5, out=corner)
        np.multiply(corner, corner, out=corner)
        a: Array = z.clip(1.0, math.inf, out=out)
        np.subtract(a, 1, out=a)
        return np.add(a, corner, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return min(√a, 1) ∘ da."""
        assert a is not None
        slope = np.sqrt(a, out=out)
        slope.clip(0.0, 1.0, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: max(z, 1) - 1 + (0.5 * min(max(z, -1), 1) + 0.5) ** 2, lambda z, a: min(math.sqrt(a), 1)

"""Exponential linear units: rectifiers whose negative side saturates smoothly.

Their derivative is read off the output: below zero it is the output, shifted.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Formulas
from modnet_standard.activations.relu import step
from modnet_standard.arrays import zeros


class ELU(Activation):
    """The exponential linear unit: a = z where z > 0, else α (e^z − 1); dz = da where a > 0, else (a + α) da.

    The kink at z = 0 has the slope from below, α.

    Parameters
    ----------
    alpha : float
        α, ≥ 0: the limit far below zero is −α.

    References
    ----------
    Clevert, Unterthiner & Hochreiter (2016), Fast and accurate deep network learning by exponential linear units
    (ELUs), ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ELU
    >>> ELU().f(np.array([-1000.0, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    alpha: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual α, and with one that makes a kink."""
        return (cls(), cls(0.3))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + α (e^min(z, 0) − 1)."""
        return exponential_unit(z, above=1.0, below=self.alpha, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da where a > 0, else (a + α) da."""
        assert a is not None
        return through_unit(a, da, above=1.0, below=self.alpha, out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        alpha = self.alpha
        return lambda z: max(z, 0) + alpha * math.expm1(min(z, 0)), lambda z, a: 1 if a > 0 else a + alpha


class CELU(Activation):
    """The smooth exponential linear unit: a = max(z, 0) + α (e^(min(z, 0)/α) − 1), dz = (min(a, 0)/α + 1) da.

    Parameters
    ----------
    alpha : float
        α, > 0: the limit far below zero is −α. α = 1 is `elu`.

    References
    ----------
    Barron (2017), Continuously differentiable exponential linear units, arXiv:1704.07483.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import CELU
    >>> CELU(2).f(np.array([-1000.0, 0.0, 2.0]))
    array([-2.,  0.,  2.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual α and with another."""
        return (cls(), cls(0.3))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + α (e^(min(z, 0)/α) − 1)."""
        nothing = zeros(z.shape, z.dtype)
        below = np.minimum(z, nothing)
        np.divide(below, self.alpha, out=below)
        np.expm1(below, out=below)
        np.multiply(below, self.alpha, out=below)
        a = np.maximum(z, nothing, out=out)
        return np.add(a, below, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (min(a, 0)/α + 1) da."""
        assert a is not None
        slope = np.minimum(a, zeros(a.shape, a.dtype), out=out)
        np.divide(slope, self.alpha, out=slope)
        np.add(slope, 1, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        alpha = self.alpha
        return lambda z: max(z, 0) + alpha * math.expm1(min(z, 0) / alpha), lambda z, a: min(a, 0) / alpha + 1


ALPHA = 1.6732632423543772


SCALE = 1.0507009873554805
"""With these two, inputs of mean 0 and variance 1 have outputs of mean 0 and variance 1."""


class SELU(Activation):
    """The self-normalizing unit: a = λz where z > 0, else λα (e^z − 1); dz = λ da where a > 0, else (a + λα) da.

    λ = 1.0507… and α = 1.6732… are fixed: with first weights of LeCun's kind, signals keep mean 0 and variance 1 from
    layer to layer. The kink at z = 0 has the slope from below, λα. Dropout that goes with it is `alpha_dropout`.

    References
    ----------
    Klambauer, Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks, NIPS 30.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SELU
    >>> SELU().f(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([-1.7581,  0.    ,  1.0507])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "lecun"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return λ max(z, 0) + λα (e^min(z, 0) − 1)."""
        return exponential_unit(z, above=SCALE, below=SCALE * ALPHA, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return λ da where a > 0, else (a + λα) da."""
        assert a is not None
        return through_unit(a, da, above=SCALE, below=SCALE * ALPHA, out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return (
            lambda z: SCALE * max(z, 0) + SCALE * ALPHA * math.expm1(min(z, 0)),
            lambda z, a: SCALE if a > 0 else a + SCALE * ALPHA,
        )


def exponential_unit(z: Array, *, above: float, below: float, out: Array | None) -> Array:
    """Return `above` · max(z, 0) + `below` · (e^min(z, 0) − 1)."""
    nothing = zeros(z.shape, z.dtype)
    negative = np.minimum(z, nothing)
    np.expm1(negative, out=negative)
    np.multiply(negative, below, out=negative)
    a = np.maximum(z, nothing, out=out)
    if above != 1:
        np.multiply(a, above, out=a)
    return np.add(a, negative, out=a)


def through_unit(a: Array, da: Array, *, above: float, below: float, out: Array | None) -> Array:
    """Return `above` · da where a > 0, else (a + `below`) da."""
    slope = step(a, out=out)
    np.multiply(slope, above - below, out=slope)
    np.add(slope, below, out=slope)
    np.add(slope, np.minimum(a, zeros(a.shape, a.dtype)), out=slope)
    return np.multiply(slope, da, out=slope)

"""CELU: an exponential linear unit without a kink."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array
from modnet_standard.constants import zeros


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

"""ELU: the exponential linear unit, a rectifier whose negative side saturates smoothly."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array
from modnet_standard.activations.parts import exponential_slope
from modnet_standard.constants import zeros


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
        nothing = zeros(z.shape, z.dtype)
        below = np.minimum(z, nothing)
        np.expm1(below, out=below)
        np.multiply(below, self.alpha, out=below)
        a = np.maximum(z, nothing, out=out)
        return np.add(a, below, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da where a > 0, else (a + α) da."""
        assert a is not None
        slope = exponential_slope(a, above=1.0, below=self.alpha, out=out)
        return np.multiply(slope, da, out=slope)

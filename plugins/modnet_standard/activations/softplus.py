"""Softplus: a smooth rectifier, the logarithm of 1 + e^z."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array
from modnet_standard.constants import zeros


class Softplus(Activation):
    """The softplus: a = log(1 + e^(βz)) / β, dz = σ(βz) da = (1 − e^(−βa)) da.

    Computed as max(z, 0) + log(1 + e^(−β|z|)) / β, which is exact everywhere, so that it needs no threshold beyond
    which it would be taken for z.

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

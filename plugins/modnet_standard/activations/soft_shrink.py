"""Soft shrinkage: small inputs become 0, larger ones are drawn towards it."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array


class SoftShrink(Activation):
    """The soft shrinkage: a = z − min(max(z, −λ), λ), dz = da where a ≠ 0, else 0 (0 at the kinks z = ±λ).

    Parameters
    ----------
    threshold : float
        λ, ≥ 0: how far inputs are drawn towards 0, and up to where they become 0.

    References
    ----------
    Donoho (1995), De-noising by soft-thresholding, IEEE Transactions on Information Theory 41.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SoftShrink
    >>> SoftShrink().f(np.array([-2.0, 0.25, 0.75]))
    array([-1.5 ,  0.  ,  0.25])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual threshold and with another."""
        return (cls(), cls(0.1))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z − min(max(z, −λ), λ)."""
        a: Array = np.subtract(z, z.clip(-self.threshold, self.threshold), out=out)
        return a

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [a ≠ 0]."""
        assert a is not None
        dz: Array = np.multiply(da, a != 0, out=out)
        return dz

"""Hard shrinkage: small inputs become 0, larger ones stay as they are."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array


class HardShrink(Activation):
    """The hard shrinkage: a = z where |z| > λ, else 0; dz = da where a ≠ 0, else 0 (0 at the jumps z = ±λ).

    Parameters
    ----------
    threshold : float
        λ, ≥ 0: up to where inputs become 0.

    References
    ----------
    Donoho & Johnstone (1994), Ideal spatial adaptation by wavelet shrinkage, Biometrika 81.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardShrink
    >>> HardShrink().f(np.array([-2.0, 0.25, 0.75]))
    array([-2.  ,  0.  ,  0.75])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual threshold and with another."""
        return (cls(), cls(0.1))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z ∘ [|z| > λ]."""
        return np.multiply(z, np.abs(z) > self.threshold, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [a ≠ 0]."""
        assert a is not None
        dz: Array = np.multiply(da, a != 0, out=out)
        return dz

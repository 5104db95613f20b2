"""Sine: a periodic activation, for networks that represent images, sounds and fields."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array


class Sine(Activation):
    """The sine: a = sin ωz, dz = ω cos(ωz) ∘ da.

    In the networks called SIREN the first layer has ω = 30, for coordinates in [−1, 1]. In the others ω = 1 with He's
    first weights starts with the same signals as their ω = 30 with weights that are 30 times smaller.

    Parameters
    ----------
    omega : float
        ω, > 0, in radians per unit of z.

    References
    ----------
    Sitzmann, Martel, Bergman, Lindell & Wetzstein (2020), Implicit neural representations with periodic activation
    functions, NeurIPS 33, sec. 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Sine
    >>> Sine(np.pi).f(np.array([-0.5, 0.0, 0.5]))
    array([-1.,  0.,  1.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    omega: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with ω = 1 and with a higher frequency."""
        return (cls(), cls(3.0))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return sin ωz."""
        a = np.multiply(z, self.omega, out=out)
        return np.sin(a, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return ω cos(ωz) ∘ da."""
        assert z is not None
        dz = np.multiply(z, self.omega, out=out)
        np.cos(dz, out=dz)
        np.multiply(dz, self.omega, out=dz)
        return np.multiply(dz, da, out=dz)

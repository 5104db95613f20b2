"""Hard swish: the input, weighted with its own hard sigmoid."""

import math
from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array


class HardSwish(Activation):
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

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, −3) min(max(z + 3, 0), 6) / 6."""
        a = np.add(z, 3, out=out)
        a.clip(0.0, 6.0, out=a)
        np.multiply(a, z.clip(-3.0, math.inf), out=a)  # not z: −∞ times 0 would be NaN
        return np.divide(a, 6, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (h + z h') da, h' = 1/6 where |z| < 3, else 0."""
        assert z is not None
        x: Array = z.clip(-3.0, 3.0)
        np.divide(x, 6, out=x)
        slope = np.multiply(x, np.abs(z) < 3, out=out)
        np.add(slope, x, out=slope)
        np.add(slope, 0.5, out=slope)
        return np.multiply(slope, da, out=slope)

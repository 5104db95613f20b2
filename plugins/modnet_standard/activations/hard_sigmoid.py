"""Hard sigmoid: the logistic function made of three straight pieces."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class HardSigmoid(Activation):
    """The hard sigmoid: a = min(max(z/6 + 1/2, 0), 1), dz = da/6 where 0 < a < 1, else 0 (0 at the kinks z = ±3).

    References
    ----------
    Howard et al. (2019), Searching for MobileNetV3, ICCV, sec. 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardSigmoid
    >>> HardSigmoid().f(np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z/6 + 1/2, 0), 1)."""
        a = np.divide(z, 6, out=out)
        np.add(a, 0.5, out=a)
        return a.clip(0.0, 1.0, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da/6 ∘ [0 < a < 1]."""
        assert a is not None
        dz = np.multiply(da, (a > 0) & (a < 1), out=out)
        return np.divide(dz, 6, out=dz)

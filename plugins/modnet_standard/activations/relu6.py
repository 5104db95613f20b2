"""ReLU6: a rectifier that is flat from 6 on."""

from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array


class ReLU6(Activation):
    """The rectifier up to 6: a = min(max(z, 0), 6), dz = da where 0 < a < 6, else 0 (0 at the kinks z = 0 and z = 6).

    References
    ----------
    Krizhevsky (2010), Convolutional deep belief networks on CIFAR-10, unpublished manuscript.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ReLU6
    >>> ReLU6().f(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z, 0), 6)."""
        return z.clip(0.0, 6.0, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [0 < a < 6]."""
        assert a is not None
        return np.multiply(da, (a > 0) & (a < 6), out=out)

"""ReLU: the rectified linear unit, a = max(z, 0)."""

from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array
from modnet_standard.activations.parts import step
from modnet_standard.constants import zeros


class ReLU(Activation):
    """The rectifier: a = max(z, 0), dz = da where a > 0, else 0 (0 at the kink z = 0).

    References
    ----------
    Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines, ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ReLU
    >>> ReLU().f(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0)."""
        # An array of zeros, because np.maximum(z, 0) misses NumPy's SIMD loop: 3 to 4 times slower.
        return np.maximum(z, zeros(z.shape, z.dtype), out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [a > 0]."""
        assert a is not None
        dz = step(a, out=out)
        return np.multiply(dz, da, out=dz)

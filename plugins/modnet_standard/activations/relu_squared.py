"""Squared ReLU: a rectifier that grows like a square."""

from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array
from modnet_standard.constants import zeros


class ReLUSquared(Activation):
    """The squared rectifier: a = max(z, 0)², dz = 2 max(z, 0) ∘ da = 2 √a ∘ da.

    References
    ----------
    So, Mańke, Liu, Dai, Shazeer & Le (2021), Primer: searching for efficient transformers for language modeling,
    NeurIPS 34.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ReLUSquared
    >>> ReLUSquared().f(np.array([-1.0, 0.0, 3.0]))
    array([0., 0., 9.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0)²."""
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.multiply(a, a, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return 2 √a ∘ da."""
        # The rounded square of a float has that float as its rounded root: nothing is lost by not keeping z.
        assert a is not None
        dz = np.sqrt(a, out=out)
        np.multiply(dz, 2, out=dz)
        return np.multiply(dz, da, out=dz)

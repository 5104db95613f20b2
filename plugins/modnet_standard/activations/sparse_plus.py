"""Sparse plus: a rectifier with a parabola for its corner."""

import math
from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array


class SparsePlus(Activation):
    """The sparse plus: a = 0 up to z = −1, (z + 1)²/4 up to z = 1, then z; dz = min(√a, 1) ∘ da.

    References
    ----------
    Martins & Astudillo (2016), From softmax to sparsemax: a sparse model of attention and multi-label classification,
    ICML: its loss for two classes is the sparse plus of minus the margin.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SparsePlus
    >>> SparsePlus().f(np.array([-2.0, 0.0, 0.5, 3.0]))
    array([0.    , 0.25  , 0.5625, 3.    ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return ((min(max(z, −1), 1) + 1) / 2)² + max(z, 1) − 1."""
        corner: Array = z.clip(-1.0, 1.0)
        np.add(corner, 1, out=corner)
        np.multiply(corner, 0.5, out=corner)
        np.multiply(corner, corner, out=corner)
        a: Array = z.clip(1.0, math.inf, out=out)
        np.subtract(a, 1, out=a)
        return np.add(a, corner, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return min(√a, 1) ∘ da."""
        assert a is not None
        slope = np.sqrt(a, out=out)
        slope.clip(0.0, 1.0, out=slope)
        return np.multiply(slope, da, out=slope)

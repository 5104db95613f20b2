"""Tanh: the hyperbolic tangent."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class Tanh(Activation):
    """The hyperbolic tangent: a = tanh z, dz = da ∘ (1 − a²).

    References
    ----------
    LeCun, Bottou, Orr & Müller (1998), Efficient BackProp, sec. 4.4.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Tanh
    >>> Tanh().f(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return tanh z."""
        return np.tanh(z, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ (1 − a²)."""
        assert a is not None
        dz = np.multiply(a, a, out=out)
        np.subtract(1, dz, out=dz)
        return np.multiply(dz, da, out=dz)

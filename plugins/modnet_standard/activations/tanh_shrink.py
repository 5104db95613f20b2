"""Tanh shrinkage: what is left of the input when its hyperbolic tangent is taken away."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class TanhShrink(Activation):
    """The tanh shrinkage: a = z − tanh z, dz = tanh² z ∘ da.

    References
    ----------
    Paszke et al. (2019), PyTorch: an imperative style, high-performance deep learning library, NeurIPS 32: Tanhshrink.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import TanhShrink
    >>> TanhShrink().f(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([-9.990e+02,  0.000e+00,  2.384e-01])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z − tanh z."""
        t = np.tanh(z, out=out)
        return np.subtract(z, t, out=t)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return tanh² z ∘ da."""
        assert z is not None
        dz = np.tanh(z, out=out)
        np.multiply(dz, dz, out=dz)
        return np.multiply(dz, da, out=dz)

"""Mish: the input, weighted with the hyperbolic tangent of its softplus."""

import math
from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array
from modnet_standard.activations.parts import DEEP


class Mish(Activation):
    """Mish: a = z T, T = tanh(log(1 + e^z)), dz = (T + z (1 − T²) σ(z)) da.

    With n = e^z (e^z + 2), T = n / (n + 2): one exponential, no logarithm and no cancellation.

    References
    ----------
    Misra (2020), Mish: a self regularized non-monotonic activation function, BMVC.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Mish
    >>> Mish().f(np.array([-1.0, 0.0, 1000.0])).round(4)
    array([-3.034e-01,  0.000e+00,  1.000e+03])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z n / (n + 2), n = e^z (e^z + 2)."""
        e: Array = z.clip(-DEEP, ONE_FROM)
        np.exp(e, out=e)
        n = np.add(e, 2, out=out)
        np.multiply(n, e, out=n)
        np.divide(n, np.add(n, 2, out=e), out=n)
        return np.multiply(n, z.clip(-DEEP, math.inf, out=e), out=n)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return r (n + 2 r z n') da, r = 1 / (n + 2), n' = 2 e^z (e^z + 1) = 2 (n − e^z)."""
        assert z is not None
        x: Array = z.clip(-DEEP, ONE_FROM)
        e = np.exp(x)
        n = np.add(e, 2, out=out)
        np.multiply(n, e, out=n)
        change = np.subtract(n, e, out=e)
        np.multiply(change, x, out=change)
        r = np.add(n, 2, out=x)
        np.divide(1, r, out=r)
        np.multiply(change, r, out=change)
        np.multiply(change, 4, out=change)
        slope = np.add(n, change, out=n)
        np.multiply(slope, r, out=slope)
        return np.multiply(slope, da, out=slope)


ONE_FROM = 20.0
"""From here on T is 1 to the last digit, and nothing has overflowed yet."""

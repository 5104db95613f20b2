"""Softsign: a sigmoidal function that saturates slowly."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class Softsign(Activation):
    """The softsign: a = z / (1 + |z|), dz = da / (1 + |z|)².

    References
    ----------
    Bergstra, Desjardins, Lamblin & Bengio (2009), Quadratic polynomials learn better image features, technical report
    1337, Université de Montréal.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Softsign
    >>> Softsign().f(np.array([-3.0, 0.0, 1.0]))
    array([-0.75,  0.  ,  0.5 ])
    """

    # Not from a as da (1 − |a|)²: in float32 its error at |z| = 10⁴ is 0.2 %, and the slow tails are what it is for.
    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z / (1 + |z|)."""
        x: Array = z.clip(-HUGE, HUGE)
        a = np.abs(x, out=out)
        np.add(a, 1, out=a)
        return np.divide(x, a, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da / (1 + |z|)²."""
        assert z is not None
        root = np.abs(z)
        np.add(root, 1, out=root)
        dz = np.divide(da, root, out=out)
        return np.divide(dz, root, out=dz)


HUGE = 1e30
"""Here a is ±1 to the last digit; z is cut for the sake of ∞ / ∞."""

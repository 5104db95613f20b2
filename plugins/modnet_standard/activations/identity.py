"""Identity: a = z, for the place of an activation where none is wanted."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class Identity(Activation):
    """The identity: a = z, dz = da.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Identity
    >>> Identity().f(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z itself, or its copy in `out`."""
        return z if out is None else _copied(z, out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da itself, or its copy in `out`."""
        return da if out is None else _copied(da, out)


def _copied(array: Array, out: Array) -> Array:
    np.copyto(out, array)
    return out

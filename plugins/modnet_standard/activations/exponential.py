"""Exponential: a = e^z, for outputs that are positive and effects that multiply."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class Exponential(Activation):
    """The exponential function: a = e^z, dz = a ∘ da, up to the largest float.

    Where e^z is larger than any float, a is the largest one (z > 88 in float32, z > 709 in float64) and dz is 0. For
    counts and amounts leave it out: the `poisson`, `gamma` and `tweedie` losses work on logarithms.

    References
    ----------
    McCullagh & Nelder (1989), Generalized linear models, 2nd ed., Chapman & Hall: the inverse of the log link.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Exponential
    >>> Exponential().f(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([0.    , 1.    , 2.7183])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return e^z, or the largest float if that is less."""
        with np.errstate(over="ignore"):  # infinities are replaced in the next line
            a = np.exp(z, out=out)
        return a.clip(0.0, _largest(a), out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return a ∘ da, 0 where a is the largest float."""
        assert a is not None
        dz = np.multiply(a, a < _largest(a), out=out)
        return np.multiply(dz, da, out=dz)


def _largest(a: Array) -> float:
    return float(np.finfo(a.dtype).max)

"""Functions that every textbook names: the identity, the exponential and the sine.

The first two are mostly wanted at the end of a network, the sine inside of one.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

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


class Sine(Activation):
    """The sine: a = sin ωz, dz = ω cos(ωz) ∘ da.

    In the networks called SIREN all layers have ω = 30, and behind the first one weights that are 30 times smaller than
    He's. Here ω = 30 is for the first layer, on coordinates in [−1, 1]; behind it ω = 1 with He's weights starts with
    the same signals.

    Parameters
    ----------
    omega : float
        ω, > 0, in radians per unit of z.

    References
    ----------
    Sitzmann, Martel, Bergman, Lindell & Wetzstein (2020), Implicit neural representations with periodic activation
    functions, NeurIPS 33, sec. 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Sine
    >>> Sine(np.pi).f(np.array([-0.5, 0.0, 0.5]))
    array([-1.,  0.,  1.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    omega: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with ω = 1 and with a higher frequency."""
        return (cls(), cls(3.0))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return sin ωz."""
        a = np.multiply(z, self.omega, out=out)
        return np.sin(a, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return ω cos(ωz) ∘ da."""
        assert z is not None
        dz = np.multiply(z, self.omega, out=out)
        np.cos(dz, out=dz)
        np.multiply(dz, self.omega, out=dz)
        return np.multiply(dz, da, out=dz)

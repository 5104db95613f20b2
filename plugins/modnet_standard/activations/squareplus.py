"""Squareplus: a smooth rectifier made of a square root."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array
from modnet_standard.constants import zeros


class Squareplus(Activation):
    """The squareplus: a = (z + √(z² + b)) / 2, dz = da / (1 + b / (4a²)).

    Computed as max(z, 0) + (b/2) / (|z| + √(z² + b)), which keeps its digits far below zero.

    Parameters
    ----------
    b : float
        > 0: how round the corner is; a = √b / 2 at z = 0.

    References
    ----------
    Barron (2021), Squareplus: a softplus-like algebraic rectifier, arXiv:2112.11687.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Squareplus
    >>> Squareplus().f(np.array([-1.5, 0.0, 1.5]))
    array([0.5, 1. , 2. ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    b: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual b and with another."""
        return (cls(), cls(0.3))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + (b/2) / (|z| + √(z² + b))."""
        rest = np.multiply(z, z)
        np.add(rest, self.b, out=rest)
        np.sqrt(rest, out=rest)
        np.add(rest, np.abs(z), out=rest)
        np.divide(0.5 * self.b, rest, out=rest)
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.add(a, rest, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da / (1 + b / (4a²))."""
        # √(z² + b) = a + b/(4a), and σ' = a / √(z² + b).
        assert a is not None
        inverse = np.multiply(a, a, out=out)
        np.divide(0.25 * self.b, inverse, out=inverse)
        np.add(inverse, 1, out=inverse)
        return np.divide(da, inverse, out=inverse)

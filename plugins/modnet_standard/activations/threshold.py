"""Threshold: inputs up to a threshold become one value, larger ones stay as they are."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Threshold(Activation):
    """The thresholded rectifier: a = z where z > θ, else v; dz = da where z > θ, else 0 (0 at the jump z = θ).

    Parameters
    ----------
    threshold : float
        θ.
    value : float
        v.

    References
    ----------
    Konda, Memisevic & Krueger (2015), Zero-bias autoencoders and the benefits of co-adapting features, ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Threshold
    >>> Threshold(1.0, -1.0).f(np.array([-2.0, 1.0, 3.0]))
    array([-1., -1.,  3.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    threshold: Finite = 0.0
    value: Finite = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return the rectifier, and one with a jump whose value inputs above it can have as well."""
        return (cls(), cls(-0.3, 0.5))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z where z > θ, else v."""
        a = np.positive(z, out=out)
        np.copyto(a, self.value, where=z <= self.threshold)  # not ~(z > θ): NaN stays NaN
        return a

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [z > θ]."""
        assert z is not None
        return np.multiply(da, z > self.threshold, out=out)

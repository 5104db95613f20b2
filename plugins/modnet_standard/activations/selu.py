"""SELU: the exponential linear unit that normalizes itself."""

from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array
from modnet_standard.activations.parts import exponential_slope
from modnet_standard.constants import zeros

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805
"""With these two, inputs of mean 0 and variance 1 have outputs of mean 0 and variance 1."""


class SELU(Activation):
    """The self-normalizing unit: a = λz where z > 0, else λα (e^z − 1); dz = λ da where a > 0, else (a + λα) da.

    λ = 1.0507… and α = 1.6732… are fixed: with first weights of LeCun's kind, signals keep mean 0 and variance 1 from
    layer to layer. The kink at z = 0 has the slope from below, λα. Dropout that goes with it is `alpha_dropout`.

    References
    ----------
    Klambauer, Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks, NIPS 30.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SELU
    >>> SELU().f(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([-1.7581,  0.    ,  1.0507])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "lecun"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return λ max(z, 0) + λα (e^min(z, 0) − 1)."""
        nothing = zeros(z.shape, z.dtype)
        below = np.minimum(z, nothing)
        np.expm1(below, out=below)
        np.multiply(below, SCALE * ALPHA, out=below)
        a = np.maximum(z, nothing, out=out)
        np.multiply(a, SCALE, out=a)
        return np.add(a, below, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return λ da where a > 0, else (a + λα) da."""
        assert a is not None
        slope = exponential_slope(a, above=SCALE, below=SCALE * ALPHA, out=out)
        return np.multiply(slope, da, out=slope)

"""SiLU: the input, weighted with its own sigmoid; also called swish."""

from typing import ClassVar, Literal

import numpy as np

from modnet import Activation, Array
from modnet_standard.activations.parts import swish, swish_slope


class SiLU(Activation):
    """The sigmoid linear unit, also called swish: a = z σ(z), dz = σ(z) (1 + z (1 − σ(z))) da.

    References
    ----------
    Elfwing, Uchibe & Doya (2018), Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning, Neural Networks 107.

    Ramachandran, Zoph & Le (2017), Searching for activation functions, arXiv:1710.05941: swish.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SiLU
    >>> SiLU().f(np.array([-1.0, 0.0, 1000.0])).round(4)
    array([-2.689e-01,  0.000e+00,  1.000e+03])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z σ(z)."""
        return swish(z, 1.0, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return σ(z) (1 + z (1 − σ(z))) da."""
        assert z is not None
        slope = swish_slope(z, 1.0, out=out)
        return np.multiply(slope, da, out=slope)

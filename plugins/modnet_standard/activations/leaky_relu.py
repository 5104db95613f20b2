"""Leaky ReLU: a rectifier that lets a little of what is below zero through."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from modnet import Activation, Array, Unit
from modnet_standard.activations.parts import step


class LeakyReLU(Activation):
    """The leaky rectifier: a = max(z, s z), dz = da where a > 0, else s da (s da at the kink z = 0).

    Parameters
    ----------
    negative_slope : float
        s, in [0, 1]. A slope that is learnt is `prelu`, among the layers.

    References
    ----------
    Maas, Hannun & Ng (2013), Rectifier nonlinearities improve neural network acoustic models, ICML workshop on deep
    learning for audio, speech and language processing.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import LeakyReLU
    >>> LeakyReLU(0.1).f(np.array([-1.0, 0.0, 2.0]))
    array([-0.1,  0. ,  2. ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    negative_slope: Unit = 0.01

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual slope, a large one and none."""
        return (cls(), cls(0.3), cls(0.0))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, s z)."""
        return np.maximum(z, z * self.negative_slope, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ max([a > 0], s)."""
        assert a is not None
        slope = step(a, out=out)
        slope.clip(self.negative_slope, 1.0, out=slope)
        return np.multiply(slope, da, out=slope)

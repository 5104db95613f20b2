"""Rectifiers: ReLU and its kin, which let through what is positive.

Their derivatives are read off the output, so that the input need not be kept.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from modnet import Activation, Array, Formulas, Graph, Unit, Value
from modnet_standard.arrays import zeros

__all__ = ["LeakyReLU", "ReLU"]


class Rectifier(Activation):
    """An activation that lets through what is positive; its derivative is read off the output."""

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"


def step(a: Array, *, out: Array | None) -> Array:
    """Return 1 where a > 0, else 0, as floats."""
    slope = np.empty_like(a) if out is None else out
    np.greater(a, zeros(a.shape, a.dtype), out=slope)
    return slope


class ReLU(Rectifier):
    """The rectifier: a = max(z, 0), dz = da where a > 0, else 0 (0 at the kink z = 0).

    References
    ----------
    Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines, ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ReLU
    >>> ReLU().f(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0)."""
        # An array of zeros, because np.maximum(z, 0) misses NumPy's SIMD loop: 3 to 4 times slower.
        return np.maximum(z, zeros(z.shape, z.dtype), out=out)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(0.0)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [a > 0]."""
        assert a is not None
        dz = step(a, out=out)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: max(z, 0), lambda z, a: 1 if a > 0 else 0


class LeakyReLU(Rectifier):
    """The leaky rectifier: a = max(z, s z), dz = da where a > 0, else s da (s da at the kink z = 0).

    Parameters
    ----------
    negative_slope : float
        Slope s below zero, in [0, 1]. A slope that is learnt is `prelu`, among the layers.

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

    negative_slope: Unit = 0.01

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual slope, a large one and none."""
        return (cls(), cls(0.3), cls(0.0))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, s z)."""
        return np.maximum(z, z * self.negative_slope, out=out)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.op("Max", z, z * self.negative_slope)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ max([a > 0], s)."""
        assert a is not None
        slope = step(a, out=out)
        slope.clip(self.negative_slope, 1.0, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        slope = self.negative_slope
        return lambda z: z if z > slope * z else slope * z, lambda z, a: 1 if a > 0 else slope

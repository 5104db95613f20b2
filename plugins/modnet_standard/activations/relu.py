"""Rectifiers: ReLU and its kin, which let through what is positive.

Most derivatives are read off the output, so that the input need not be kept.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Formulas, Unit
from modnet_standard.arrays import zeros


def step(a: Array, *, out: Array | None) -> Array:
    """Return 1 where a > 0, else 0, as floats."""
    slope = np.empty_like(a) if out is None else out
    np.greater(a, zeros(a.shape, a.dtype), out=slope)
    return slope


class ReLU(Activation):
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

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0)."""
        # An array of zeros, because np.maximum(z, 0) misses NumPy's SIMD loop: 3 to 4 times slower.
        return np.maximum(z, zeros(z.shape, z.dtype), out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [a > 0]."""
        assert a is not None
        dz = step(a, out=out)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: max(z, 0), lambda z, a: 1 if a > 0 else 0


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

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        slope = self.negative_slope
        return lambda z: z if z > slope * z else slope * z, lambda z, a: 1 if a > 0 else slope


class ReLU6(Activation):
    """The rectifier up to 6: a = min(max(z, 0), 6), dz = da where 0 < a < 6, else 0 (0 at the kinks z = 0 and z = 6).

    References
    ----------
    Krizhevsky (2010), Convolutional deep belief networks on CIFAR-10, unpublished manuscript.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ReLU6
    >>> ReLU6().f(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z, 0), 6)."""
        return z.clip(0.0, 6.0, out=out)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [0 < a < 6]."""
        assert a is not None
        return np.multiply(da, (a > 0) & (a < 6), out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: min(max(z, 0), 6), lambda z, a: 1 if 0 < a < 6 else 0


class ReLUSquared(Activation):
    """The squared rectifier: a = max(z, 0)², dz = 2 max(z, 0) ∘ da = 2 √a ∘ da.

    References
    ----------
    So, Mańke, Liu, Dai, Shazeer & Le (2021), Primer: searching for efficient transformers for language modeling,
    NeurIPS 34.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ReLUSquared
    >>> ReLUSquared().f(np.array([-1.0, 0.0, 3.0]))
    array([0., 0., 9.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0)²."""
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.multiply(a, a, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return 2 √a ∘ da."""
        # The rounded square of a float has that float as its rounded root: nothing is lost by not keeping z.
        assert a is not None
        dz = np.sqrt(a, out=out)
        np.multiply(dz, 2, out=dz)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: max(z, 0) ** 2, lambda z, a: 2 * math.sqrt(a)


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
        """Return the rectifier, and one that jumps to a value which larger inputs have as well."""
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

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        threshold, value = self.threshold, self.value
        return lambda z: z if z > threshold else value, lambda z, a: 1 if z > threshold else 0

"""Functions of other shapes: identity, exponential and sine, a threshold, and shrinkers.

Shrinkers set small inputs to zero or close to it, where a sparse code is wanted.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Formulas, Graph, Value

__all__ = ["Exponential", "HardShrink", "Identity", "Sine", "SoftShrink", "TanhShrink", "Threshold"]


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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z

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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.exp().clip(high=_largest(np.empty(0, z.dtype)))

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
        Frequency ω, > 0, in radians per unit of z.

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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.op("Sin", self.omega * z)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return ω cos(ωz) ∘ da."""
        assert z is not None
        dz = np.multiply(z, self.omega, out=out)
        np.cos(dz, out=dz)
        np.multiply(dz, self.omega, out=dz)
        return np.multiply(dz, da, out=dz)


Finite = Annotated[float, Field(allow_inf_nan=False)]


class Threshold(Activation):
    """The thresholded rectifier: a = z where z > θ, else v; dz = da where z > θ, else 0 (0 at the jump z = θ).

    Parameters
    ----------
    threshold : float
        Where the jump θ is.
    value : float
        What v is there and below.

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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.where(z <= self.threshold, self.value, z)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [z > θ]."""
        assert z is not None
        return np.multiply(da, z > self.threshold, out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        threshold, value = self.threshold, self.value
        return lambda z: z if z > threshold else value, lambda z, a: 1 if z > threshold else 0


class Shrinker(Activation):
    """A function that is 0 up to a threshold λ on both sides of zero, and has slope 1 beyond.

    Parameters
    ----------
    threshold : float
        Width λ, ≥ 0.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual threshold and with another."""
        return (cls(), cls(0.1))

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [a ≠ 0]."""
        assert a is not None
        dz: Array = np.multiply(da, a != 0, out=out)
        return dz


class HardShrink(Shrinker):
    """The hard shrinkage: a = z where |z| > λ, else 0; dz = da where a ≠ 0, else 0 (0 at the jumps z = ±λ).

    Parameters
    ----------
    threshold : float
        Width λ, ≥ 0: up to where inputs become 0.

    References
    ----------
    Donoho & Johnstone (1994), Ideal spatial adaptation by wavelet shrinkage, Biometrika 81.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardShrink
    >>> HardShrink().f(np.array([-2.0, 0.25, 0.75]))
    array([-2.  ,  0.  ,  0.75])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z ∘ [|z| > λ]."""
        return np.multiply(z, np.abs(z) > self.threshold, out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        threshold = self.threshold
        return lambda z: z if abs(z) > threshold else 0, lambda z, a: 1 if a != 0 else 0

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.where(abs(z) > self.threshold, z, 0.0)


class SoftShrink(Shrinker):
    """The soft shrinkage: a = z − min(max(z, −λ), λ), dz = da where a ≠ 0, else 0 (0 at the kinks z = ±λ).

    Parameters
    ----------
    threshold : float
        Width λ, ≥ 0: how far inputs are drawn towards 0, and up to where they become 0.

    References
    ----------
    Donoho (1995), De-noising by soft-thresholding, IEEE Transactions on Information Theory 41.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SoftShrink
    >>> SoftShrink().f(np.array([-2.0, 0.25, 0.75]))
    array([-1.5 ,  0.  ,  0.25])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z − min(max(z, −λ), λ)."""
        a: Array = np.subtract(z, z.clip(-self.threshold, self.threshold), out=out)
        return a

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        threshold = self.threshold
        return lambda z: z - min(max(z, -threshold), threshold), lambda z, a: 1 if a != 0 else 0

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z - z.clip(-self.threshold, self.threshold)


class TanhShrink(Activation):
    """The tanh shrinkage: a = z − tanh z, dz = tanh² z ∘ da.

    References
    ----------
    Paszke et al. (2019), PyTorch: an imperative style, high-performance deep learning library, NeurIPS 32: Tanhshrink.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import TanhShrink
    >>> TanhShrink().f(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([-9.990e+02,  0.000e+00,  2.384e-01])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z − tanh z."""
        t = np.tanh(z, out=out)
        return np.subtract(z, t, out=t)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z - z.tanh()

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return tanh² z ∘ da."""
        assert z is not None
        dz = np.tanh(z, out=out)
        np.multiply(dz, dz, out=dz)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: z - math.tanh(z), lambda z, a: math.tanh(z) ** 2

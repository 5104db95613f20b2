"""Shrinkers, which set small inputs to zero or close to it.

They are used where a sparse code is wanted.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Formulas


class Shrinker(Activation):
    """A function that is 0 up to a threshold λ on both sides of zero, and has slope 1 beyond.

    Parameters
    ----------
    threshold : float
        λ, ≥ 0.
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
        λ, ≥ 0: up to where inputs become 0.

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


class SoftShrink(Shrinker):
    """The soft shrinkage: a = z − min(max(z, −λ), λ), dz = da where a ≠ 0, else 0 (0 at the kinks z = ±λ).

    Parameters
    ----------
    threshold : float
        λ, ≥ 0: how far inputs are drawn towards 0, and up to where they become 0.

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

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return tanh² z ∘ da."""
        assert z is not None
        dz = np.tanh(z, out=out)
        np.multiply(dz, dz, out=dz)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: z - math.tanh(z), lambda z, a: math.tanh(z) ** 2

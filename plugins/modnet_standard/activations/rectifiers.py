"""More rectifiers: exponential linear units, softplus and its relatives, and the rectifier squared.

The smooth ones are computed as max(z, 0) and a remainder, so that no digits are lost far from the corner.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Array, Formulas, Graph, Value
from modnet_standard.activations.relu import Rectifier, step
from modnet_standard.arrays import zeros

__all__ = ["CELU", "ELU", "SELU", "ReLUSquared", "Softplus", "SparsePlus", "Squareplus"]


class ExponentialUnit(Rectifier):
    """A unit a = s max(z, 0) + l (e^min(z, 0) − 1), dz = s da where a > 0, else (a + l) da."""

    @abstractmethod
    def sides(self) -> tuple[float, float]:
        """Return s, the slope above zero, and l, the limit far below zero being −l.

        Returns
        -------
        (float, float)
            Both ≥ 0.
        """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return s max(z, 0) + l (e^min(z, 0) − 1)."""
        above, below = self.sides()
        nothing = zeros(z.shape, z.dtype)
        negative = np.minimum(z, nothing)
        np.expm1(negative, out=negative)
        np.multiply(negative, below, out=negative)
        a = np.maximum(z, nothing, out=out)
        if above != 1:
            np.multiply(a, above, out=a)
        return np.add(a, negative, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        above, below = self.sides()
        return above * z.clip(0.0) + below * (z.clip(high=0.0).exp() - 1)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return s da where a > 0, else (a + l) da."""
        assert a is not None
        above, below = self.sides()
        slope = step(a, out=out)
        np.multiply(slope, above - below, out=slope)
        np.add(slope, below, out=slope)
        np.add(slope, np.minimum(a, zeros(a.shape, a.dtype)), out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        above, below = self.sides()
        return (
            lambda z: above * max(z, 0) + below * math.expm1(min(z, 0)),
            lambda z, a: above if a > 0 else a + below,
        )


class ELU(ExponentialUnit):
    """The exponential linear unit: a = z where z > 0, else α (e^z − 1); dz = da where a > 0, else (a + α) da.

    The kink at z = 0 has the slope from below, α.

    Parameters
    ----------
    alpha : float
        Scale α, ≥ 0: the limit far below zero is −α.

    References
    ----------
    Clevert, Unterthiner & Hochreiter (2016), Fast and accurate deep network learning by exponential linear units
    (ELUs), ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import ELU
    >>> ELU().f(np.array([-1000.0, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """

    alpha: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual α, and with one that makes a kink."""
        return (cls(), cls(0.3))

    def sides(self) -> tuple[float, float]:
        """Return 1 and α."""
        return 1.0, self.alpha


class CELU(Rectifier):
    """The smooth exponential linear unit: a = max(z, 0) + α (e^(min(z, 0)/α) − 1), dz = (min(a, 0)/α + 1) da.

    Parameters
    ----------
    alpha : float
        Scale α, > 0: the limit far below zero is −α. α = 1 is `elu`.

    References
    ----------
    Barron (2017), Continuously differentiable exponential linear units, arXiv:1704.07483.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import CELU
    >>> CELU(2).f(np.array([-1000.0, 0.0, 2.0]))
    array([-2.,  0.,  2.])
    """

    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual α and with another."""
        return (cls(), cls(0.3))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + α (e^(min(z, 0)/α) − 1)."""
        nothing = zeros(z.shape, z.dtype)
        below = np.minimum(z, nothing)
        np.divide(below, self.alpha, out=below)
        np.expm1(below, out=below)
        np.multiply(below, self.alpha, out=below)
        a = np.maximum(z, nothing, out=out)
        return np.add(a, below, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(0.0) + self.alpha * ((z.clip(high=0.0) / self.alpha).exp() - 1)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (min(a, 0)/α + 1) da."""
        assert a is not None
        slope = np.minimum(a, zeros(a.shape, a.dtype), out=out)
        np.divide(slope, self.alpha, out=slope)
        np.add(slope, 1, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        alpha = self.alpha
        return lambda z: max(z, 0) + alpha * math.expm1(min(z, 0) / alpha), lambda z, a: min(a, 0) / alpha + 1


ALPHA = 1.6732632423543772


SCALE = 1.0507009873554805
"""With these two, inputs of mean 0 and variance 1 have outputs of mean 0 and variance 1."""


class SELU(ExponentialUnit):
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

    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "lecun"

    def sides(self) -> tuple[float, float]:
        """Return λ and λα."""
        return SCALE, SCALE * ALPHA


class Softplus(Rectifier):
    """The softplus: a = log(1 + e^(βz)) / β, dz = σ(βz) da = (1 − e^(−βa)) da.

    Computed as max(z, 0) + log(1 + e^(−β|z|)) / β, which is exact everywhere: no threshold is needed beyond
    which a is taken to be z.

    Parameters
    ----------
    beta : float
        Sharpness β, > 0: the larger, the closer to `relu`.

    References
    ----------
    Dugas, Bengio, Bélisle, Nadeau & Garcia (2001), Incorporating second-order functional knowledge for better option
    pricing, NIPS 13.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Softplus
    >>> Softplus().f(np.array([-1000.0, 0.0, 1000.0])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+03])
    """

    beta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the usual β and with another."""
        return (cls(), cls(2.5))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0) + log(1 + e^(−β|z|)) / β."""
        rest = np.abs(z)
        np.multiply(rest, -self.beta, out=rest)
        np.exp(rest, out=rest)
        np.log1p(rest, out=rest)
        np.divide(rest, self.beta, out=rest)
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.add(a, rest, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(0.0) + (1 + (-self.beta * abs(z)).exp()).log() / self.beta

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (1 − e^(−βa)) da."""
        assert a is not None
        dz = np.multiply(a, -self.beta, out=out)
        np.expm1(dz, out=dz)
        np.multiply(dz, da, out=dz)
        return np.negative(dz, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        beta = self.beta
        return lambda z: max(z, 0) + math.log1p(math.exp(-beta * abs(z))) / beta, lambda z, a: -math.expm1(-beta * a)


class Squareplus(Rectifier):
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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(0.0) + 0.5 * self.b / ((z * z + self.b).sqrt() + abs(z))

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da / (1 + b / (4a²))."""
        # √(z² + b) = a + b/(4a), and σ' = a / √(z² + b).
        assert a is not None
        inverse = np.multiply(a, a, out=out)
        np.divide(0.25 * self.b, inverse, out=inverse)
        np.add(inverse, 1, out=inverse)
        return np.divide(da, inverse, out=inverse)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        b = self.b
        return (
            lambda z: max(z, 0) + 0.5 * b / (abs(z) + math.sqrt(z * z + b)),
            lambda z, a: 1 / (1 + 0.25 * b / (a * a)),
        )


class SparsePlus(Rectifier):
    """The sparse plus: a = 0 up to z = −1, (z + 1)²/4 up to z = 1, then z; dz = min(√a, 1) ∘ da.

    References
    ----------
    Martins & Astudillo (2016), From softmax to sparsemax: a sparse model of attention and multi-label classification,
    ICML: its loss for two classes is the sparse plus of minus the margin.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import SparsePlus
    >>> SparsePlus().f(np.array([-2.0, 0.0, 0.5, 3.0]))
    array([0.    , 0.25  , 0.5625, 3.    ])
    """

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return ((min(max(z, −1), 1) + 1) / 2)² + max(z, 1) − 1."""
        corner: Array = z.clip(-1.0, 1.0)
        np.add(corner, 1, out=corner)
        np.multiply(corner, 0.5, out=corner)
        np.multiply(corner, corner, out=corner)
        a: Array = z.clip(1.0, math.inf, out=out)
        np.subtract(a, 1, out=a)
        return np.add(a, corner, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        corner = (z.clip(-1.0, 1.0) + 1) * 0.5
        return z.clip(1.0) - 1 + corner * corner

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return min(√a, 1) ∘ da."""
        assert a is not None
        slope = np.sqrt(a, out=out)
        slope.clip(0.0, 1.0, out=slope)
        return np.multiply(slope, da, out=slope)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: max(z, 1) - 1 + (0.5 * min(max(z, -1), 1) + 0.5) ** 2, lambda z, a: min(math.sqrt(a), 1)


class ReLUSquared(Rectifier):
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

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z, 0)²."""
        a = np.maximum(z, zeros(z.shape, z.dtype), out=out)
        return np.multiply(a, a, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        a = z.clip(0.0)
        return a * a

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

"""S-shaped functions, which saturate on both sides: logistic function, tanh and their kin.

Each looks at one element alone.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Activation, Array, Formulas, Graph, Value
from modnet_standard.activations.relu import Rectifier
from modnet_standard.arrays import zeros

__all__ = ["HardSigmoid", "HardTanh", "LogSigmoid", "ReLU6", "Sigmoid", "Softsign", "Tanh"]


class Sigmoid(Activation):
    """The logistic function: a = 1 / (1 + e⁻ᶻ), dz = da ∘ a ∘ (1 − a).

    It is computed as (1 + tanh(z/2)) / 2, which does not overflow and is 4 to 5 times faster than
    `scipy.special.expit`. In float32 it reaches 0 exactly below about z = −17; losses on logits keep the tail.

    References
    ----------
    Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors, Nature 323, eq. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Sigmoid
    >>> Sigmoid().f(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return (1 + tanh(z/2)) / 2 = 1 / (1 + e⁻ᶻ)."""
        a = np.multiply(z, 0.5, out=out)
        np.tanh(a, out=a)
        np.multiply(a, 0.5, out=a)
        return np.add(a, 0.5, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.op("Sigmoid", z)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ a ∘ (1 − a)."""
        assert a is not None
        dz = np.subtract(1, a, out=out)
        np.multiply(dz, a, out=dz)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: 0.5 * math.tanh(0.5 * z) + 0.5, lambda z, a: a * (1 - a)


class LogSigmoid(Activation):
    """The logarithm of the sigmoid: a = log σ(z) = −log(1 + e⁻ᶻ), dz = σ(−z) da = (1 − eᵃ) da.

    For binary classification leave it out: the `cross_entropy` loss works on logits.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep learning, MIT Press, sec. 3.10.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import LogSigmoid
    >>> LogSigmoid().f(np.array([-1000.0, 0.0])).round(4)
    array([-1.000e+03, -6.931e-01])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(z, 0) − log(1 + e^−|z|)."""
        rest = np.abs(z)
        np.negative(rest, out=rest)
        np.exp(rest, out=rest)
        np.log1p(rest, out=rest)
        a = np.minimum(z, zeros(z.shape, z.dtype), out=out)
        return np.subtract(a, rest, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(high=0.0) - (1 + (-abs(z)).exp()).log()

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (1 − eᵃ) da."""
        assert a is not None
        dz = np.expm1(a, out=out)
        np.multiply(dz, da, out=dz)
        return np.negative(dz, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: min(z, 0) - math.log1p(math.exp(-abs(z))), lambda z, a: -math.expm1(a)


class HardSigmoid(Activation):
    """The hard sigmoid: a = min(max(z/6 + 1/2, 0), 1), dz = da/6 where 0 < a < 1, else 0 (0 at the kinks z = ±3).

    References
    ----------
    Howard et al. (2019), Searching for MobileNetV3, ICCV, sec. 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardSigmoid
    >>> HardSigmoid().f(np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z/6 + 1/2, 0), 1)."""
        a = np.divide(z, 6, out=out)
        np.add(a, 0.5, out=a)
        return a.clip(0.0, 1.0, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return (z / 6 + 0.5).clip(0.0, 1.0)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da/6 ∘ [0 < a < 1]."""
        assert a is not None
        dz = np.multiply(da, (a > 0) & (a < 1), out=out)
        return np.divide(dz, 6, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: min(max(z / 6 + 0.5, 0), 1), lambda z, a: 1 / 6 if 0 < a < 1 else 0


class Tanh(Activation):
    """The hyperbolic tangent: a = tanh z, dz = da ∘ (1 − a²).

    References
    ----------
    LeCun, Bottou, Orr & Müller (1998), Efficient BackProp, sec. 4.4.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Tanh
    >>> Tanh().f(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return tanh z."""
        return np.tanh(z, out=out)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.tanh()

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ (1 − a²)."""
        assert a is not None
        dz = np.multiply(a, a, out=out)
        np.subtract(1, dz, out=dz)
        return np.multiply(dz, da, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: math.tanh(z), lambda z, a: 1 - a * a


Bound = Annotated[float, Field(allow_inf_nan=False)]


class HardTanh(Activation):
    """The hard tanh: a = min(max(z, l), u), dz = da where l < a < u, else 0 (0 at the kinks z = l and z = u).

    Parameters
    ----------
    min_value, max_value : float
        The bounds l and u, l < u.

    Raises
    ------
    InvalidSpecError
        If min_value is not less than max_value.

    References
    ----------
    Collobert, Weston, Bottou, Karlen, Kavukcuoglu & Kuksa (2011), Natural language processing (almost) from scratch,
    JMLR 12.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import HardTanh
    >>> HardTanh(max_value=2).f(np.array([-4.0, 0.5, 4.0]))
    array([-1. ,  0.5,  2. ])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    min_value: Bound = -1.0
    max_value: Bound = 1.0

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if not self.min_value < self.max_value:
            raise ValueError(f"min_value should be less than max_value, got {self.min_value} and {self.max_value}")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with bounds that zero is the middle of, and with others."""
        return (cls(), cls(0.1, 1.5))

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z, l), u)."""
        return z.clip(self.min_value, self.max_value, out=out)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(self.min_value, self.max_value)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [l < a < u]."""
        assert a is not None
        return np.multiply(da, (a > self.min_value) & (a < self.max_value), out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        lower, upper = self.min_value, self.max_value
        return lambda z: min(max(z, lower), upper), lambda z, a: 1 if lower < a < upper else 0


class Softsign(Activation):
    """The softsign: a = z / (1 + |z|), dz = da / (1 + |z|)².

    References
    ----------
    Bergstra, Desjardins, Lamblin & Bengio (2009), Quadratic polynomials learn better image features, technical report
    1337, Université de Montréal.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Softsign
    >>> Softsign().f(np.array([-3.0, 0.0, 1.0]))
    array([-0.75,  0.  ,  0.5 ])
    """

    # Not from a as da (1 − |a|)²: in float32 its error at |z| = 10⁴ is 0.2 %, and the slow tails are what it is for.
    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z / (1 + |z|)."""
        x: Array = z.clip(-HUGE, HUGE)
        a = np.abs(x, out=out)
        np.add(a, 1, out=a)
        return np.divide(x, a, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(-HUGE, HUGE) / (1 + abs(z.clip(-HUGE, HUGE)))

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da / (1 + |z|)²."""
        assert z is not None
        root = np.abs(z)
        np.add(root, 1, out=root)
        dz = np.divide(da, root, out=out)
        return np.divide(dz, root, out=dz)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return (
            lambda z: min(max(z, -HUGE), HUGE) / (1 + min(abs(z), HUGE)),
            lambda z, a: 1 / (1 + abs(z)) / (1 + abs(z)),
        )


HUGE = 1e30
"""Here a is ±1 to the last digit; z is cut for the sake of ∞ / ∞."""


class ReLU6(Rectifier):
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

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(max(z, 0), 6)."""
        return z.clip(0.0, 6.0, out=out)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return z.clip(0.0, 6.0)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ [0 < a < 6]."""
        assert a is not None
        return np.multiply(da, (a > 0) & (a < 6), out=out)

    def formulas(self) -> Formulas:
        """Return σ(z) and σ'(z) of one number."""
        return lambda z: min(max(z, 0), 6), lambda z, a: 1 if 0 < a < 6 else 0

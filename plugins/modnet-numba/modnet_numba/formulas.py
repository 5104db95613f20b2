"""Formulas of the standard activations, as an activation may offer them: a = σ(z) and σ'(z), given z and a.

They are what the classes in `modnet_standard.activations` say, written for one number: min and max in the place of
branches, no power of e that overflows, and z cut where it would meet a factor of 0 at −∞.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from modnet import Activation, Module, activations
from modnet_numba.elementary import largest
from modnet_numba.fusing import is_vectorizable

Function = Callable[..., Any]


class Formulas(NamedTuple):
    """Two functions of one number."""

    f: Function
    """a = σ(z)."""
    df: Function
    """σ'(z), given z and a."""


def formulas_of(module: Module) -> Formulas | None:
    """Return the formulas that an activation offers, or those we have for its class.

    Returns
    -------
    Formulas or None
        None if there are none, or if a compiled loop would be slower than NumPy's.
    """
    if not isinstance(module, Activation):
        return None
    offered, cls = module.formulas(), type(module)
    # A class that inherits formulas and defines another f is another function.
    if offered is not None and _depth(cls, "formulas") <= min(_depth(cls, "f"), _depth(cls, "df")):
        return Formulas(*offered) if all(is_vectorizable(each) for each in offered) else None
    known = _KNOWN.get(cls)
    return None if known is None else known(module)


def _depth(cls: type, name: str) -> int:
    """Return how far above a class the one is that defines a method."""
    return next(depth for depth, each in enumerate(cls.__mro__) if name in vars(each))


def _celu(self: activations.CELU) -> Formulas:
    alpha = self.alpha
    return Formulas(
        lambda z: max(z, 0) + alpha * math.expm1(min(z, 0) / alpha),
        lambda z, a: min(a, 0) / alpha + 1,
    )


def _elu(self: activations.ELU) -> Formulas:
    alpha = self.alpha
    return Formulas(
        lambda z: max(z, 0) + alpha * math.expm1(min(z, 0)),
        lambda z, a: 1 if a > 0 else a + alpha,
    )


def _exponential(self: activations.Exponential) -> Formulas:
    return Formulas(
        lambda z: min(math.exp(z), largest(z)),
        lambda z, a: 0 if a == largest(a) else a,
    )


def _gelu(self: activations.GELU) -> Formulas:
    if self.approximate == "sigmoid":
        return _swish(1.702)
    if self.approximate == "tanh":
        c, cubic = math.sqrt(2 / math.pi), 0.044715

        def half_tanh(z: float) -> float:
            return 0.5 * (1 + math.tanh(c * z * (1 + cubic * z * z)))

        def slope(z: float) -> float:
            p = half_tanh(z)
            return p + 2 * z * p * (1 - p) * c * (1 + 3 * cubic * z * z)

        return Formulas(lambda z: half_tanh(max(z, -750)) * max(z, -750), lambda z, a: slope(min(max(z, -750), 750)))
    root, density = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)

    def normal(z: float) -> float:
        return 0.5 * math.erfc(-root * z)

    def exact_slope(z: float) -> float:
        return normal(z) + density * z * math.exp(-0.5 * z * z)

    return Formulas(lambda z: normal(max(z, -750)) * max(z, -750), lambda z, a: exact_slope(min(max(z, -750), 750)))


def _hard_shrink(self: activations.HardShrink) -> Formulas:
    threshold = self.threshold
    return Formulas(
        lambda z: z if abs(z) > threshold else 0,
        lambda z, a: 1 if a != 0 else 0,
    )


def _hard_sigmoid(self: activations.HardSigmoid) -> Formulas:
    return Formulas(
        lambda z: min(max(z / 6 + 0.5, 0), 1),
        lambda z, a: 1 / 6 if 0 < a < 1 else 0,
    )


def _hard_swish(self: activations.HardSwish) -> Formulas:
    return Formulas(
        lambda z: max(z, -3) * min(max(z + 3, 0), 6) / 6,
        lambda z, a: (1 if z > 0 else 0) if abs(z) >= 3 else z / 3 + 0.5,
    )


def _hard_tanh(self: activations.HardTanh) -> Formulas:
    lower, upper = self.min_value, self.max_value
    return Formulas(
        lambda z: min(max(z, lower), upper),
        lambda z, a: 1 if lower < a < upper else 0,
    )


def _leaky_relu(self: activations.LeakyReLU) -> Formulas:
    slope = self.negative_slope
    return Formulas(
        lambda z: z if z > slope * z else slope * z,  # of inf, too, as the original has it
        lambda z, a: 1 if a > 0 else slope,
    )


def _log_sigmoid(self: activations.LogSigmoid) -> Formulas:
    return Formulas(
        lambda z: min(z, 0) - math.log1p(math.exp(-abs(z))),
        lambda z, a: -math.expm1(a),
    )


def _mish(self: activations.Mish) -> Formulas:
    def f(z: float) -> float:
        e = math.exp(min(z, 20))
        n = e * (e + 2)
        return max(z, -750) * n / (n + 2)

    def df(z: float, a: float) -> float:
        x = min(max(z, -750), 20)
        e = math.exp(x)
        n = e * (e + 2)
        return (n + 4 * x * e * (e + 1) / (n + 2)) / (n + 2)

    return Formulas(f, df)


def _relu(self: activations.ReLU) -> Formulas:
    return Formulas(
        lambda z: max(z, 0),
        lambda z, a: 1 if a > 0 else 0,
    )


def _relu6(self: activations.ReLU6) -> Formulas:
    return Formulas(
        lambda z: min(max(z, 0), 6),
        lambda z, a: 1 if 0 < a < 6 else 0,
    )


def _relu_squared(self: activations.ReLUSquared) -> Formulas:
    return Formulas(
        lambda z: max(z, 0) ** 2,
        lambda z, a: 2 * math.sqrt(a),
    )


def _selu(self: activations.SELU) -> Formulas:
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return Formulas(
        lambda z: scale * max(z, 0) + scale * alpha * math.expm1(min(z, 0)),
        lambda z, a: scale if a > 0 else a + scale * alpha,
    )


def _sigmoid(self: activations.Sigmoid) -> Formulas:
    return Formulas(
        lambda z: 0.5 * math.tanh(0.5 * z) + 0.5,
        lambda z, a: a * (1 - a),
    )


def _silu(self: activations.SiLU) -> Formulas:
    return _swish(1)


def _soft_shrink(self: activations.SoftShrink) -> Formulas:
    threshold = self.threshold
    return Formulas(
        lambda z: z - min(max(z, -threshold), threshold),
        lambda z, a: 1 if a != 0 else 0,
    )


def _softplus(self: activations.Softplus) -> Formulas:
    beta = self.beta
    return Formulas(
        lambda z: max(z, 0) + math.log1p(math.exp(-beta * abs(z))) / beta,
        lambda z, a: -math.expm1(-beta * a),
    )


def _softsign(self: activations.Softsign) -> Formulas:
    huge = 1e30
    return Formulas(
        lambda z: min(max(z, -huge), huge) / (1 + min(abs(z), huge)),
        lambda z, a: 1 / (1 + abs(z)) / (1 + abs(z)),
    )


def _sparse_plus(self: activations.SparsePlus) -> Formulas:
    return Formulas(
        lambda z: max(z, 1) - 1 + (0.5 * min(max(z, -1), 1) + 0.5) ** 2,
        lambda z, a: min(math.sqrt(a), 1),
    )


def _squareplus(self: activations.Squareplus) -> Formulas:
    b = self.b
    return Formulas(
        lambda z: max(z, 0) + 0.5 * b / (abs(z) + math.sqrt(z * z + b)),
        lambda z, a: 1 / (1 + 0.25 * b / (a * a)),
    )


def _swish(k: float) -> Formulas:
    def sigmoid(x: float) -> float:
        return 0.5 * math.tanh(0.5 * x) + 0.5

    def slope(x: float) -> float:
        return sigmoid(x) * (1 + x * (1 - sigmoid(x)))

    return Formulas(
        lambda z: max(z, -750) * sigmoid(k * z),
        lambda z, a: slope(k * min(max(z, -750), 750)),
    )


def _tanh(self: activations.Tanh) -> Formulas:
    return Formulas(
        lambda z: math.tanh(z),
        lambda z, a: 1 - a * a,
    )


def _tanh_shrink(self: activations.TanhShrink) -> Formulas:
    return Formulas(
        lambda z: z - math.tanh(z),
        lambda z, a: math.tanh(z) ** 2,
    )


def _threshold(self: activations.Threshold) -> Formulas:
    threshold, value = self.threshold, self.value
    return Formulas(
        lambda z: z if z > threshold else value,
        lambda z, a: 1 if z > threshold else 0,
    )


_KNOWN: dict[type[Module], Callable[[Any], Formulas]] = {
    activations.CELU: _celu,
    activations.ELU: _elu,
    activations.Exponential: _exponential,
    activations.GELU: _gelu,
    activations.HardShrink: _hard_shrink,
    activations.HardSigmoid: _hard_sigmoid,
    activations.HardSwish: _hard_swish,
    activations.HardTanh: _hard_tanh,
    activations.LeakyReLU: _leaky_relu,
    activations.LogSigmoid: _log_sigmoid,
    activations.Mish: _mish,
    activations.ReLU: _relu,
    activations.ReLU6: _relu6,
    activations.ReLUSquared: _relu_squared,
    activations.SELU: _selu,
    activations.Sigmoid: _sigmoid,
    activations.SiLU: _silu,
    activations.SoftShrink: _soft_shrink,
    activations.Softplus: _softplus,
    activations.Softsign: _softsign,
    activations.SparsePlus: _sparse_plus,
    activations.Squareplus: _squareplus,
    activations.Tanh: _tanh,
    activations.TanhShrink: _tanh_shrink,
    activations.Threshold: _threshold,
}

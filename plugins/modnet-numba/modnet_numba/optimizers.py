"""Optimizers: each rule as one pass over θ, the gradient and the vectors of the state, which is the original's."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Self

import numpy as np

from modnet import Array, Optimizer, OptimizerState, Slot
from modnet.component import field_names
from modnet.optimizers import (
    SGD,
    AdaBelief,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
)
from modnet_numba.compiling import kernel

_BLOCK = 256
"""Rules that divide go through θ in blocks of so many elements: first what is remembered, then θ.

In one loop, a load whose address has the last twelve bits of a store that waits for a division would wait for it too:
80,000 elements of Adam take 23 to 67 µs, depending on where the vectors lie, and 27 to 32 in blocks (float32, Zen 4).
"""


class FusedOptimizer(Optimizer):
    """The twin of an optimizer: the same rule on the same state, in one pass.

    Parameters
    ----------
    original : Optimizer
        One of those that there is a pass for.
    learning_rate, schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        Those of the original.
    """

    original: Annotated[Optimizer, Slot("optimizer")] = SGD()

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return the twins of all examples that the originals give of themselves."""
        return tuple(cls.of(example) for original in _STEPS for example in original.examples())

    @classmethod
    def of(cls, original: Optimizer) -> Self:
        """Return the twin of an optimizer."""
        return cls(original=original, **{name: getattr(original, name) for name in field_names(Optimizer)})

    def init(self, theta: Array) -> OptimizerState:
        """Return the original's state."""
        state = self.original.init(theta)
        state.learning_rate = self.learning_rate
        return state

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Change θ and the state as the original does."""
        state.step += 1
        _STEPS[type(self.original)](self.original, theta, grad, state)


def has_pass(optimizer: Optimizer) -> bool:
    """Return whether there is a pass for an optimizer."""
    return type(optimizer) in _STEPS


@kernel
def _descend(theta: Array, grad: Array, rate: float) -> None:
    """Set θ ← θ − η g."""
    rate = theta.dtype.type(rate)
    for i in range(theta.size):
        theta[i] -= rate * grad[i]


@kernel
def _roll(
    theta: Array, grad: Array, v: Array, momentum: float, inside: float, ahead: float | None, outside: float
) -> None:
    """Set v ← μ v + inside · g, θ ← θ − ahead · g − outside · v, without g where nothing looks ahead."""
    number = theta.dtype.type
    momentum, inside, outside = number(momentum), number(inside), number(outside)
    for i in range(theta.size):
        v[i] = momentum * v[i] + inside * grad[i]
        theta[i] -= outside * v[i] if ahead is None else number(ahead) * grad[i] + outside * v[i]


def _sgd(sgd: SGD, theta: Array, grad: Array, state: OptimizerState) -> None:
    rate, momentum = state.learning_rate, sgd.momentum
    if not momentum:
        _descend(theta, grad, rate)
        return
    inside, outside = (1.0, rate) if sgd.velocity == "gradients" else (rate, 1.0)
    if sgd.nesterov:
        _roll(theta, grad, state.vectors["v"], momentum, inside, rate, outside * momentum)
    else:
        _roll(theta, grad, state.vectors["v"], momentum, inside, None, outside)


@kernel
def _divide(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    largest: Array | None,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    rate: float,
) -> None:
    """Set m ← β₁ m + g, v ← β₂ v + g², θ ← θ − η m / (√v + ε); with the largest v so far, if it is kept."""
    number = theta.dtype.type
    beta_1, beta_2, epsilon, rate = number(beta_1), number(beta_2), number(epsilon), number(rate)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, m_, v_ = theta[block], grad[block], m[block], v[block]
        bound = v_ if largest is None else largest[block]
        for i in range(g.size):
            m_[i] = beta_1 * m_[i] + g[i]
            v_[i] = beta_2 * v_[i] + g[i] * g[i]
        if largest is not None:
            for i in range(g.size):
                bound[i] = bound[i] if v_[i] <= bound[i] else v_[i]
        for i in range(g.size):
            theta_[i] -= rate * (m_[i] / (np.sqrt(bound[i]) + epsilon))


def _adam(adam: Adam | AdamW, theta: Array, grad: Array, state: OptimizerState) -> None:
    beta_1, beta_2, vectors = adam.beta_1, adam.beta_2, state.vectors
    root = math.sqrt((1 - beta_2) / (1 - beta_2**state.step))  # √v̂ = root · √v
    rate = state.learning_rate * (1 - beta_1) / (1 - beta_1**state.step) / root
    hat = isinstance(adam, Adam) and adam.epsilon_hat
    epsilon = adam.epsilon / (math.sqrt(1 - beta_2) if hat else root)
    largest = vectors["largest"] if adam.amsgrad else None
    _divide(theta, grad, vectors["m"], vectors["v"], largest, beta_1, beta_2, epsilon, rate)


@kernel
def _look_ahead(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    of_m: float,
    rate: float,
) -> None:
    """Set m ← β₁ m + g, v ← β₂ v + g², θ ← θ − η (g + of_m · m) / (√v + ε)."""
    number = theta.dtype.type
    beta_1, beta_2, epsilon = number(beta_1), number(beta_2), number(epsilon)
    of_m, rate = number(of_m), number(rate)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, m_, v_ = theta[block], grad[block], m[block], v[block]
        for i in range(g.size):
            m_[i] = beta_1 * m_[i] + g[i]
            v_[i] = beta_2 * v_[i] + g[i] * g[i]
        for i in range(g.size):
            theta_[i] -= rate * ((of_m * m_[i] + g[i]) / (np.sqrt(v_[i]) + epsilon))


def _nadam(nadam: NAdam, theta: Array, grad: Array, state: OptimizerState) -> None:
    t, beta_1, beta_2 = state.step, nadam.beta_1, nadam.beta_2
    mu, next_mu = (beta_1 * (1 - 0.5 * float(0.96 ** (each * nadam.momentum_decay))) for each in (t, t + 1))
    product = state.scalars["product"] = state.scalars["product"] * mu
    of_grad = (1 - mu) / (1 - product)
    of_m = (1 - beta_1) * next_mu / (1 - product * next_mu)
    scale = math.sqrt((1 - beta_2) / (1 - beta_2**t))  # √v̂ = scale · √v
    epsilon, rate = nadam.epsilon / scale, state.learning_rate * of_grad / scale
    m, v = state.vectors["m"], state.vectors["v"]
    _look_ahead(theta, grad, m, v, beta_1, beta_2, epsilon, of_m / of_grad, rate)


@kernel
def _follow(theta: Array, grad: Array, m: Array, v: Array, beta_1: float, beta_2: float, rate: float) -> None:
    """Set m ← β₁ m + g, v ← β₂ v + g², θ ← θ − η m."""
    number = theta.dtype.type
    beta_1, beta_2, rate = number(beta_1), number(beta_2), number(rate)
    for i in range(theta.size):
        g = grad[i]
        m[i] = beta_1 * m[i] + g
        v[i] = beta_2 * v[i] + g * g
        theta[i] -= rate * m[i]


def _radam(radam: RAdam, theta: Array, grad: Array, state: OptimizerState) -> None:
    t, beta_1, beta_2 = state.step, radam.beta_1, radam.beta_2
    m, v = state.vectors["m"], state.vectors["v"]
    rate = state.learning_rate * (1 - beta_1) / (1 - beta_1**t)
    unbiased = 1 - beta_2**t
    longest = 2 / (1 - beta_2) - 1
    rho = longest - 2 * t * beta_2**t / unbiased
    if rho > 5:
        rectified = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
        root = math.sqrt(1 - beta_2)
        rate *= rectified * math.sqrt(unbiased) / root
        _divide(theta, grad, m, v, None, beta_1, beta_2, radam.epsilon / root, rate)
    else:
        _follow(theta, grad, m, v, beta_1, beta_2, rate)


@kernel
def _believe(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    beta_1: float,
    beta_2: float,
    inside: float,
    epsilon: float,
    rate: float,
) -> None:
    """Set m ← m + (1 − β₁)(g − m), v ← β₂ v + (g − m)² + inside, θ ← θ − η m / (√v + ε)."""
    number = theta.dtype.type
    share, left = number(1 - beta_1), number(beta_1 / (1 - beta_1))
    beta_2, inside = number(beta_2), number(inside)
    epsilon, rate = number(epsilon), number(rate)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, m_, v_ = theta[block], grad[block], m[block], v[block]
        for i in range(g.size):
            way = share * (g[i] - m_[i])
            m_[i] += way
            surprise = left * way  # g − m of the new m is β₁ (g − m) of the old one
            v_[i] = beta_2 * v_[i] + (surprise * surprise + inside)
        for i in range(g.size):
            theta_[i] -= rate * (m_[i] / (np.sqrt(v_[i]) + epsilon))


def _adabelief(adabelief: AdaBelief, theta: Array, grad: Array, state: OptimizerState) -> None:
    beta_1, beta_2, epsilon = adabelief.beta_1, adabelief.beta_2, adabelief.epsilon
    root = math.sqrt((1 - beta_2) / (1 - beta_2**state.step))  # √v̂ = root · √v
    rate = state.learning_rate / (1 - beta_1**state.step) / root
    m, v = state.vectors["m"], state.vectors["v"]
    _believe(theta, grad, m, v, beta_1, beta_2, epsilon / (1 - beta_2), epsilon / root, rate)


@kernel
def _bound(
    theta: Array, grad: Array, m: Array, u: Array, beta_1: float, beta_2: float, epsilon: float, rate: float
) -> None:
    """Set m ← β₁ m + g, u ← max(β₂ u, |g| + ε), θ ← θ − η m / u."""
    number = theta.dtype.type
    beta_1, beta_2, epsilon, rate = number(beta_1), number(beta_2), number(epsilon), number(rate)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, m_, u_ = theta[block], grad[block], m[block], u[block]
        for i in range(g.size):
            m_[i] = beta_1 * m_[i] + g[i]
            faded, size = beta_2 * u_[i], abs(g[i]) + epsilon
            u_[i] = size if faded <= size else faded
        for i in range(g.size):
            theta_[i] -= rate * (m_[i] / u_[i])


def _adamax(adamax: Adamax, theta: Array, grad: Array, state: OptimizerState) -> None:
    beta_1 = adamax.beta_1
    rate = state.learning_rate * (1 - beta_1) / (1 - beta_1**state.step)
    m, u = state.vectors["m"], state.vectors["u"]
    _bound(theta, grad, m, u, beta_1, adamax.beta_2, adamax.epsilon, rate)


@kernel
def _scale(
    theta: Array,
    grad: Array,
    v: Array,
    mean: Array | None,
    b: Array | None,
    rho: float,
    epsilon: float,
    momentum: float,
    rate: float,
) -> None:
    """Set v ← ρ v + g², s = g / (√v + ε), θ ← θ − η s; centered by the mean, and rolling on in b, if they are kept."""
    number = theta.dtype.type
    of_square = number(rho - 1)
    rho, epsilon, momentum, rate = number(rho), number(epsilon), number(momentum), number(rate)
    steps = np.empty(_BLOCK, theta.dtype)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, v_ = theta[block], grad[block], v[block]
        for i in range(g.size):
            v_[i] = rho * v_[i] + g[i] * g[i]
        if mean is None:
            for i in range(g.size):
                steps[i] = g[i] / (np.sqrt(v_[i]) + epsilon)
        else:
            mean_ = mean[block]
            for i in range(g.size):
                mean_[i] = rho * mean_[i] + g[i]
            for i in range(g.size):
                variance = of_square * (mean_[i] * mean_[i]) + v_[i]  # which rounding can bring below zero
                steps[i] = g[i] / (np.sqrt(number(0) if variance < 0 else variance) + epsilon)
        if b is not None:
            b_ = b[block]
            for i in range(g.size):
                b_[i] = momentum * b_[i] + steps[i]
                steps[i] = b_[i]
        for i in range(g.size):
            theta_[i] -= rate * steps[i]


def _rmsprop(rmsprop: RMSprop, theta: Array, grad: Array, state: OptimizerState) -> None:
    vectors, rho, root = state.vectors, rmsprop.rho, math.sqrt(1 - rmsprop.rho)
    mean, b = vectors.get("mean"), vectors.get("b")
    rate = state.learning_rate / root
    _scale(theta, grad, vectors["v"], mean, b, rho, rmsprop.epsilon / root, rmsprop.momentum, rate)


def _adagrad(adagrad: Adagrad, theta: Array, grad: Array, state: OptimizerState) -> None:
    _scale(theta, grad, state.vectors["v"], None, None, 1.0, adagrad.epsilon, 0.0, state.learning_rate)


@kernel
def _balance(theta: Array, grad: Array, u: Array, v: Array, rho: float, epsilon: float, rate: float) -> None:
    """Set v ← ρ v + g², Δ = g √((u + ε) / (v + ε)), u ← ρ u + Δ², θ ← θ − η Δ; Δ takes the memory of g."""
    number = theta.dtype.type
    rho, epsilon, rate = number(rho), number(epsilon), number(rate)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, u_, v_ = theta[block], grad[block], u[block], v[block]
        for i in range(g.size):
            v_[i] = rho * v_[i] + g[i] * g[i]
        for i in range(g.size):
            g[i] *= np.sqrt((u_[i] + epsilon) / (v_[i] + epsilon))
        for i in range(g.size):
            u_[i] = rho * u_[i] + g[i] * g[i]
            theta_[i] -= rate * g[i]


def _adadelta(adadelta: Adadelta, theta: Array, grad: Array, state: OptimizerState) -> None:
    u, v = state.vectors["u"], state.vectors["v"]
    _balance(theta, grad, u, v, adadelta.rho, adadelta.epsilon / (1 - adadelta.rho), state.learning_rate)


@kernel
def _sign(theta: Array, grad: Array, m: Array, of_m: float, beta_2: float, rate: float) -> None:
    """Set θ ← θ − η sign(of_m · m + g), m ← β₂ m + g."""
    number = theta.dtype.type
    of_m, beta_2, rate = number(of_m), number(beta_2), number(rate)
    for i in range(theta.size):
        g = grad[i]
        c = of_m * m[i] + g
        theta[i] -= rate if c > 0 else -rate if c < 0 else c  # c is 0 or NaN then
        m[i] = beta_2 * m[i] + g


def _lion(lion: Lion, theta: Array, grad: Array, state: OptimizerState) -> None:
    of_m = lion.beta_1 * (1 - lion.beta_2) / (1 - lion.beta_1)
    _sign(theta, grad, state.vectors["m"], of_m, lion.beta_2, state.learning_rate)


_STEPS: dict[type[Optimizer], Callable[[Any, Array, Array, OptimizerState], None]] = {
    SGD: _sgd,
    AdaBelief: _adabelief,
    Adadelta: _adadelta,
    Adagrad: _adagrad,
    Adam: _adam,
    Adamax: _adamax,
    AdamW: _adam,
    Lion: _lion,
    NAdam: _nadam,
    RAdam: _radam,
    RMSprop: _rmsprop,
}

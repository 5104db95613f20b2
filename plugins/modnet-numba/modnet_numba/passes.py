"""The passes of optimizers: what the penalty, limits and each rule do to θ, ∇J and vectors, in one go through memory.

`clock` is an array of the number of this step, from 1 on, and the learning rate: numbers that change from step to step,
and so are read where they stand.
"""

import math

import numpy as np

from modnet import Array
from modnet_numba.compiling import kernel, part

_BLOCK = 256
"""Rules that divide go through θ in blocks of so many elements: first what is remembered, then θ.

In one loop, a load whose address has the last twelve bits of a store that waits for a division would wait for it too:
80,000 elements of Adam take 23 to 67 µs, depending on where the vectors lie, and 27 to 32 in blocks (float32, Zen 4).
"""


@kernel
def penalize(W: Array, dW: Array, value: Array, alpha: float, l1_ratio: float) -> None:
    """Write the penalty (α/Σw) (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁), and add its gradient to ∂J/∂W."""
    number = W.dtype.type
    strength = alpha / value[2]
    of_square, of_sign = number(strength * (1 - l1_ratio)), number(strength * l1_ratio)
    square = absolute = 0.0
    for i in range(W.size):  # sums in loops that store nothing, as in squared_error
        square += W[i] * W[i]
    for i in range(W.size):
        dW[i] += of_square * W[i]
    if l1_ratio:
        for i in range(W.size):
            absolute += abs(W[i])
        for i in range(W.size):
            dW[i] += of_sign if W[i] > 0 else -of_sign if W[i] < 0 else number(0)
    value[1] = strength * (0.5 * (1 - l1_ratio) * square + l1_ratio * absolute)


@kernel
def shrink(theta: Array, clock: Array, decay: float) -> None:
    """Set θ ← (1 − ηλ) θ."""
    kept = theta.dtype.type(1 - clock[1] * decay)
    for i in range(theta.size):
        theta[i] *= kept


@kernel
def clip(grad: Array, limit: float) -> None:
    """Hold the elements of g within ± limit."""
    limit = grad.dtype.type(limit)
    for i in range(grad.size):
        g = grad[i]
        g = limit if g > limit else g
        grad[i] = -limit if g < -limit else g


@kernel
def clip_norm(grad: Array, limit: float) -> None:
    """Scale g down to a norm of at most the limit."""
    square = 0.0
    for i in range(grad.size):
        square += grad[i] * grad[i]
    norm = math.sqrt(square)
    if norm > limit:
        scale = grad.dtype.type(limit / norm)
        for i in range(grad.size):
            grad[i] *= scale


@kernel
def descend(theta: Array, grad: Array, clock: Array) -> None:
    """Set θ ← θ − η g."""
    rate = theta.dtype.type(clock[1])
    for i in range(theta.size):
        theta[i] -= rate * grad[i]


@kernel
def roll(theta: Array, grad: Array, v: Array, clock: Array, momentum: float, nesterov: bool, of_steps: bool) -> None:
    """Set v ← μ v + g, θ ← θ − η v, or Nesterov's θ − η (g + μ v); with the rate in v where v is of steps."""
    number, rate = theta.dtype.type, clock[1]
    inside, outside = (number(rate), number(1)) if of_steps else (number(1), number(rate))
    ahead, outside = (number(rate), outside * number(momentum)) if nesterov else (number(0), outside)
    for i in range(theta.size):
        g = grad[i]
        v[i] = number(momentum) * v[i] + inside * g
        theta[i] -= ahead * g + outside * v[i] if nesterov else outside * v[i]


@part
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


@kernel
def adam(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    largest: Array | None,
    clock: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    hat: bool,
) -> None:
    """Set m ← β₁ m + g, v ← β₂ v + g², θ ← θ − η m̂ / (√v̂ + ε)."""
    root = math.sqrt((1 - beta_2) / (1 - beta_2 ** clock[0]))  # √v̂ = root · √v
    rate = clock[1] * (1 - beta_1) / (1 - beta_1 ** clock[0]) / root
    epsilon /= math.sqrt(1 - beta_2) if hat else root
    _divide(theta, grad, m, v, largest, beta_1, beta_2, epsilon, rate)


@kernel
def look_ahead(
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


@part
def _follow(theta: Array, grad: Array, m: Array, v: Array, beta_1: float, beta_2: float, rate: float) -> None:
    """Set m ← β₁ m + g, v ← β₂ v + g², θ ← θ − η m."""
    number = theta.dtype.type
    beta_1, beta_2, rate = number(beta_1), number(beta_2), number(rate)
    for i in range(theta.size):
        g = grad[i]
        m[i] = beta_1 * m[i] + g
        v[i] = beta_2 * v[i] + g * g
        theta[i] -= rate * m[i]


@kernel
def radam(
    theta: Array, grad: Array, m: Array, v: Array, clock: Array, beta_1: float, beta_2: float, epsilon: float
) -> None:
    """Set m ← β₁ m + g, v ← β₂ v + g², θ ← θ − η r m̂ / (√v̂ + ε) where ρ > 5, else θ ← θ − η m̂."""
    t = clock[0]
    rate = clock[1] * (1 - beta_1) / (1 - beta_1**t)
    unbiased = 1 - beta_2**t
    longest = 2 / (1 - beta_2) - 1
    rho = longest - 2 * t * beta_2**t / unbiased
    if rho > 5:
        rectified = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
        root = math.sqrt(1 - beta_2)
        _divide(theta, grad, m, v, None, beta_1, beta_2, epsilon / root, rate * rectified * math.sqrt(unbiased) / root)
    else:
        _follow(theta, grad, m, v, beta_1, beta_2, rate)


@kernel
def adabelief(
    theta: Array, grad: Array, m: Array, v: Array, clock: Array, beta_1: float, beta_2: float, epsilon: float
) -> None:
    """Set m ← m + (1 − β₁)(g − m), v ← β₂ v + (g − m)² + ε / (1 − β₂), θ ← θ − η m̂ / (√v̂ + ε)."""
    root = math.sqrt((1 - beta_2) / (1 - beta_2 ** clock[0]))  # √v̂ = root · √v
    number = theta.dtype.type
    rate = number(clock[1] / (1 - beta_1 ** clock[0]) / root)
    inside, epsilon = number(epsilon / (1 - beta_2)), number(epsilon / root)
    share, left, beta_2 = number(1 - beta_1), number(beta_1 / (1 - beta_1)), number(beta_2)
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


@kernel
def adamax(
    theta: Array, grad: Array, m: Array, u: Array, clock: Array, beta_1: float, beta_2: float, epsilon: float
) -> None:
    """Set m ← β₁ m + g, u ← max(β₂ u, |g| + ε), θ ← θ − η m̂ / u."""
    number = theta.dtype.type
    rate = number(clock[1] * (1 - beta_1) / (1 - beta_1 ** clock[0]))
    beta_1, beta_2, epsilon = number(beta_1), number(beta_2), number(epsilon)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, m_, u_ = theta[block], grad[block], m[block], u[block]
        for i in range(g.size):
            m_[i] = beta_1 * m_[i] + g[i]
            faded, size = beta_2 * u_[i], abs(g[i]) + epsilon
            u_[i] = size if faded <= size else faded
        for i in range(g.size):
            theta_[i] -= rate * (m_[i] / u_[i])


@kernel
def scale(
    theta: Array,
    grad: Array,
    v: Array,
    mean: Array | None,
    b: Array | None,
    rho: float,
    epsilon: float,
    momentum: float,
    clock: Array,
    of_rate: float,
) -> None:
    """Set v ← ρ v + g², s = g / (√v + ε), θ ← θ − of_rate η s; with a mean s is centered, with b it rolls on."""
    number = theta.dtype.type
    of_square = number(rho - 1)
    rho, epsilon, momentum, rate = number(rho), number(epsilon), number(momentum), number(clock[1] * of_rate)
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


@kernel
def balance(theta: Array, grad: Array, u: Array, v: Array, clock: Array, rho: float, epsilon: float) -> None:
    """Set v ← ρ v + g², Δ = g √((u + ε) / (v + ε)), u ← ρ u + Δ², θ ← θ − η Δ."""
    number = theta.dtype.type
    rho, epsilon, rate = number(rho), number(epsilon), number(clock[1])
    delta = np.empty(_BLOCK, theta.dtype)
    for start in range(0, theta.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        theta_, g, u_, v_ = theta[block], grad[block], u[block], v[block]
        for i in range(g.size):
            v_[i] = rho * v_[i] + g[i] * g[i]
        for i in range(g.size):
            delta[i] = np.sqrt((u_[i] + epsilon) / (v_[i] + epsilon)) * g[i]
        for i in range(g.size):
            u_[i] = rho * u_[i] + delta[i] * delta[i]
            theta_[i] -= rate * delta[i]


@kernel
def step_by_sign(theta: Array, grad: Array, m: Array, clock: Array, of_m: float, beta_2: float) -> None:
    """Set θ ← θ − η sign(of_m · m + g), m ← β₂ m + g."""
    number = theta.dtype.type
    of_m, beta_2, rate = number(of_m), number(beta_2), number(clock[1])
    for i in range(theta.size):
        g = grad[i]
        c = of_m * m[i] + g
        theta[i] -= rate if c > 0 else -rate if c < 0 else c  # c is 0 or NaN then
        m[i] = beta_2 * m[i] + g

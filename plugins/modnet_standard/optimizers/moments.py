"""What Adam and its relatives share: the running means of the gradient and of its square, and the step that divides.

The vectors hold m/(1 − β₁) and v/(1 − β₂): so all constants of a step meet in two numbers, and it is ten passes over θ
instead of fourteen. They go through the gradient's own memory, which becomes g², √v and the step in turn: θ, g, m and v
are all that is held.
"""

import math

import numpy as np

from modnet import Array, OptimizerState


def moments(theta: Array, learning_rate: float, *more: str) -> OptimizerState:
    """Return the state with m = v = 0, and zeros under other names."""
    return OptimizerState(learning_rate, vectors={name: np.zeros_like(theta) for name in ("m", "v", *more)})


def follow(grad: Array, state: OptimizerState, beta_1: float, beta_2: float) -> tuple[Array, Array]:
    """Count a step, update m ← β₁ m + g and v ← β₂ v + g², and return both; the gradient becomes g²."""
    m, v = state.vectors["m"], state.vectors["v"]
    state.step += 1
    m *= beta_1
    m += grad
    grad *= grad
    v *= beta_2
    v += grad
    return m, v


def adam_init(theta: Array, learning_rate: float, *, amsgrad: bool) -> OptimizerState:
    """Return m = v = 0; with `amsgrad` also the largest v so far."""
    return moments(theta, learning_rate, *(("largest",) if amsgrad else ()))


def adam_step(
    theta: Array,
    grad: Array,
    state: OptimizerState,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    *,
    amsgrad: bool,
    epsilon_hat: bool = False,
) -> None:
    """Move θ by −η m̂ / (√v̂ + ε); the arguments are the fields of `Adam`."""
    m, v = follow(grad, state, beta_1, beta_2)
    root = math.sqrt((1 - beta_2) / (1 - beta_2**state.step))  # √v̂ = root · √v
    rate = state.learning_rate * (1 - beta_1) / (1 - beta_1**state.step) / root
    if amsgrad:
        largest = state.vectors["largest"]
        v = np.maximum(largest, v, out=largest)
    step = np.sqrt(v, out=grad)
    step += epsilon / (math.sqrt(1 - beta_2) if epsilon_hat else root)
    np.divide(m, step, out=step)
    step *= rate
    theta -= step

"""Adamax: Adam with the largest recent gradient in place of the mean of squares."""

from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState


class Adamax(Optimizer):
    """Adamax: m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε), θ ← θ − η m / ((1 − β₁ᵗ) u).

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    beta_1, beta_2 : float
        Decay of the mean and of the largest, in [0, 1).
    epsilon : float
        ε, > 0.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 2; ε, which is not there, as in
    torch.optim.Adamax.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import Adamax
    >>> adamax, theta = Adamax(0.1), np.array([1.0, 2.0])
    >>> adamax.step(theta, np.array([5.0, -0.01]), adamax.init(theta))
    >>> np.round(theta, 4)
    array([0.9, 2.1])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.002
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-8

    def init(self, theta: Array) -> OptimizerState:
        """Return m = u = 0."""
        return OptimizerState(self.learning_rate, vectors={"m": np.zeros_like(theta), "u": np.zeros_like(theta)})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m / ((1 − β₁ᵗ) u)."""
        m, u = state.vectors["m"], state.vectors["u"]
        state.step += 1
        m *= self.beta_1
        m += grad  # holds m/(1 − β₁)
        np.abs(grad, out=grad)
        grad += self.epsilon
        u *= self.beta_2
        np.maximum(u, grad, out=u)
        step = np.divide(m, u, out=grad)
        step *= state.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**state.step)
        theta -= step

"""AdaBelief: Adam that divides by how far the gradient is from what its mean foretold."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState
from modnet_standard.optimizers.moments import moments


class AdaBelief(Optimizer):
    """AdaBelief: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂)(g − m)² + ε, θ ← θ − η m̂ / (√v̂ + ε), the hats as Adam's.

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1).
    epsilon : float
        ε, > 0; it goes under the root as well, so it is smaller than Adam's.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris & Duncan (2020), AdaBelief optimizer: adapting stepsizes by the
    belief in observed gradients, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import AdaBelief
    >>> adabelief, theta = AdaBelief(0.1), np.array([1.0, 2.0])
    >>> adabelief.step(theta, np.array([5.0, -0.01]), adabelief.init(theta))
    >>> np.round(theta, 4)
    array([0.8889, 2.1111])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-16

    def init(self, theta: Array) -> OptimizerState:
        """Return m = v = 0."""
        return moments(theta, self.learning_rate)

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε)."""
        m, v = state.vectors["m"], state.vectors["v"]
        state.step += 1
        grad -= m
        grad *= 1 - self.beta_1
        m += grad  # m ← m + (1 − β₁)(g − m)
        grad *= self.beta_1 / (1 - self.beta_1)  # g − m of the new m is β₁ (g − m) of the old one
        grad *= grad
        grad += self.epsilon / (1 - self.beta_2)
        v *= self.beta_2
        v += grad  # holds v/(1 − β₂)
        root = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**state.step))  # √v̂ = root · √v
        step = np.sqrt(v, out=grad)
        step += self.epsilon / root
        np.divide(m, step, out=step)
        step *= state.learning_rate / (1 - self.beta_1**state.step) / root
        theta -= step

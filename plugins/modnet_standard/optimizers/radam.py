"""RAdam: Adam that waits with dividing until its mean of squares can be trusted."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState
from modnet_standard.optimizers.moments import follow, moments


class RAdam(Optimizer):
    """Rectified Adam: θ ← θ − η r m̂ / (√v̂ + ε) once v averages over ρ > 5 steps, θ ← θ − η m̂ before that.

    ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ) is the length of the mean, ρ∞ = 2/(1 − β₂) − 1 that of an endless one, and
    r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ) makes up for its variance: a warm-up without a schedule. ε is added to
    √v before the correction of its bias.

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1); with β₂ ≤ 2/3, ρ never gets to 5.
    epsilon : float
        ε, > 0.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Liu, Jiang, He, Chen, Liu, Gao & Han (2020), On the variance of the adaptive learning rate and beyond, ICLR,
    algorithm 2, which divides from ρ > 4; 5 as in torch.optim.RAdam.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import RAdam
    >>> radam, theta = RAdam(0.1), np.array([1.0, 2.0])
    >>> radam.step(theta, np.array([5.0, -0.01]), radam.init(theta))
    >>> np.round(theta, 4)
    array([0.5  , 2.001])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-8

    def init(self, theta: Array) -> OptimizerState:
        """Return m = v = 0."""
        return moments(theta, self.learning_rate)

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂, divided by √v̂ as soon as that can be trusted."""
        m, v = follow(grad, state, self.beta_1, self.beta_2)
        t = state.step
        rate = state.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**t)
        unbiased = 1 - self.beta_2**t
        longest = 2 / (1 - self.beta_2) - 1
        rho = longest - 2 * t * self.beta_2**t / unbiased
        if rho > 5:
            rectified = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
            root = math.sqrt(1 - self.beta_2)  # √v = root · what the vector holds
            step = np.sqrt(v, out=grad)
            step += self.epsilon / root
            np.divide(m, step, out=step)
            step *= rate * rectified * math.sqrt(unbiased) / root
        else:
            step = np.multiply(m, rate, out=grad)
        theta -= step

"""NAdam: Adam whose momentum looks ahead, as Nesterov's does."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState
from modnet_standard.optimizers.moments import moments


class NAdam(Optimizer):
    """NAdam: θ ← θ − η (g (1 − μₜ)/(1 − Πₜ) + m μₜ₊₁/(1 − Πₜ₊₁)) / (√v̂ + ε), m and v as Adam's, Πₜ = μ₁ ⋯ μₜ.

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1).
    epsilon : float
        ε, > 0.
    momentum_decay : float
        ψ, ≥ 0: the momentum grows from about β₁/2 to β₁ as μₜ = β₁ (1 − ½ · 0.96^(t ψ)).
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Dozat (2016), Incorporating Nesterov momentum into Adam, ICLR workshop; torch.optim.NAdam.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import NAdam
    >>> nadam, theta = NAdam(0.1), np.array([1.0, 2.0])
    >>> nadam.step(theta, np.array([5.0, -0.01]), nadam.init(theta))
    >>> np.round(theta, 4)
    array([0.8944, 2.1056])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.002
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-8
    momentum_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.004

    def init(self, theta: Array) -> OptimizerState:
        """Return m = v = 0, scratch memory, and the empty product Π₀ = 1."""
        state = moments(theta, self.learning_rate, "scratch")
        state.scalars["product"] = 1.0
        return state

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ along the gradient and the momentum of the next step."""
        m, v, scratch = (state.vectors[name] for name in ("m", "v", "scratch"))
        state.step += 1
        t = state.step
        m *= self.beta_1
        m += grad
        v *= self.beta_2
        v += np.multiply(grad, grad, out=scratch)
        mu, ahead = self._momentum(t), self._momentum(t + 1)
        product = state.scalars["product"] = state.scalars["product"] * mu
        of_grad = (1 - mu) / (1 - product)
        of_m = (1 - self.beta_1) * ahead / (1 - product * ahead)
        scale = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**t))  # √v̂ = scale · √v
        root = np.sqrt(v, out=scratch)
        root += self.epsilon / scale
        grad /= root
        grad *= state.learning_rate * of_grad / scale
        theta -= grad
        np.divide(m, root, out=grad)
        grad *= state.learning_rate * of_m / scale
        theta -= grad

    def _momentum(self, t: int) -> float:
        """Return μₜ."""
        return self.beta_1 * (1 - 0.5 * float(0.96 ** (t * self.momentum_decay)))

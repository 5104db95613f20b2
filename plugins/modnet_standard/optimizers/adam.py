"""Adam: steps scaled by running means of the gradient and of its square."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState


class Adam(Optimizer):
    """Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η m̂ / (√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1).
    epsilon : float
        ε, > 0.
    epsilon_hat : bool
        Whether `epsilon` is the ε̂ of the paper's section 2, added to √v before the correction of its bias, as in
        scikit-learn and Keras. It matters where gradients are as small as ε, as those of weights that see no input.
    schedule : Schedule, optional
        How η changes; None: it does not.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1; ε outside of √v̂, as there and in
    torch.optim.Adam.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import Adam
    >>> adam, theta = Adam(0.1), np.array([1.0, 2.0])
    >>> adam.step(theta, np.array([5.0, -0.01]), adam.init(theta))
    >>> np.round(theta, 4)
    array([0.9, 2.1])
    """

    learning_rate: Annotated[float, Field(gt=0)] = 0.001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    epsilon_hat: bool = False

    def init(self, theta: Array) -> OptimizerState:
        """Return m = v = 0, and scratch memory."""
        m, v, scratch = np.zeros_like(theta), np.zeros_like(theta), np.empty_like(theta)
        return OptimizerState(self.learning_rate, vectors={"m": m, "v": v, "scratch": scratch})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε)."""
        m, v, scratch = state.vectors["m"], state.vectors["v"], state.vectors["scratch"]
        state.step += 1
        # The vectors hold m/(1 − β₁) and v/(1 − β₂); all constants then meet in two numbers, and a step is ten passes
        # over θ instead of fourteen.
        root = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**state.step))  # √v̂ = root · √v
        rate = state.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**state.step) / root
        m *= self.beta_1
        m += grad
        v *= self.beta_2
        v += np.multiply(grad, grad, out=scratch)
        np.sqrt(v, out=scratch)
        scratch += self.epsilon / (math.sqrt(1 - self.beta_2) if self.epsilon_hat else root)
        np.divide(m, scratch, out=scratch)
        scratch *= rate
        theta -= scratch

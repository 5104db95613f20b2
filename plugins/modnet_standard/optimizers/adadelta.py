"""Adadelta: steps in the units of θ, from running means of squared steps and squared gradients."""

from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState


class Adadelta(Optimizer):
    """Adadelta: v ← ρ v + (1 − ρ) g², Δ = g √(u + ε)/√(v + ε), u ← ρ u + (1 − ρ) Δ², θ ← θ − η Δ.

    Parameters
    ----------
    learning_rate : float
        η, > 0; 1 is the paper's rule, which has none.
    rho : float
        ρ, decay of the two means, in [0, 1).
    epsilon : float
        ε, > 0.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Zeiler (2012), ADADELTA: an adaptive learning rate method, arXiv:1212.5701, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import Adadelta
    >>> adadelta, theta = Adadelta(), np.array([1.0, 2.0])
    >>> adadelta.step(theta, np.array([5.0, -0.5]), adadelta.init(theta))
    >>> np.round(theta, 4)
    array([0.9968, 2.0032])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    rho: Annotated[float, Field(ge=0, lt=1)] = 0.9
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-6

    def init(self, theta: Array) -> OptimizerState:
        """Return u = v = 0, and scratch memory."""
        vectors = {"u": np.zeros_like(theta), "v": np.zeros_like(theta), "scratch": np.empty_like(theta)}
        return OptimizerState(self.learning_rate, vectors=vectors)

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η Δ."""
        u, v, scratch = (state.vectors[name] for name in ("u", "v", "scratch"))
        state.step += 1
        # The vectors hold u/(1 − ρ) and v/(1 − ρ), and so ε becomes ε/(1 − ρ).
        epsilon = self.epsilon / (1 - self.rho)
        v *= self.rho
        v += np.multiply(grad, grad, out=scratch)
        np.add(v, epsilon, out=scratch)
        grad /= np.sqrt(scratch, out=scratch)
        np.add(u, epsilon, out=scratch)
        grad *= np.sqrt(scratch, out=scratch)  # Δ
        u *= self.rho
        u += np.multiply(grad, grad, out=scratch)
        grad *= state.learning_rate
        theta -= grad

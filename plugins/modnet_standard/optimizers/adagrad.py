"""Adagrad: steps divided by the root of all squared gradients so far."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState


class Adagrad(Optimizer):
    """Adagrad: v ← v + g², θ ← θ − η g / (√v + ε): the more a weight has moved, the slower it learns.

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    initial_accumulator_value : float
        Where v starts, ≥ 0.
    epsilon : float
        ε, > 0.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Duchi, Hazan & Singer (2011), Adaptive subgradient methods for online learning and stochastic optimization, JMLR 12.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import Adagrad
    >>> adagrad, theta = Adagrad(0.1), np.array([1.0, 2.0])
    >>> adagrad.step(theta, np.array([5.0, -0.01]), adagrad.init(theta))
    >>> np.round(theta, 4)
    array([0.9, 2.1])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    initial_accumulator_value: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-10

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it from zero, and from a first value."""
        return cls(), cls(initial_accumulator_value=0.1)

    def init(self, theta: Array) -> OptimizerState:
        """Return v with its first value, and scratch memory."""
        v = np.full_like(theta, self.initial_accumulator_value)
        return OptimizerState(self.learning_rate, vectors={"v": v, "scratch": np.empty_like(theta)})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η g / (√v + ε)."""
        v, scratch = state.vectors["v"], state.vectors["scratch"]
        state.step += 1
        v += np.multiply(grad, grad, out=scratch)
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        grad /= scratch
        grad *= state.learning_rate
        theta -= grad

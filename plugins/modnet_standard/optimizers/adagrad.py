"""Optimizers that divide by the root of squared gradients: of all so far, or of a running mean.

Adadelta measures its steps in the units of θ as well.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState
from modnet_standard.arrays import zeros


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


class RMSprop(Optimizer):
    """RMSprop: v ← ρ v + (1 − ρ) g², θ ← θ − η g / (√v + ε); with momentum μ: b ← μ b + g / (√v + ε), θ ← θ − η b.

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    rho : float
        ρ, decay of the mean, in [0, 1).
    epsilon : float
        ε, > 0.
    momentum : float
        μ, in [0, 1].
    centered : bool
        Whether the variance v − ḡ² stands in place of v, where ḡ ← ρ ḡ + (1 − ρ) g.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Tieleman & Hinton (2012), Lecture 6.5 of Neural networks for machine learning, Coursera; centered: Graves (2013),
    Generating sequences with recurrent neural networks, arXiv:1308.0850.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import RMSprop
    >>> rmsprop, theta = RMSprop(0.1, rho=0.99), np.array([1.0, 2.0])
    >>> rmsprop.step(theta, np.array([5.0, -0.01]), rmsprop.init(theta))
    >>> np.round(theta, 4)
    array([0., 3.])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    rho: Annotated[float, Field(ge=0, lt=1)] = 0.99
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-8
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.0
    centered: bool = False

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it plain, with a momentum, and centered."""
        return cls(), cls(momentum=0.9), cls(centered=True), cls(momentum=0.9, centered=True)

    def init(self, theta: Array) -> OptimizerState:
        """Return v = 0, b = 0 and ḡ = 0 where they are needed, and scratch memory."""
        vectors = {"v": np.zeros_like(theta), "scratch": np.empty_like(theta)}
        if self.momentum:
            vectors["b"] = np.zeros_like(theta)
        if self.centered:
            vectors["mean"] = np.zeros_like(theta)
        return OptimizerState(self.learning_rate, vectors=vectors)

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η g / (√v + ε), or by −η b."""
        v, scratch = state.vectors["v"], state.vectors["scratch"]
        state.step += 1
        # The vectors hold v/(1 − ρ), ḡ/(1 − ρ) and √(1 − ρ) b.
        root = math.sqrt(1 - self.rho)
        v *= self.rho
        v += np.multiply(grad, grad, out=scratch)
        if self.centered:
            mean = state.vectors["mean"]
            mean *= self.rho
            mean += grad
            np.multiply(mean, mean, out=scratch)
            scratch *= self.rho - 1
            scratch += v  # (v − ḡ²)/(1 − ρ), which rounding can bring below zero
            np.maximum(scratch, zeros(scratch.shape, scratch.dtype), out=scratch)
            np.sqrt(scratch, out=scratch)
        else:
            np.sqrt(v, out=scratch)
        scratch += self.epsilon / root
        grad /= scratch
        if self.momentum:
            b = state.vectors["b"]
            b *= self.momentum
            b += grad
            np.multiply(b, state.learning_rate / root, out=grad)
        else:
            grad *= state.learning_rate / root
        theta -= grad

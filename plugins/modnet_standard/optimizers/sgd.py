"""Gradient descent with momentum, Lion, and optimizers that divide by the root of squared gradients.

The squares are summed up from the start, or averaged as training goes on.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Layout, Optimizer, OptimizerState
from modnet_standard.arrays import zeros

__all__ = ["SGD", "Adadelta", "Adagrad", "Lion", "RMSprop"]


class SGD(Optimizer):
    """Gradient descent: θ ← θ − η g; with momentum μ: v ← μ v + g, θ ← θ − η v; Nesterov: θ ← θ − η (g + μ v).

    Parameters
    ----------
    momentum : float
        Momentum μ, in [0, 1].
    nesterov : bool
        Whether the step looks ahead along v; needs a momentum.
    velocity : {"gradients", "steps"}
        What v sums up: gradients, as above and in PyTorch, or steps, v ← μ v + η g, θ ← θ − v, as in the paper, Keras
        and scikit-learn. It makes a difference where η changes: "gradients" follows it at once, "steps" as v fades.

    References
    ----------
    Sutskever, Martens, Dahl & Hinton (2013), On the importance of initialization and momentum in deep learning, ICML,
    eq. 1-4.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import SGD
    >>> sgd, theta = SGD(0.5), np.array([1.0, 2.0])
    >>> sgd.step(theta, np.array([1.0, 1.0]), sgd.init(theta, Layout.flat(2)))
    >>> theta
    array([0.5, 1.5])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.0
    nesterov: bool = False
    velocity: Literal["gradients", "steps"] = "gradients"

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True should come with a momentum > 0")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it plain, and with a momentum of each sort."""
        return (
            cls(),
            cls(momentum=0.9),
            cls(momentum=0.9, nesterov=True),
            cls(momentum=0.9, velocity="steps"),
            cls(momentum=0.9, nesterov=True, velocity="steps"),
        )

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return v = 0 if there is a momentum."""
        return OptimizerState(self.learning_rate, layout, vectors={"v": np.zeros_like(theta)} if self.momentum else {})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ against the gradient, or along the velocity."""
        state.step += 1
        if not self.momentum:
            grad *= state.learning_rate
            theta -= grad  # θ ← θ − η g
            return
        v = state.vectors["v"]
        v *= self.momentum
        if self.velocity == "gradients":
            v += grad  # v ← μ v + g
            grad *= state.learning_rate
            outside = state.learning_rate
        else:
            grad *= state.learning_rate
            v += grad  # v ← μ v + η g
            outside = 1.0
        if self.nesterov:
            theta -= grad
            outside *= self.momentum
        theta -= np.multiply(v, outside, out=grad)


class Lion(Optimizer):
    """Lion: θ ← θ − η sign(β₁ m + (1 − β₁) g), then m ← β₂ m + (1 − β₂) g.

    Every weight moves by η in each step: take η three to ten times smaller than for Adam, and `weight_decay` larger by
    as much.

    Parameters
    ----------
    beta_1 : float
        Share of m in the step, in [0, 1).
    beta_2 : float
        Decay of m, in [0, 1).

    References
    ----------
    Chen, Liang, Huang, Real, Wang, Pham, Dong, Luong, Hsieh, Lu & Le (2023), Symbolic discovery of optimization
    algorithms, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import Lion
    >>> lion, theta = Lion(0.1), np.array([1.0, 2.0])
    >>> lion.step(theta, np.array([5.0, -0.01]), lion.init(theta, Layout.flat(2)))
    >>> theta
    array([0.9, 2.1])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.0001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.99

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return m = 0, and memory for the mean that is stepped along."""
        return OptimizerState(
            self.learning_rate, layout, vectors={"m": np.zeros_like(theta), "c": np.empty_like(theta)}
        )

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by η against the sign of β₁ m + (1 − β₁) g."""
        m, c = state.vectors["m"], state.vectors["c"]
        state.step += 1
        # m holds m/(1 − β₂); c is β₁ m + (1 − β₁) g divided by 1 − β₁, which leaves the sign as it is.
        np.multiply(m, self.beta_1 * (1 - self.beta_2) / (1 - self.beta_1), out=c)
        c += grad
        m *= self.beta_2
        m += grad
        step = np.sign(c, out=grad)  # in place it takes five times as long (536,000 elements, float32)
        step *= state.learning_rate
        theta -= step


class Adagrad(Optimizer):
    """Adagrad: v ← v + g², θ ← θ − η g / (√v + ε): the more a weight has moved, the slower it learns.

    Parameters
    ----------
    initial_accumulator_value : float
        Where v starts, ≥ 0.
    epsilon : float
        Constant ε in the divisor, > 0.

    References
    ----------
    Duchi, Hazan & Singer (2011), Adaptive subgradient methods for online learning and stochastic optimization, JMLR 12.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import Adagrad
    >>> adagrad, theta = Adagrad(0.1), np.array([1.0, 2.0])
    >>> adagrad.step(theta, np.array([5.0, -0.01]), adagrad.init(theta, Layout.flat(2)))
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

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return v with its first value, and scratch memory."""
        v = np.full_like(theta, self.initial_accumulator_value)
        return OptimizerState(self.learning_rate, layout, vectors={"v": v, "scratch": np.empty_like(theta)})

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
        Size η of a step, > 0; 1 is the paper's rule, which has none.
    rho : float
        Decay ρ of the two means, in [0, 1).
    epsilon : float
        Constant ε in the divisor, > 0.

    References
    ----------
    Zeiler (2012), ADADELTA: an adaptive learning rate method, arXiv:1212.5701, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import Adadelta
    >>> adadelta, theta = Adadelta(), np.array([1.0, 2.0])
    >>> adadelta.step(theta, np.array([5.0, -0.5]), adadelta.init(theta, Layout.flat(2)))
    >>> np.round(theta, 4)
    array([0.9968, 2.0032])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    rho: Annotated[float, Field(ge=0, lt=1)] = 0.9
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-6

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return u = v = 0, and scratch memory."""
        vectors = {"u": np.zeros_like(theta), "v": np.zeros_like(theta), "scratch": np.empty_like(theta)}
        return OptimizerState(self.learning_rate, layout, vectors=vectors)

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
    rho : float
        Decay ρ of the mean, in [0, 1).
    epsilon : float
        Constant ε in the divisor, > 0.
    momentum : float
        Momentum μ, in [0, 1].
    centered : bool
        Whether the variance v − ḡ² stands in place of v, where ḡ ← ρ ḡ + (1 − ρ) g.

    References
    ----------
    Tieleman & Hinton (2012), Lecture 6.5 of Neural networks for machine learning, Coursera; centered: Graves (2013),
    Generating sequences with recurrent neural networks, arXiv:1308.0850.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import RMSprop
    >>> rmsprop, theta = RMSprop(0.1, rho=0.99), np.array([1.0, 2.0])
    >>> rmsprop.step(theta, np.array([5.0, -0.01]), rmsprop.init(theta, Layout.flat(2)))
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

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return v = 0, b = 0 and ḡ = 0 where they are needed, and scratch memory."""
        vectors = {"v": np.zeros_like(theta), "scratch": np.empty_like(theta)}
        if self.momentum:
            vectors["b"] = np.zeros_like(theta)
        if self.centered:
            vectors["mean"] = np.zeros_like(theta)
        return OptimizerState(self.learning_rate, layout, vectors=vectors)

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

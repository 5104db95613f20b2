"""Gradient descent with momentum, and Lion, which takes only the signs of it.

Both remember one vector at most.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Optimizer, OptimizerState


class SGD(Optimizer):
    """Gradient descent: θ ← θ − η g; with momentum μ: v ← μ v + g, θ ← θ − η v; Nesterov: θ ← θ − η (g + μ v).

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    momentum : float
        μ, in [0, 1].
    nesterov : bool
        Whether the step looks ahead along v; needs a momentum.
    velocity : {"gradients", "steps"}
        What v sums up: gradients, as above and in PyTorch, or steps, v ← μ v + η g, θ ← θ − v, as in the paper, Keras
        and scikit-learn. It makes a difference where η changes: "gradients" follows it at once, "steps" as v fades.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Sutskever, Martens, Dahl & Hinton (2013), On the importance of initialization and momentum in deep learning, ICML,
    eq. 1-4.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import SGD
    >>> sgd, theta = SGD(0.5), np.array([1.0, 2.0])
    >>> sgd.step(theta, np.array([1.0, 1.0]), sgd.init(theta))
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

    def init(self, theta: Array) -> OptimizerState:
        """Return v = 0 if there is a momentum."""
        return OptimizerState(self.learning_rate, vectors={"v": np.zeros_like(theta)} if self.momentum else {})

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
    learning_rate : float
        η, > 0.
    beta_1 : float
        Share of m in the step, in [0, 1).
    beta_2 : float
        Decay of m, in [0, 1).
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Chen, Liang, Huang, Real, Wang, Pham, Dong, Luong, Hsieh, Lu & Le (2023), Symbolic discovery of optimization
    algorithms, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import Lion
    >>> lion, theta = Lion(0.1), np.array([1.0, 2.0])
    >>> lion.step(theta, np.array([5.0, -0.01]), lion.init(theta))
    >>> theta
    array([0.9, 2.1])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.0001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.99

    def init(self, theta: Array) -> OptimizerState:
        """Return m = 0, and memory for the mean that is stepped along."""
        return OptimizerState(self.learning_rate, vectors={"m": np.zeros_like(theta), "c": np.empty_like(theta)})

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

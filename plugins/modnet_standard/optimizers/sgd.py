"""SGD: steps against the gradient, with momentum if wanted."""

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

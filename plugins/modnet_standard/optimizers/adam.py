"""Adam and AdamW: steps scaled by running means of the gradient and of its square.

MORE
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Optimizer, OptimizerState


def moments(theta: Array, learning_rate: float, *more: str) -> OptimizerState:
    """Return the state with m = v = 0, and zeros under other names."""
    return OptimizerState(learning_rate, vectors={name: np.zeros_like(theta) for name in ("m", "v", *more)})


def follow(grad: Array, state: OptimizerState, beta_1: float, beta_2: float) -> tuple[Array, Array]:
    """Count a step, update m ← β₁ m + g and v ← β₂ v + g², and return both; the gradient becomes g²."""
    m, v = state.vectors["m"], state.vectors["v"]
    state.step += 1
    m *= beta_1
    m += grad
    grad *= grad
    v *= beta_2
    v += grad
    return m, v


def adam_init(theta: Array, learning_rate: float, *, amsgrad: bool) -> OptimizerState:
    """Return m = v = 0; with `amsgrad` also the largest v so far."""
    return moments(theta, learning_rate, *(("largest",) if amsgrad else ()))


def adam_step(
    theta: Array,
    grad: Array,
    state: OptimizerState,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    *,
    amsgrad: bool,
    epsilon_hat: bool = False,
) -> None:
    """Move θ by −η m̂ / (√v̂ + ε); the arguments are the fields of `Adam`."""
    m, v = follow(grad, state, beta_1, beta_2)
    root = math.sqrt((1 - beta_2) / (1 - beta_2**state.step))  # √v̂ = root · √v
    rate = state.learning_rate * (1 - beta_1) / (1 - beta_1**state.step) / root
    if amsgrad:
        largest = state.vectors["largest"]
        v = np.maximum(largest, v, out=largest)
    step = np.sqrt(v, out=grad)
    step += epsilon / (math.sqrt(1 - beta_2) if epsilon_hat else root)
    np.divide(m, step, out=step)
    step *= rate
    theta -= step


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
    amsgrad : bool
        Whether the largest v so far stands in place of v, so that no step is longer than the earlier ones allow.
    schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`. With a `weight_decay` it is AdamW.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1; ε outside of √v̂, as there and in
    torch.optim.Adam. AMSGrad: Reddi, Kale & Kumar (2018), On the convergence of Adam and beyond, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import Adam
    >>> adam, theta = Adam(0.1), np.array([1.0, 2.0])
    >>> adam.step(theta, np.array([5.0, -0.01]), adam.init(theta))
    >>> np.round(theta, 4)
    array([0.9, 2.1])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-8
    epsilon_hat: bool = False
    amsgrad: bool = False

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with ε in both places, without and with the largest v."""
        return cls(), cls(epsilon_hat=True), cls(amsgrad=True)

    def init(self, theta: Array) -> OptimizerState:
        """Return m = v = 0; with `amsgrad` also the largest v so far."""
        return adam_init(theta, self.learning_rate, amsgrad=self.amsgrad)

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε)."""
        adam_step(
            theta,
            grad,
            state,
            self.beta_1,
            self.beta_2,
            self.epsilon,
            amsgrad=self.amsgrad,
            epsilon_hat=self.epsilon_hat,
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay: θ ← (1 − ηλ) θ − η m̂ / (√v̂ + ε), the decay for weights only, not for biases.

    Parameters
    ----------
    learning_rate : float
        η, > 0.
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1).
    epsilon : float
        ε, > 0.
    amsgrad : bool
        Whether the largest v so far stands in place of v.
    weight_decay : float
        λ, ≥ 0. `alpha` of the estimators is the penalty in the loss; set that to 0 for AdamW alone.
    schedule, clip_norm, clip_value, ema, swa, groups
        What any optimizer can be combined with: see `modnet.Optimizer`.

    References
    ----------
    Loshchilov & Hutter (2019), Decoupled weight decay regularization, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.optimizers import AdamW
    >>> adamw, theta = AdamW(0.1, weight_decay=0.5), np.array([1.0, 1.0])
    >>> adamw.update(theta, np.zeros(2), adamw.init(theta), regularized=1)
    >>> theta
    array([0.95, 1.  ])
    """

    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-8
    amsgrad: bool = False
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(default=0.01, kw_only=True)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it without and with the largest v."""
        return cls(), cls(amsgrad=True)

    def init(self, theta: Array) -> OptimizerState:
        """Return m = v = 0; with `amsgrad` also the largest v so far."""
        return adam_init(theta, self.learning_rate, amsgrad=self.amsgrad)

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε); what is regularized was shrunk before, by `update`."""
        adam_step(theta, grad, state, self.beta_1, self.beta_2, self.epsilon, amsgrad=self.amsgrad)

"""Adam: steps scaled by running means of the gradient and of its square."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Array, Optimizer, OptimizerState
from modnet_standard.optimizers.moments import adam_init, adam_step


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

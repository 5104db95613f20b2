"""AdamW: Adam whose weight decay stays out of its running means."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Array, Optimizer, OptimizerState
from modnet_standard.optimizers.moments import adam_init, adam_step


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

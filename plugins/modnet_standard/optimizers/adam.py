"""Adam: steps scaled by running means of the gradient and of its square.

The vectors hold m/(1 − β₁) and v/(1 − β₂): so all constants of a step meet in two numbers, and it is ten passes over θ
instead of fourteen. They go through the gradient's own memory, which becomes g², √v and the step in turn: θ, g, m and v
are all that is held.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Layout, Optimizer, OptimizerState

__all__ = ["Adam"]

Decay = Annotated[float, Field(ge=0, lt=1)]
"""How much of a running mean is left after a step."""


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class AdamLike(Optimizer):
    """What Adam and its relatives share: their constants, and running means of the gradient and of its square.

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1).
    epsilon : float
        Constant ε in the divisor, > 0.
    """

    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-8

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return m = v = 0."""
        return self.moments(theta, layout)

    def moments(self, theta: Array, layout: Layout, *more: str) -> OptimizerState:
        """Return the state with m = v = 0.

        Parameters
        ----------
        theta : ndarray, shape (size,)
            Its length and dtype count.
        layout : Layout
            Which slice of it is which parameter.
        *more : str
            Names of other vectors of zeros.

        Returns
        -------
        OptimizerState
            Of no step.
        """
        return OptimizerState(
            self.learning_rate, layout, vectors={name: np.zeros_like(theta) for name in ("m", "v", *more)}
        )

    def follow(self, grad: Array, state: OptimizerState) -> tuple[Array, Array]:
        """Count a step, and update m ← β₁ m + g and v ← β₂ v + g².

        Parameters
        ----------
        grad : ndarray, shape (size,)
            The gradient g, which becomes g².
        state : OptimizerState
            With m and v.

        Returns
        -------
        (ndarray, ndarray)
            The vectors m and v of the state.
        """
        m, v = state.vectors["m"], state.vectors["v"]
        state.step += 1
        m *= self.beta_1
        m += grad
        grad *= grad
        v *= self.beta_2
        v += grad
        return m, v

    def adam_step(
        self, theta: Array, grad: Array, state: OptimizerState, *, amsgrad: bool, epsilon_hat: bool = False
    ) -> None:
        """Move θ by −η m̂ / (√v̂ + ε).

        Parameters
        ----------
        theta : ndarray, shape (size,)
            The parameters θ; changed.
        grad : ndarray, shape (size,)
            The gradient; scratch memory afterwards.
        state : OptimizerState
            With m and v, and with `amsgrad` the largest v.
        amsgrad, epsilon_hat : bool
            As those of `Adam`.
        """
        m, v = self.follow(grad, state)
        root = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**state.step))  # √v̂ = root · √v
        rate = state.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**state.step) / root
        if amsgrad:
            largest = state.vectors["largest"]
            v = np.maximum(largest, v, out=largest)
        epsilon = self.epsilon / (math.sqrt(1 - self.beta_2) if epsilon_hat else root)
        move(theta, m, v, rate, epsilon, scratch=grad)


def move(theta: Array, m: Array, v: Array, rate: float, epsilon: float, *, scratch: Array) -> None:
    """Move θ by −rate m / (√v + ε)."""
    step = np.sqrt(v, out=scratch)
    step += epsilon
    np.divide(m, step, out=step)
    step *= rate
    theta -= step


class Adam(AdamLike):
    """Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η m̂ / (√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    With a `weight_decay` it is AdamW.

    Parameters
    ----------
    epsilon_hat : bool
        Whether `epsilon` is the ε̂ of the paper's section 2, added to √v before the correction of its bias, as in
        scikit-learn and Keras. It matters where gradients are as small as ε, as those of weights that see no input.
    amsgrad : bool
        Whether the largest v so far stands in place of v, so that no step is longer than the earlier ones allow.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1; ε outside of √v̂, as there and in
    torch.optim.Adam. AMSGrad: Reddi, Kale & Kumar (2018), On the convergence of Adam and beyond, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import Adam
    >>> adam, theta = Adam(0.1), np.array([1.0, 2.0])
    >>> adam.step(theta, np.array([5.0, -0.01]), adam.init(theta, Layout.flat(2)))
    >>> np.round(theta, 4)
    array([0.9, 2.1])
    """

    epsilon_hat: bool = False
    amsgrad: bool = False

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with ε in both places, without and with the largest v."""
        return cls(), cls(epsilon_hat=True), cls(amsgrad=True)

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return m = v = 0; with `amsgrad` also the largest v so far."""
        return self.moments(theta, layout, *(("largest",) if self.amsgrad else ()))

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε)."""
        self.adam_step(theta, grad, state, amsgrad=self.amsgrad, epsilon_hat=self.epsilon_hat)

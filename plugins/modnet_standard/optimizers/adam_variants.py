"""Variants of Adam, which decay weights, look ahead, wait, or measure the spread of the gradient in another way.

Their vectors hold the same multiples of the means as Adam's; see `modnet_standard.optimizers.adam`.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Layout, OptimizerState
from modnet_standard.optimizers.adam import AdamLike, Positive, move

__all__ = ["AdaBelief", "AdamW", "Adamax", "NAdam", "RAdam"]


class AdamW(AdamLike):
    """Adam with decoupled weight decay: θ ← (1 − ηλ) θ − η m̂ / (√v̂ + ε), the decay for weights only, not for biases.

    Parameters
    ----------
    amsgrad : bool
        Whether the largest v so far stands in place of v.
    weight_decay : float
        Strength λ of the decay, ≥ 0. `alpha` of the estimators is the penalty in the loss; 0 there is AdamW alone.

    References
    ----------
    Loshchilov & Hutter (2019), Decoupled weight decay regularization, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import AdamW
    >>> adamw, theta = AdamW(0.1, weight_decay=0.5), np.array([1.0, 1.0])
    >>> adamw.update(theta, np.zeros(2), adamw.init(theta, Layout.flat(2, regularized=1)))
    >>> theta
    array([0.95, 1.  ])
    """

    amsgrad: bool = False
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(default=0.01, kw_only=True)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it without and with the largest v."""
        return cls(), cls(amsgrad=True)

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return m = v = 0; with `amsgrad` also the largest v so far."""
        return self.moments(theta, layout, *(("largest",) if self.amsgrad else ()))

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε); what is regularized was shrunk before, by `update`."""
        self.adam_step(theta, grad, state, amsgrad=self.amsgrad)


class NAdam(AdamLike):
    """NAdam: θ ← θ − η (g (1 − μₜ)/(1 − Πₜ) + m μₜ₊₁/(1 − Πₜ₊₁)) / (√v̂ + ε), m and v as Adam's, Πₜ = μ₁ ⋯ μₜ.

    Parameters
    ----------
    momentum_decay : float
        Decay ψ of the momentum, ≥ 0: it grows from about β₁/2 to β₁ as μₜ = β₁ (1 − ½ · 0.96^(t ψ)).

    References
    ----------
    Dozat (2016), Incorporating Nesterov momentum into Adam, ICLR workshop; torch.optim.NAdam.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import NAdam
    >>> nadam, theta = NAdam(0.1), np.array([1.0, 2.0])
    >>> nadam.step(theta, np.array([5.0, -0.01]), nadam.init(theta, Layout.flat(2)))
    >>> np.round(theta, 4)
    array([0.8944, 2.1056])
    """

    learning_rate: Positive = 0.002
    momentum_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.004

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return m = v = 0, scratch memory, and the empty product Π₀ = 1."""
        state = self.moments(theta, layout, "scratch")
        state.scalars["product"] = 1.0
        return state

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ along the gradient and the momentum of the next step."""
        m, v, scratch = (state.vectors[name] for name in ("m", "v", "scratch"))
        state.step += 1
        t = state.step
        m *= self.beta_1
        m += grad
        v *= self.beta_2
        v += np.multiply(grad, grad, out=scratch)
        mu, ahead = self._momentum(t), self._momentum(t + 1)
        product = state.scalars["product"] = state.scalars["product"] * mu
        of_grad = (1 - mu) / (1 - product)
        of_m = (1 - self.beta_1) * ahead / (1 - product * ahead)
        scale = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**t))  # √v̂ = scale · √v
        root = np.sqrt(v, out=scratch)
        root += self.epsilon / scale
        grad /= root
        grad *= state.learning_rate * of_grad / scale
        theta -= grad
        np.divide(m, root, out=grad)
        grad *= state.learning_rate * of_m / scale
        theta -= grad

    def _momentum(self, t: int) -> float:
        """Return μₜ."""
        return self.beta_1 * (1 - 0.5 * float(0.96 ** (t * self.momentum_decay)))


class RAdam(AdamLike):
    """Rectified Adam: θ ← θ − η r m̂ / (√v̂ + ε) once v averages over ρ > 5 steps, θ ← θ − η m̂ before that.

    ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ) is the length of the mean, ρ∞ = 2/(1 − β₂) − 1 that of an endless one, and
    r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ) makes up for its variance: a warm-up without a schedule. ε is added to
    √v before the correction of its bias.

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay of the two means, in [0, 1); with β₂ ≤ 2/3, ρ never gets to 5.

    References
    ----------
    Liu, Jiang, He, Chen, Liu, Gao & Han (2020), On the variance of the adaptive learning rate and beyond, ICLR,
    algorithm 2, which divides from ρ > 4; 5 as in torch.optim.RAdam.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import RAdam
    >>> radam, theta = RAdam(0.1), np.array([1.0, 2.0])
    >>> radam.step(theta, np.array([5.0, -0.01]), radam.init(theta, Layout.flat(2)))
    >>> np.round(theta, 4)
    array([0.5  , 2.001])
    """

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂, divided by √v̂ as soon as that can be trusted."""
        m, v = self.follow(grad, state)
        t = state.step
        rate = state.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**t)
        unbiased = 1 - self.beta_2**t
        longest = 2 / (1 - self.beta_2) - 1
        rho = longest - 2 * t * self.beta_2**t / unbiased
        if rho > 5:
            rectified = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
            root = math.sqrt(1 - self.beta_2)  # √v = root · what the vector holds
            rate = rate * rectified * math.sqrt(unbiased) / root
            move(theta, m, v, rate, self.epsilon / root, scratch=grad)
        else:
            theta -= np.multiply(m, rate, out=grad)


class AdaBelief(AdamLike):
    """AdaBelief: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂)(g − m)² + ε, θ ← θ − η m̂ / (√v̂ + ε), the hats as Adam's.

    Parameters
    ----------
    epsilon : float
        Constant ε in the divisor, > 0; it goes under the root as well, so it is smaller than Adam's.

    References
    ----------
    Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris & Duncan (2020), AdaBelief optimizer: adapting stepsizes by the
    belief in observed gradients, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import AdaBelief
    >>> adabelief, theta = AdaBelief(0.1), np.array([1.0, 2.0])
    >>> adabelief.step(theta, np.array([5.0, -0.01]), adabelief.init(theta, Layout.flat(2)))
    >>> np.round(theta, 4)
    array([0.8889, 2.1111])
    """

    epsilon: Positive = 1e-16

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m̂ / (√v̂ + ε)."""
        m, v = state.vectors["m"], state.vectors["v"]
        state.step += 1
        grad -= m
        grad *= 1 - self.beta_1
        m += grad  # m ← m + (1 − β₁)(g − m)
        grad *= self.beta_1 / (1 - self.beta_1)  # g − m of the new m is β₁ (g − m) of the old one
        grad *= grad
        grad += self.epsilon / (1 - self.beta_2)
        v *= self.beta_2
        v += grad  # holds v/(1 − β₂)
        root = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**state.step))  # √v̂ = root · √v
        rate = state.learning_rate / (1 - self.beta_1**state.step) / root
        move(theta, m, v, rate, self.epsilon / root, scratch=grad)


class Adamax(AdamLike):
    """Adamax: m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε), θ ← θ − η m / ((1 − β₁ᵗ) u).

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay of the mean and of the largest, in [0, 1).

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 2; ε, which is not there, as in
    torch.optim.Adamax.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import Layout
    >>> from modnet.optimizers import Adamax
    >>> adamax, theta = Adamax(0.1), np.array([1.0, 2.0])
    >>> adamax.step(theta, np.array([5.0, -0.01]), adamax.init(theta, Layout.flat(2)))
    >>> np.round(theta, 4)
    array([0.9, 2.1])
    """

    learning_rate: Positive = 0.002

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return m = u = 0."""
        return OptimizerState(
            self.learning_rate, layout, vectors={"m": np.zeros_like(theta), "u": np.zeros_like(theta)}
        )

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ by −η m / ((1 − β₁ᵗ) u)."""
        m, u = state.vectors["m"], state.vectors["u"]
        state.step += 1
        m *= self.beta_1
        m += grad  # holds m/(1 − β₁)
        np.abs(grad, out=grad)
        grad += self.epsilon
        u *= self.beta_2
        np.maximum(u, grad, out=u)
        step = np.divide(m, u, out=grad)
        step *= state.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**state.step)
        theta -= step

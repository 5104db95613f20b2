"""Optimizers that need what a bare vector does not tell: points of their own, and which slice of θ is a matrix."""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Layout, Optimizer, OptimizerState

Decay = Annotated[float, Field(ge=0, lt=1)]


class ScheduleFreeAdamW(Optimizer):
    """AdamW without a schedule: gradients at y = (1 − β₁) z + β₁ x, steps of z, and x, the mean of the z, predicts.

    References
    ----------
    Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky (2024), The road less scheduled, NeurIPS, algorithm 1.
    """

    own_points: ClassVar[bool] = True

    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Annotated[float, Field(gt=0)] = 1e-8

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with the paper's settings, and without a pull of y towards x."""
        return cls(), cls(0.01, beta_1=0.0, weight_decay=0.1)

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return z = x = θ and v = 0."""
        vectors = {"z": theta.copy(), "x": theta.copy(), "v": np.zeros_like(theta)}
        return OptimizerState(self.learning_rate, layout, vectors=vectors, scalars={"total": 0.0})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move z along the gradient at y, which is θ; then x, and y between the two."""
        state.step += 1
        z, x, v = (state.vectors[name] for name in "zxv")
        weights, eta = slice(0, state.layout.regularized), state.learning_rate
        v += (1 - self.beta_2) * (grad**2 - v)
        direction = grad / (np.sqrt(v / (1 - self.beta_2**state.step)) + self.epsilon)
        direction[weights] += self.weight_decay * theta[weights]
        z -= eta * state.layout.rates * direction
        state.scalars["total"] += eta**2
        x += eta**2 / state.scalars["total"] * (z - x)  # not (1 − c) x + c z: where z = x, x keeps its bits
        theta[...] = z + self.beta_1 * (x - z)

    def predicts(self, theta: Array, state: OptimizerState) -> Array:
        """Return x."""
        return state.vectors["x"]


class Lookahead(Optimizer):
    """Plain steps, and every k of them half the way back to where the last k began; those points predict.

    References
    ----------
    Zhang, Lucas, Hinton & Ba (2019), Lookahead optimizer: k steps forward, 1 step back, NeurIPS, algorithm 1.
    """

    own_points: ClassVar[bool] = True

    k: Annotated[int, Field(ge=1)] = 5

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return φ = θ."""
        return OptimizerState(self.learning_rate, layout, vectors={"slow": theta.copy()})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move θ, and then perhaps φ, where θ begins anew."""
        state.step += 1
        weights = slice(0, state.layout.regularized)
        grad[weights] += self.weight_decay * theta[weights]
        theta -= state.learning_rate * state.layout.rates * grad
        if state.step % self.k == 0:
            slow = state.vectors["slow"]
            slow += 0.5 * (theta - slow)
            theta[...] = slow

    def predicts(self, theta: Array, state: OptimizerState) -> Array:
        """Return φ."""
        return state.vectors["slow"]


class Muon(Optimizer):
    """Momentum whose matrices are made orthogonal, for hidden layers; Adam for biases and the last layer.

    References
    ----------
    Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein (2024), Muon: an optimizer for hidden layers in neural
    networks, https://kellerjordan.github.io/posts/muon.
    """

    learning_rate: Annotated[float, Field(gt=0)] = 0.02
    momentum: Decay = 0.95
    ratio: Annotated[float, Field(gt=0)] = 0.1
    """Learning rate of Adam, as a share of the other."""

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return momentum and mean squares of zero."""
        return OptimizerState(self.learning_rate, layout, vectors={n: np.zeros_like(theta) for n in ("m", "v")})

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Move each parameter by its own rule."""
        state.step += 1
        for name, place in state.layout.places.items():
            W, g, m, v = (place.view(each) for each in (theta, grad, state.vectors["m"], state.vectors["v"]))
            if is_hidden(name, place.shape):
                m += g - (1 - self.momentum) * m
                n_in, n_out = place.shape
                W -= state.learning_rate * math.sqrt(max(1, n_out / n_in)) * orthogonal(g + self.momentum * m)
            else:
                m += 0.1 * (g - m)
                v += 0.05 * (g**2 - v)
                m_hat, v_hat = m / (1 - 0.9**state.step), v / (1 - 0.95**state.step)
                W -= self.ratio * state.learning_rate * m_hat / (np.sqrt(v_hat) + 1e-10)


def is_hidden(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a parameter is a matrix of a hidden layer."""
    return len(shape) == 2 and min(shape) > 1 and not name.startswith("output")


def orthogonal(G: Array) -> Array:
    """Return about U Vᵀ of G = U S Vᵀ: five steps of Newton and Schulz with Jordan's polynomial."""
    X = G / (np.linalg.norm(G) + 1e-7)
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X

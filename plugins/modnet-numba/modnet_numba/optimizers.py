"""Optimizers: each rule as one pass over θ, the gradient and the vectors of the state, which is the original's."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from modnet import Array, Layout, Optimizer, OptimizerState, Slot, default
from modnet.component import field_names
from modnet.optimizers import (
    SGD,
    AdaBelief,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
)
from modnet_numba import passes
from modnet_numba.compiling import readable


class FusedOptimizer(Optimizer):
    """An optimizer, fused: the same rule on the same state, in one pass.

    Parameters
    ----------
    original : Optimizer
        One of those that there is a pass for.
    learning_rate, schedule, weight_decay, clip_norm, clip_value, ema, swa, groups
        Those of the original.
    """

    original: Slot[Optimizer] = default(SGD())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return the fused versions of all examples that the originals give of themselves."""
        return tuple(cls.of(example) for original in _MOVES for example in original.examples())

    @classmethod
    def of(cls, original: Optimizer) -> Self:
        """Return the fused version of an optimizer."""
        return cls(original=original, **{name: getattr(original, name) for name in field_names(Optimizer)})

    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return the original's state."""
        state = self.original.init(theta, layout)
        state.learning_rate = self.learning_rate
        return state

    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Change θ and the state as the original does."""
        state.step += 1
        self.move(theta, grad, state, np.array([state.step, state.learning_rate], float))

    def move(self, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
        """Change θ and the state's vectors, at a step and a rate that are read off an array when it is done."""
        _MOVES[type(self.original)](self.original, theta, readable(grad), state, clock)


def has_pass(optimizer: Optimizer) -> bool:
    """Return whether there is a pass for an optimizer."""
    return type(optimizer) in _MOVES


def _sgd(sgd: SGD, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    if sgd.momentum:
        of_steps = sgd.velocity == "steps"
        passes.roll(theta, grad, state.vectors["v"], clock, sgd.momentum, sgd.nesterov, of_steps)
    else:
        passes.descend(theta, grad, clock)


def _adam(adam: Adam | AdamW, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    vectors, hat = state.vectors, isinstance(adam, Adam) and adam.epsilon_hat
    m, v, largest = vectors["m"], vectors["v"], vectors["largest"] if adam.amsgrad else None
    passes.adam(theta, grad, m, v, largest, clock, adam.beta_1, adam.beta_2, adam.epsilon, hat)


def _nadam(nadam: NAdam, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    t, beta_1, beta_2 = state.step, nadam.beta_1, nadam.beta_2
    mu, next_mu = (beta_1 * (1 - 0.5 * float(0.96 ** (each * nadam.momentum_decay))) for each in (t, t + 1))
    product = state.scalars["product"] = state.scalars["product"] * mu
    of_grad = (1 - mu) / (1 - product)
    of_m = (1 - beta_1) * next_mu / (1 - product * next_mu)
    scale = math.sqrt((1 - beta_2) / (1 - beta_2**t))  # √v̂ = scale · √v
    epsilon, rate = nadam.epsilon / scale, state.learning_rate * of_grad / scale
    m, v = state.vectors["m"], state.vectors["v"]
    passes.look_ahead(theta, grad, m, v, beta_1, beta_2, epsilon, of_m / of_grad, rate)


def _radam(radam: RAdam, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    m, v = state.vectors["m"], state.vectors["v"]
    passes.radam(theta, grad, m, v, clock, radam.beta_1, radam.beta_2, radam.epsilon)


def _adabelief(adabelief: AdaBelief, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    m, v = state.vectors["m"], state.vectors["v"]
    passes.adabelief(theta, grad, m, v, clock, adabelief.beta_1, adabelief.beta_2, adabelief.epsilon)


def _adamax(adamax: Adamax, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    m, u = state.vectors["m"], state.vectors["u"]
    passes.adamax(theta, grad, m, u, clock, adamax.beta_1, adamax.beta_2, adamax.epsilon)


def _rmsprop(rmsprop: RMSprop, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    vectors, rho, root = state.vectors, rmsprop.rho, math.sqrt(1 - rmsprop.rho)
    mean, b = vectors.get("mean"), vectors.get("b")
    passes.scale(theta, grad, vectors["v"], mean, b, rho, rmsprop.epsilon / root, rmsprop.momentum, clock, 1 / root)


def _adagrad(adagrad: Adagrad, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    passes.scale(theta, grad, state.vectors["v"], None, None, 1.0, adagrad.epsilon, 0.0, clock, 1.0)


def _adadelta(adadelta: Adadelta, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    u, v = state.vectors["u"], state.vectors["v"]
    passes.balance(theta, grad, u, v, clock, adadelta.rho, adadelta.epsilon / (1 - adadelta.rho))


def _lion(lion: Lion, theta: Array, grad: Array, state: OptimizerState, clock: Array) -> None:
    of_m = lion.beta_1 * (1 - lion.beta_2) / (1 - lion.beta_1)
    passes.step_by_sign(theta, grad, state.vectors["m"], clock, of_m, lion.beta_2)


_MOVES: dict[type[Optimizer], Callable[[Any, Array, Array, OptimizerState, Array], None]] = {
    SGD: _sgd,
    AdaBelief: _adabelief,
    Adadelta: _adadelta,
    Adagrad: _adagrad,
    Adam: _adam,
    Adamax: _adamax,
    AdamW: _adam,
    Lion: _lion,
    NAdam: _nadam,
    RAdam: _radam,
    RMSprop: _rmsprop,
}

"""Solving: a solver, such as L-BFGS, finds the minimum of J(θ) with all data as one batch."""

import math
from typing import TYPE_CHECKING

import numpy as np

from modnet.base import Array, Solver
from modnet.training.batches import Data, batches
from modnet.training.divergence import diverged
from modnet.training.monitor import Monitor

if TYPE_CHECKING:
    from modnet.training.loop import Trainer

_BLOCK = 2**20
"""Elements per link that the objective works on at once."""


def solve(trainer: "Trainer", solver: Solver, data: Data, monitor: Monitor) -> bool:
    """Let a solver move a trainer's θ to a minimum; return whether it converged.

    Parameters
    ----------
    trainer : Trainer
    solver : Solver
    data : Data
    monitor : Monitor
        Told of each iteration.
    """
    total, settings = data.total_weight, trainer.settings
    size = max(1, _BLOCK // max(math.prod(link.input_shape) for link in trainer.network.walk()))
    noise = trainer.noise_rng.bit_generator.state

    def objective(theta: Array) -> tuple[float, Array]:
        trainer.theta[...] = theta
        trainer.noise_rng.bit_generator.state = noise  # the same noise at every point: J is a function of θ alone
        value, gradient = 0.0, np.zeros(theta.shape)
        for block in batches(data, size, None):
            share = block.total_weight / total
            value += share * trainer.backpropagate(block)
            gradient += share * trainer.gradient
        value += trainer.penalize(gradient, total)
        if not math.isfinite(value):
            raise diverged(trainer, data.rows(slice(0, size)), value)
        return value, gradient

    def after(theta: Array, value: float) -> bool:
        trainer.theta[...] = theta
        trainer.progress.epoch += 1
        monitor.before()
        return monitor.after(value, None) or (settings.early_stopping and monitor.patience.exhausted)

    return solver.minimize(objective, trainer.theta, max_iter=settings.max_iter, tol=settings.tol, after=after)

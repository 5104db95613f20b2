"""Publishing: where another point than the θ in training predicts, it is written where everybody reads, epoch by epoch.

Such points are means of θ (EMA, SWA) and those of rules that say so themselves. Of plain rules nothing is published:
what is trained is what predicts.
"""

import copy
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from modnet.base import Array, Optimizer, OptimizerState
from modnet.network import Pass
from modnet.training.batches import Data, batches, rows_per_batch
from modnet.training.divergence import diverged

if TYPE_CHECKING:
    from modnet.training.loop import Trainer


def publish_epoch(trainer: "Trainer", data: Data, order: Array | None, before: Array) -> None:
    """Publish after an epoch that took rows in an order; `before` is the network's state before it."""
    size = rows_per_batch(trainer.settings.batch_size, len(data))
    stayed = np.array_equal(before, trainer.moving_state)
    publish(trainer, None if stayed else batches(data, size, order, reuse=True))


def publish(trainer: "Trainer", seen: Iterator[Data] | None) -> None:
    """Write what predicts into a trainer's θ and state; training goes on from where it is.

    What links keep of batches, such as running means, belongs to the θ that these went through. Where it has changed,
    the batches go through the published θ as well (Izmailov et al. 2018, algorithm 1, last line).

    Parameters
    ----------
    trainer : Trainer
    seen : iterator of Data, optional
        The batches of the epoch, if links keep something of them.
    """
    optimizer, state = trainer.optimizer, trainer.optimizer_state
    assert isinstance(optimizer, Optimizer), "a solver moves what predicts"
    state.moving, state.moving_state = trainer.moving, trainer.moving_state
    point = optimizer.predicts(trainer.moving, state)
    trainer.theta[...], trainer.state[...] = point, trainer.moving_state
    if seen is None or point is trainer.moving:
        return
    noise, rows = copy.deepcopy(trainer.noise_rng), -1  # training draws what it would have drawn
    for batch in seen:
        if len(batch) != rows:
            rows, network, theta = len(batch), trainer.engine.network, trainer.theta
            running = Pass(
                network, theta, trainer.state, gradient=trainer.gradient, rows=rows, training=True, rng=noise
            )
        running.forward(batch.x)


def judge(trainer: "Trainer", data: Data) -> None:
    """Raise if what the last step has led to makes no finite numbers of the first batch."""
    batch = data.rows(slice(0, rows_per_batch(trainer.settings.batch_size, len(data))))
    if not math.isfinite(value := trainer.evaluate(batch)):
        raise diverged(trainer, batch, value)


def begin_anew(trainer: "Trainer") -> None:
    """Let a trainer go on from its published θ: what its optimizer remembers led to another."""
    state = trainer.optimizer_state
    state.vectors.clear()  # before new ones take as much memory
    vars(state).update(vars(trainer.optimizer.init(trainer.theta, state.layout)))
    trainer.moving[...], trainer.moving_state[...] = trainer.theta, trainer.state


def include(state: OptimizerState, theta: Array, ema: float | None) -> None:
    """Take a point into the mean: mean ← mean + w (θ − mean) with w = 1 − ema, or 1 / count for the plain mean.

    Where θ is frozen, θ − mean is 0, and the mean keeps its bits; as (1 − w) mean + w θ it would not.
    """
    state.averaged += 1
    if state.average is None or state.averaged == 1:
        state.average = theta.copy()
        return
    way = theta - state.average
    way *= 1 / state.averaged if ema is None else 1 - ema
    state.average += way

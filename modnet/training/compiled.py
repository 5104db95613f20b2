"""Compiled training: what an accelerator is told of a trainer's steps, so that it can make many without Python."""

import copy
import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from modnet.acceleration import MIN_STEPS, compiled_loop, run_loop
from modnet.base import Array, CompiledLoop, Optimizer, TrainingStep
from modnet.training.batches import Data
from modnet.training.divergence import diverged

if TYPE_CHECKING:
    from modnet.training.loop import Trainer


def compiled_loop_for(trainer: "Trainer", data: Data, rows: int, steps: int) -> CompiledLoop | None:
    """Return an accelerator's loop for so many steps on batches of so many rows.

    Returns
    -------
    CompiledLoop or None
        None if steps have to be made one by one: there are few, or there is more to do in them than a loop can, or the
        accelerator has no loop for them.
    """
    optimizer, accelerator, links = trainer.optimizer, trainer.engine.accelerator, trainer.engine.network.links
    assert isinstance(optimizer, Optimizer), "a solver makes no steps"
    more_to_do = optimizer.groups or optimizer.ema is not None or trainer.network.layout.constraints
    if accelerator is None or steps < MIN_STEPS or more_to_do or not isinstance(data.x, np.ndarray):
        return None
    if any(link.chains for link in links):
        return None
    step = _training_step(trainer, data, rows)
    return compiled_loop(accelerator, step, partial(_copied_steps, trainer, data, rows))


def run_compiled(
    trainer: "Trainer", loop: CompiledLoop, data: Data, order: Array | None, size: int
) -> tuple[Array, float, float]:
    """Make the steps on full batches of an epoch; return rows it has not taken, Σ w J and Σ w of those it has.

    There are as many as a batch has, or more, if the loop has failed.

    Raises
    ------
    NonFiniteError
        If the loop ended where a loss is not finite.
    """
    optimizer = trainer.optimizer
    assert isinstance(optimizer, Optimizer), "a solver makes no steps"
    order = np.arange(len(data)) if order is None else order
    made, total, weights = run_loop(loop, optimizer, trainer.optimizer_state, trainer.progress, order, size)
    order = order[made * size :]
    if len(order) >= size:
        batch = data.take(order[:size])
        if not math.isfinite(value := trainer.backpropagate(batch)):
            raise diverged(trainer, batch, value)
    return order, total, weights


def _training_step(trainer: "Trainer", data: Data, rows: int) -> TrainingStep:
    """Return the parts of a trainer's step."""
    (running, draw), optimizer = trainer.pass_for(rows), trainer.optimizer
    assert isinstance(optimizer, Optimizer)
    assert trainer.engine.rule is not None
    return TrainingStep(
        modules=tuple(link.module for link in trainer.engine.network.links),
        forward=running.forward,
        backward=running.backward,
        penalize=trainer.penalize,
        loss=trainer.engine.loss,
        # A loop is told the rates: one that agrees under a schedule agrees under all.
        optimizer=optimizer if optimizer.schedule is None else replace(optimizer, schedule=None),
        rule=trainer.engine.rule,
        optimizer_state=trainer.optimizer_state,
        theta=trainer.moving,
        gradient=trainer.gradient,
        state=trainer.moving_state,
        draw=draw,
        regularized=trainer.network.layout.regularized,
        alpha=trainer.settings.alpha,
        l1_ratio=trainer.settings.l1_ratio,
        x=data.x,
        t=data.t,
        weight=data.weight,
        rows=rows,
    )


def _copied_steps(trainer: "Trainer", data: Data, rows: int) -> tuple[TrainingStep, TrainingStep]:
    """Return a step by the accelerator and one without it, each on copies of all that a step changes."""
    steps = []
    for accelerator in (trainer.engine.accelerator, None):
        copied = type(trainer)(
            trainer.network,
            trainer.loss,
            trainer.optimizer,
            trainer.settings,
            trainer.theta.copy(),
            trainer.state.copy(),
            shuffle_rng=trainer.shuffle_rng,
            noise_rng=copy.deepcopy(trainer.noise_rng),
            optimizer_state=copy.deepcopy(trainer.optimizer_state),
            accelerator=accelerator,
        )
        copied.engine.compare_loss(data.t)
        steps.append(_training_step(copied, data, rows))
    return steps[0], steps[1]

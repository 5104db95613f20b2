"""Compiled training: what an accelerator is told of a trainer's steps, so that it can make many without Python.

It goes through as many epochs at a time as nobody has to be asked between: no callback, score or other θ to publish.
"""

import copy
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modnet.acceleration import MIN_STEPS, attempted, compiled_loop
from modnet.base import Array, Block, CompiledLoop, Epochs, Optimizer, TrainingStep
from modnet.network import Pass
from modnet.training.batches import Data, rows_per_batch, shuffled
from modnet.training.monitor import Monitor
from modnet.training.publishing import publish_epoch

if TYPE_CHECKING:
    from modnet.training.loop import Trainer

_COMPARED = 5
"""Rows of the validation set on which a loop is compared."""


@dataclass(frozen=True)
class Compiled:
    """An accelerator's loop for the data of a training.

    Attributes
    ----------
    loop : CompiledLoop
    validated : bool
        Whether it knows the validation loss, if there is a validation set.
    """

    loop: CompiledLoop
    validated: bool

    @classmethod
    def of(cls, trainer: "Trainer", data: Data, validation: Data | None) -> Self | None:
        """Return the loop of a trainer's accelerator; None if steps have to be made one by one.

        That is so if there are few, or there is more to do in them than a loop can, or the accelerator has no loop.
        """
        optimizer, engine, settings = trainer.optimizer, trainer.engine, trainer.settings
        if engine.accelerator is None or not isinstance(optimizer, Optimizer):
            return None
        rows = rows_per_batch(settings.batch_size, len(data))
        steps = settings.max_iter * -(-len(data) // rows)
        if steps < MIN_STEPS or not isinstance(data.x, np.ndarray):
            return None
        if any(link.chains for link in engine.network.links):
            return None
        if trainer.moving is not trainer.theta or not (validation is None or isinstance(validation.x, np.ndarray)):
            validation = None  # another θ is published first, in Python
        watched = () if validation is None else tuple(_blocks(trainer, validation))
        step = _with_rest(trainer, data, rows, watched)
        loop = compiled_loop(engine.accelerator, step, partial(_copied_step, trainer, data, validation))
        return None if loop is None else cls(loop, validation is not None)


def run_compiled(
    trainer: "Trainer", compiled: Compiled, data: Data, monitor: Monitor, most: int
) -> list[tuple[float, float, float | None]]:
    """Go through one epoch, or through several where nobody has to be asked between them.

    A loop that fails is not used again; the epoch is finished by single steps.

    Returns
    -------
    list of (float, float, float or None)
        Of each epoch the mean loss, the learning rate of its last step and, where the loop knows it, the validation
        loss.

    Raises
    ------
    NonFiniteError
        If a loss is not finite.
    """
    loop, settings, n, rng = compiled.loop, trainer.settings, len(data), trainer.shuffle_rng
    size, before = trainer.begin_epoch(data), rng.bit_generator.state
    steps, kept = -(-n // size), None if trainer.moving is trainer.theta else trainer.moving_state.copy()
    alone = kept is None and monitor.may_skip(validated=compiled.validated)
    rates = _rates(trainer, max(1, min(most, loop.max_steps // steps)) if alone else 1, n)
    epochs = Epochs(
        np.full((len(rates) // steps, 2), math.nan),
        copy.copy(monitor.patience),
        monitor.best() if compiled.validated else None,
        compiled.validated and monitor.watches,
        steps,
    )
    orders = list(_orders(trainer, n, size, len(epochs.losses)))
    _run(trainer, loop, epochs, rates, np.concatenate(orders), (n, size))
    whole = epochs.ended
    if begun := bool(epochs.position) or not whole:  # a loss is not finite, or the loop failed: single steps say which
        epochs.ended += 1
    if epochs.ended < len(orders):
        rng.bit_generator.state = before
        list(_orders(trainer, n, size, epochs.ended))  # as if the others had never been drawn
    if whole:
        trainer.end_epochs(data, float(epochs.losses[:whole, 0].sum()), whole)
    last = rates[steps - 1 :: steps].tolist()
    ran = [
        (loss, rate, None if math.isnan(watched) else watched)
        for (loss, watched), rate in zip(epochs.losses[:whole].tolist(), last, strict=False)
    ]
    if begun:
        total, weights = epochs.sums.tolist()
        loss = trainer.epoch(data, (orders[whole], epochs.position, total, weights))
        ran.append((loss, trainer.optimizer_state.learning_rate, None))
    elif kept is not None:
        publish_epoch(trainer, data, orders[0] if settings.shuffle else None, kept)
    return ran


def _run(
    trainer: "Trainer", loop: CompiledLoop, epochs: Epochs, rates: Array, order: Array, sizes: tuple[int, int]
) -> None:
    """Make steps in as few calls as can be, until patience ends, a loss is not finite or the loop fails."""
    (n, size), steps, state, progress = sizes, epochs.steps, trainer.optimizer_state, trainer.progress
    for start in range(0, len(rates), loop.max_steps):
        stop = min(start + loop.max_steps, len(rates))
        first, last = (each // steps * n + each % steps * size for each in (start, stop))
        made, failure = attempted(partial(loop.run, order[first:last], rates[start:stop], epochs))
        if made is None:
            text = f"modnet makes the rest of the steps one by one, because the compiled loop failed: {failure}"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
            trainer.compiled = None
            break
        if made:
            state.learning_rate = float(rates[start + made - 1])
        state.step += made
        progress.step += made
        if state.average is not None and trainer.optimizer.ema is not None:  # type: ignore[union-attr]
            state.averaged += made
        if made < stop - start:
            break


def _orders(trainer: "Trainer", n: int, size: int, count: int) -> Iterator[Array]:
    """Yield the order of the rows in each of the next epochs."""
    for _ in range(count):
        order = shuffled(n, size, trainer.shuffle_rng if trainer.settings.shuffle else None)
        yield np.arange(n) if order is None else order


class _Losses(Sequence[float]):
    """The losses so far, which take note that a schedule has looked at them."""

    def __init__(self, losses: Sequence[float]) -> None:
        self._losses, self.seen = losses, False

    def __getitem__(self, index: Any) -> Any:
        """Return some of them."""
        self.seen = True
        return self._losses[index]

    def __len__(self) -> int:
        """Return how many there are."""
        self.seen = True
        return len(self._losses)


def _rates(trainer: "Trainer", epochs: int, rows: int) -> Array:
    """Return the learning rates of the next steps: of one epoch, if they depend on losses that are not yet known."""
    optimizer, progress = trainer.optimizer, trainer.progress
    assert isinstance(optimizer, Optimizer)
    steps = round(progress.steps_per_epoch)
    count = epochs * steps
    if optimizer.schedule is None:
        return np.full(count, optimizer.learning_rate)
    losses = _Losses(progress.losses)
    rates, at = np.empty(count), replace(progress, losses=losses)
    for index in range(count):
        if index and index % steps == 0:
            if losses.seen:
                return rates[:index]
            at.epoch, at.rows = at.epoch + 1, at.rows + rows
        at.step = progress.step + index
        rates[index] = optimizer.rate(at)
    return rates


def _with_rest(trainer: "Trainer", data: Data, rows: int, watched: tuple[Block, ...]) -> TrainingStep:
    """Return the parts of a trainer's step on batches of so many rows, and on those that are left."""
    left = len(data) % rows
    rest = _training_step(trainer, data, left, watched) if left else None
    return replace(_training_step(trainer, data, rows, watched), rest=rest)


def _training_step(trainer: "Trainer", data: Data, rows: int, watched: tuple[Block, ...]) -> TrainingStep:
    """Return the parts of a trainer's step on batches of so many rows."""
    (running, draw), optimizer, state = trainer.pass_for(rows), trainer.optimizer, trainer.optimizer_state
    assert isinstance(optimizer, Optimizer)
    assert trainer.engine.rule is not None
    if optimizer.ema is not None and state.average is None:
        state.average = np.zeros_like(trainer.moving)  # nothing is in it as long as `averaged` is 0
    return TrainingStep(
        modules=tuple(link.module for link in trainer.engine.network.links),
        forward=running.forward,
        backward=running.backward,
        penalize=trainer.penalize,
        loss=trainer.engine.loss,
        # A loop is told the rates: one that agrees under a schedule agrees under all.
        optimizer=optimizer if optimizer.schedule is None else replace(optimizer, schedule=None),
        rule=trainer.engine.rule,
        optimizer_state=state,
        constrained=tuple(trainer.constrained),
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
        watched=watched,
    )


def _blocks(trainer: "Trainer", validation: Data) -> Iterator[Block]:
    """Yield the validation set in blocks, with what predicts for each."""
    network, passes, n = trainer.engine.network, dict[int, Pass](), len(validation)
    size = min(next(network.blocks(n)).stop, max(256, n // 8))  # passes stay as long as the loop
    for start in range(0, n, size):
        data = validation.rows(slice(start, start + size))
        rows = len(data)
        if rows not in passes:
            passes[rows] = Pass(network, trainer.theta, trainer.state, rows=rows)
        yield Block(passes[rows].forward, data.x, data.t, data.weight)


def _copied_step(trainer: "Trainer", data: Data, validation: Data | None, rows: int, accelerated: bool) -> TrainingStep:
    """Return a step on so many rows, by the accelerator or without it, on copies of all that it changes."""
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
        accelerator=trainer.engine.accelerator if accelerated else None,
    )
    copied.engine.compare_loss(data.t)
    watched = () if validation is None else tuple(_blocks(copied, validation.rows(slice(0, _COMPARED))))
    return _training_step(copied, data, rows, watched)

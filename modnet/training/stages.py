"""Training in two stages: a scout with rows held out finds when to stop, a cool-down on all rows ends the training.

Both are ordinary trainings; what differs is the schedule, and from where they start.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from modnet.base import Optimizer, Progress, Solver
from modnet.registry import registry
from modnet.training.batches import Data, rows_per_batch
from modnet.training.loop import Trainer
from modnet.training.monitor import History, OnEpoch
from modnet.training.publishing import begin_anew
from modnet.training.settings import TrainingSettings

WARM_UP = 1.2
"""Epochs in which the rate of a scout climbs to the optimizer's."""


def cools_down(settings: TrainingSettings, optimizer: Optimizer | Solver) -> bool:
    """Return whether a training is to end with a cool-down; an optimizer with a schedule of its own keeps it.

    So does a rule with points of its own, such as a schedule-free one, which does without any.
    """
    free = isinstance(optimizer, Optimizer) and optimizer.schedule is None and not optimizer.own_points
    return bool(settings.early_stopping) and settings.cooldown > 0 and free


def annealed(optimizer: Optimizer) -> Optimizer:
    """Return an optimizer whose rate falls to 0 over the planned training, along half a cosine wave, step by step."""
    cosine = registry.get("schedule", "modnet-layers:cosine")
    return replace(optimizer, schedule=cosine(unit="step"))


def train_in_stages(
    trainer: Trainer,
    data: Data,
    validation: Data,
    whole: Data,
    *,
    score: Callable[[], float] | None = None,
    on_scouted: Callable[[], None] | None = None,
    on_begin: Callable[[], None] | None = None,
    on_epoch: OnEpoch | None = None,
    several: bool = False,
) -> History:
    """Find on rows held out how long to train, and let the best θ cool down on all rows.

    The scout: over 1.2 epochs the rate η climbs to the optimizer's and stays there, until early stopping ends it in the
    best epoch k. The cool-down: from the best θ, with a fresh optimizer state, max(1, round(cooldown · k)) epochs in
    which η falls to 0 as ½ η₀ (1 + cos(π t/T)), step by step.

    Parameters
    ----------
    trainer : Trainer
        One with early stopping; `max_iter` and `max_time` bound both stages together. If a callback stops the scout, or
        no epoch is left, training ends with the best θ.
    data, validation : Data
        What the scout learns from and what it watches.
    whole : Data
        What the cool-down learns from: `data`, or those and the rows held out, which are no longer watched then.
    score : callable, optional
        As in `Trainer.fit`.
    on_scouted : callable, optional
        Called between the two, when θ is the best of the scout.
    on_begin, on_epoch : callable, optional
        As in `Trainer.fit`.
    several : bool
        As in `Trainer.fit`.

    Returns
    -------
    History
        Of both, one after the other.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.layers import Dense
    >>> from modnet.losses import SquaredError
    >>> from modnet.network import Network
    >>> from modnet.optimizers import SGD
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(50, 2))
    >>> whole = Data(x, x @ [[1.0], [2.0]] + 3)
    >>> network = Network([Dense(1)], input_shape=(2,))
    >>> trainer = Trainer(
    ...     network, SquaredError(), SGD(0.1), TrainingSettings(early_stopping=True, max_iter=20),
    ...     *network.initialize(rng), shuffle_rng=rng, noise_rng=rng)
    >>> history = train_in_stages(trainer, whole.rows(slice(0, 40)), whole.rows(slice(40, 50)), whole)
    >>> len(history.losses), len(history.validation_losses), history.best_epoch
    (20, 10, 9)
    """
    optimizer, settings = trainer.optimizer, trainer.settings
    assert isinstance(optimizer, Optimizer), "a solver has no rate"
    length = max(1, round(WARM_UP * -(-len(data) // rows_per_batch(settings.batch_size, len(data)))))
    warm_up = registry.get("schedule", "modnet-layers:warm_up")(length, 1 / length, unit="step")
    trainer.optimizer = replace(optimizer, schedule=warm_up)
    whole_time, share, started = settings.max_time, 1 / (1 + settings.cooldown), time.perf_counter()
    trainer.settings = replace(
        settings,
        max_iter=max(1, int(settings.max_iter * share)),
        max_time=None if whole_time is None else whole_time * share,
    )
    hooks: dict[str, Any] = {"on_begin": on_begin, "on_epoch": on_epoch, "several": several}
    history = trainer.fit(data, validation, score=score, **hooks)
    if on_scouted is not None:
        on_scouted()
    epochs = max(1, round(settings.cooldown * (history.best_epoch + 1)))
    epochs = min(epochs, settings.max_iter - len(history.losses))
    if whole_time is not None:
        spent = time.perf_counter() - started
        whole_time -= spent
        fit = 0.9 * whole_time / spent * len(data) / len(whole)  # a tenth in reserve: epochs differ
        epochs = min(epochs, int(fit * len(history.losses)))
    if history.stopped or epochs < 1:
        return history
    history.cooldown_start = len(history.losses)
    trainer.optimizer = annealed(optimizer)
    trainer.settings = replace(settings, max_iter=epochs, max_time=whole_time, early_stopping=False)
    trainer.before, trainer.progress = trainer.progress, Progress(rows=trainer.progress.rows)
    begin_anew(trainer)
    watched = (validation, score) if len(whole) == len(data) else (None, None)
    return trainer.fit(whole, watched[0], score=watched[1], history=history, **hooks)

"""What surrounds a training: random numbers, callbacks, scores, threads, and the estimator as it was if training fails.

For callbacks a fit is the root task and each epoch a task below it, so that ``ProgressBar``, ``ScoringMonitor`` and
modnet's own callbacks work on a bare estimator, in a pipeline and in a grid.
"""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import get_ident
from typing import Any, Self

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from modnet.acceleration import predicted
from modnet.base import Loss, Optimizer, OptimizerState
from modnet.estimators.parameters import chosen_accelerator
from modnet.estimators.preparation import Sample, scaled, takes
from modnet.network.trial import adapt, check_links
from modnet.registry import registry
from modnet.spec import ModelSpec
from modnet.training import Data, History, Trainer, train_in_stages
from modnet.training.combining import first_state
from modnet.training.stages import annealed, cools_down

CALLBACKS = ("_skl_callbacks", "_skl_callbacks_to_teardown", "_callback_fit_ctx", "_parent_callback_ctx")
"""Where scikit-learn keeps callbacks, and how far they are, on an estimator."""


class FitMetadata(dict[str, Any]):
    """What callbacks are told beside X and y: ``sample_weight``, and ``X_val`` and ``y_val`` of a validation set.

    All are there by name. Unpacking with ``**`` gives the sample weights alone, because that is how scikit-learn 1.9's
    ``ScoringMonitor`` hands metadata to scorers, which refuse anything else.
    """

    def __init__(self, sample_weight: Any, X_val: Any, y_val: Any) -> None:
        given = {"sample_weight": sample_weight, "X_val": X_val, "y_val": y_val}
        super().__init__({name: value for name, value in given.items() if value is not None})

    def keys(self) -> Any:
        """Return the names that a scorer takes."""
        return {"sample_weight"} & set(super().keys())

    def __iter__(self) -> Iterator[str]:
        """Return the names that a scorer takes."""
        return iter(self.keys())


class EpochTask:
    """The root task of one fit, and the tasks of its epochs.

    Parameters
    ----------
    estimator : estimator
        One that derives from scikit-learn's ``CallbackSupportMixin``.
    epochs : int
        Epochs at most.
    X, y : array-like
        As the user gave them.
    metadata : FitMetadata
    """

    def __init__(self, estimator: Any, epochs: int, X: Any, y: Any, metadata: FitMetadata) -> None:
        self._given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        root = estimator._init_callback_context(task_name="fit", max_subtasks=epochs)
        self._root = root.call_on_fit_task_begin(**self._given)

    def begin_epoch(self) -> None:
        """Open the task of an epoch."""
        self._epoch = self._root.subcontext(task_name="epoch").call_on_fit_task_begin(**self._given)

    def end_epoch(self) -> bool:
        """Close the task of the epoch; return whether a callback wants to stop."""
        return bool(self._epoch.call_on_fit_task_end(**self._given, reconstruction_attributes=self._learnt))

    def end(self) -> None:
        """Close the root task."""
        self._root.call_on_fit_task_end(**self._given, reconstruction_attributes=self._learnt)

    def _learnt(self) -> dict[str, Any]:
        """Return what makes a copy of the estimator a fitted one of its own, for callbacks that want it."""
        mutable = ("theta_", "state_", "optimizer_state_", "_streams")
        curves = ("loss_curve_", "learning_rate_curve_", "validation_loss_curve_", "validation_scores_")
        found = vars(self._given["estimator"])
        return {name: copy.deepcopy(found[name]) for name in (*mutable, *curves) if name in found}


def scorer_on(estimator: Any, validation: Sample | None) -> Callable[[], float] | None:
    """Return what scores the present weights on the validation set; None where the loss is watched.

    Raises
    ------
    ValueError
        If `scoring` names no score, or several.
    """
    scoring = estimator.scoring
    if isinstance(scoring, str) and scoring == "loss":
        return None
    if isinstance(scoring, list | tuple | set | dict):
        raise ValueError(f"scoring should be one score for early stopping to watch, got {scoring!r}")
    scorer = check_scoring(estimator, scoring)
    if validation is None:
        return None
    # Validated rows have lost their column names; a view that never had any does not miss them.
    view = copy.copy(estimator)
    vars(view).pop("feature_names_in_", None)
    x, y, given = validation.data.x, validation.y, validation.given_weight
    weights = {} if given is None else {"sample_weight": given}
    return lambda: float(scorer(view, x, y, **weights))


def _drawn(random_state: Any) -> list[int]:
    """Return four numbers by what scikit-learn takes for a random state."""
    numbers: list[int] = check_random_state(random_state).randint(0, 2**31 - 1, size=4).tolist()
    return numbers


_entropy = lru_cache(256)(_drawn)


@dataclass
class Streams:
    """One generator per purpose, so that none disturbs another: more dropout does not change the order of rows."""

    init: np.random.Generator
    shuffle: np.random.Generator
    noise: np.random.Generator
    split: np.random.Generator

    @classmethod
    def of(cls, random_state: Any) -> Self:
        """Return four streams; an int gives the same ones every time."""
        # In a search every fit has the same seed, and a generator of scikit-learn's takes 20 µs to make.
        entropy = _entropy(random_state) if type(random_state) is int else _drawn(random_state)
        seeds = np.random.SeedSequence(entropy).spawn(4)
        return cls(*(np.random.default_rng(seed) for seed in seeds))


ENOUGH = 200
"""Rows from which on early_stopping="auto" holds some of them out."""


def decided(spec: ModelSpec, loss: Loss, rows: int | None, *, watched: bool, tuned: bool) -> ModelSpec:
    """Return a spec with its loss, and with what early_stopping="auto" and batch_size="auto" come to.

    Parameters
    ----------
    spec : ModelSpec
    loss : Loss
    rows : int or None
        To learn from; None: a stream, which goes on as it is.
    watched : bool
        Whether there is a validation set.
    tuned : bool
        Whether batches grow with the rows, as in no drop-in.
    """
    key = spec, loss, rows, watched, tuned
    return registry.remembered(key, lambda: _decided(spec, loss, rows, watched=watched, tuned=tuned))


def _decided(spec: ModelSpec, loss: Loss, rows: int | None, *, watched: bool, tuned: bool) -> ModelSpec:
    training, optimizer, early = spec.training, spec.optimizer, False
    if training.batch_size is None and tuned and rows is not None:
        training = replace(training, batch_size=min(256, max(32, 2 ** round(math.log2(rows / 40)))))
    if training.early_stopping == "auto":
        if rows is not None and isinstance(optimizer, Optimizer):
            schedule, enough = optimizer.schedule, watched or rows >= ENOUGH
            early = enough and (schedule is None or not schedule.ends)
            if not enough and cools_down(replace(training, early_stopping=True), optimizer):
                optimizer = annealed(optimizer)
        training = replace(training, early_stopping=early)
    elif loss == spec.loss and training is spec.training:
        return spec
    return replace(spec, loss=loss, optimizer=optimizer, training=training)


def carry_over(old: OptimizerState, new: OptimizerState, before: ModelSpec, spec: ModelSpec) -> None:
    """Write into a new state what the old one remembers, if both are of one rule and one layout."""
    now, earlier = spec.optimizer, before.optimizer
    if not isinstance(now, Optimizer) or type(now) is not type(earlier) or new.layout.places != old.layout.places:
        return
    assert isinstance(earlier, Optimizer), "of the same class"
    if now.publishes and new.layout.factors != old.layout.factors:
        return  # a mean of earlier points would go on moving where layers are frozen now
    new.step = old.step
    if (now.ema, now.swa) == (earlier.ema, earlier.swa):
        for name in ("average", "averaged", "moving", "moving_state"):
            setattr(new, name, copy.copy(getattr(old, name)))
    for name in new.vectors.keys() & old.vectors.keys():
        new.vectors[name][...] = old.vectors[name]
    new.scalars.update({name: value for name, value in old.scalars.items() if name in new.scalars})


def trainer_on(estimator: Any, sample: Sample, watched: Sample | None) -> tuple[Trainer, Data, Data | None]:
    """Return what trains an estimator, and the rows that it takes: those to train on and those to watch.

    Fixed links in front make the same of a row in every epoch. Where the result fits into `inputs_budget`, they run
    once, here, and the network to be trained begins behind them. Not if something overflows in them: the step that
    fails names the layer then.
    """
    network, theta, state = estimator.network_, estimator.theta_, estimator.state_
    data = scaled(estimator, sample).data
    validation = None if watched is None else scaled(estimator, watched).data
    head, body = network.split()
    rows = len(data) + (0 if validation is None else len(validation))
    size = rows * math.prod(body.input_shape) * theta.itemsize
    if head is not None and size <= estimator.spec_.training.inputs_budget:
        with np.errstate(all="ignore"):
            once = head.predict(theta, state, data.x)
            if np.isfinite(once).all() or takes("missing", (link.module for link in body.walk())):
                network, data = body, replace(data, x=once)
                if validation is not None:
                    validation = replace(validation, x=head.predict(theta, state, validation.x))
    trainer = Trainer(
        network,
        estimator._trained_on(),
        estimator.spec_.optimizer,
        estimator.spec_.training,
        theta,
        state,
        shuffle_rng=estimator._streams.shuffle,
        noise_rng=estimator._streams.noise,
        optimizer_state=estimator.optimizer_state_,
        accelerator=chosen_accelerator(estimator),
    )
    trainer.progress.rows = estimator._rows_seen
    return trainer, data, validation


def try_out(estimator: Any, data: Data, *, adapting: bool) -> None:
    """Let a new network adapt to the data, hold its links to their contract, and make room for its optimizer.

    In this order, because the trial has two vectors of the size of θ for itself, and leaves them to the optimizer.
    """
    weights = estimator.network_, estimator.theta_, estimator.state_
    if adapting:
        estimator._look_at_network()
        adapt(*weights, data.x, data.weight)
    links = tuple((link.module, link.input_shape) for link in estimator.network_.walk())
    # A search tries each architecture out once, and not in every fold.
    key = links, estimator.theta_.dtype, type(data.x)
    registry.remembered(key, lambda: check_links(*weights, data.rows(slice(0, 2)).x))
    if adapting:
        optimizer = estimator.spec_.optimizer
        estimator.optimizer_state_ = first_state(estimator.network_, optimizer, estimator.theta_)


def held_out_last(estimator: Any, sample: Sample) -> tuple[Sample, int]:
    """Return the rows in another order, those to watch last; and how many there are to train on."""
    seed = int(estimator._streams.split.integers(2**31))
    rows, stratify, held_out = len(sample.data), None, 2
    n, alone = rows, np.zeros(rows, bool)
    if sample.target.task in ("binary", "multiclass"):
        _, codes, counts = np.unique(sample.y, return_inverse=True, return_counts=True)
        alone = counts[codes] == 1  # the only row of a class is trained on, as in scikit-learn's MLP
        # Of very few rows, still two, and one of each class.
        stratify, n, held_out = sample.y[~alone], int((~alone).sum()), max(2, int((counts > 1).sum()))
    if n <= held_out:
        raise ValueError(f"n_samples = {rows} is too few to hold out {held_out} rows for early_stopping=True")
    fraction = max(estimator.spec_.training.validation_fraction, held_out / n)
    return sample.split(fraction, seed, stratify, alone if alone.any() else None)


def note_held_out(estimator: Any, watched: Sample | None, *, from_x: bool) -> None:
    """Keep what an estimator predicts for rows that it has not learnt from, and which of X they are."""
    for name in ("held_out_rows_", "held_out_prediction_"):
        vars(estimator).pop(name, None)
    if watched is None or estimator._reads_all:
        return
    accelerator = chosen_accelerator(estimator)
    raw = predicted(estimator.network_, accelerator, estimator.theta_, estimator.state_, watched.data.x)
    estimator.held_out_prediction_ = estimator._told(raw)
    if from_x:
        estimator.held_out_rows_ = watched.index


def in_stages(trainer: Trainer, data: Data, watched: Data | None, *, first: slice, **hooks: Any) -> History:
    """Train in two stages; where no rows to watch are given, the first stage holds out those behind `first`."""
    if watched is not None:
        return train_in_stages(trainer, data, watched, data, **hooks)
    return train_in_stages(trainer, data.rows(first), data.rows(slice(first.stop, None)), data, **hooks)


_BUSY: dict[int, int] = {}
"""Which estimators are being changed, by id, and in which thread."""


@contextmanager
def unchanged_on_failure(estimator: Any) -> Iterator[None]:
    """Put back every attribute if the block raises; callbacks stay, for scikit-learn to end them.

    After an interrupt (Ctrl-C) of a training what was learnt in its epochs stays.

    Raises
    ------
    RuntimeError
        If another thread is in such a block with the same estimator: both would write into one θ.
    """
    attributes, me = vars(estimator), get_ident()
    before, outer = dict(attributes), id(estimator) not in _BUSY
    if _BUSY.setdefault(id(estimator), me) != me:
        name = type(estimator).__name__
        raise RuntimeError(f"this {name} is being fitted in another thread: fit a clone of it in each (sklearn.clone)")
    try:
        yield
    except BaseException as error:
        learnt = attributes.get("loss_curve_") is not before.get("loss_curve_")
        if not (learnt and isinstance(error, KeyboardInterrupt)):
            before.update({name: attributes[name] for name in CALLBACKS if name in attributes})
            attributes.clear()
            attributes.update(before)
        raise
    finally:
        if outer:
            del _BUSY[id(estimator)]

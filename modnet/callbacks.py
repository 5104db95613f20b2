"""Callbacks for training, on scikit-learn's own protocol: checkpoints, learning rates, early stopping.

They look at epochs only and leave every other task of a fit alone; hand them to ``set_callbacks`` of an estimator, in
a pipeline or a grid to that of the final step.
"""

import copy
import os
import pickle
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import AfterValidator, Field

from modnet.base import Array
from modnet.component import Component, Count

__all__ = ["Checkpoint", "EarlyStopping", "LearningRateMonitor"]

Watched = Literal["loss", "validation_loss", "score"]
"""What an epoch is judged by: the training loss, the validation loss or the validation score."""

_CURVES = {"score": "validation_scores_", "validation_loss": "validation_loss_curve_", "loss": "loss_curve_"}

_OF_THE_FIT = ("_skl_callbacks", "_skl_callbacks_to_teardown", "_callback_fit_ctx", "_parent_callback_ctx")
"""Where scikit-learn 1.9 keeps the callbacks of an estimator, and during a fit the tree of its tasks."""


class Task(Protocol):
    """What a callback asks of scikit-learn's ``CallbackContext``."""

    task_name: str
    task_id: int
    root_uuid: uuid.UUID
    init_time: datetime
    parent: "Task | None"


class _EpochCallback:
    """The hooks of the protocol that nothing is done in."""

    def setup(self, estimator: Any, context: Task) -> None:
        """Do nothing: there is nothing to prepare."""

    def on_fit_task_begin(self, estimator: Any, context: Task) -> None:
        """Do nothing: epochs are looked at when they end."""

    def teardown(self, estimator: Any, context: Task) -> None:
        """Do nothing: there is nothing to clean up."""


class EarlyStopping(_EpochCallback, Component):
    """Stops training when progress ends.

    It stops after an epoch if none of the last `patience` epochs is better by more than `min_delta` than the best
    epoch before them.

    Parameters
    ----------
    monitor : {"loss", "validation_loss", "score"}
        What is watched: the training loss; the loss on the validation set, which ``fit(…, X_val=, y_val=)`` gives or
        ``early_stopping=True`` sets aside; or the score on it, for which the estimator needs a `scoring`.
    patience : int
        Epochs without progress, ≥ 1.
    min_delta : float
        How much better an epoch has to be to count as progress, ≥ 0.

    Notes
    -----
    The weights stay those of the last epoch, unless the estimator has ``early_stopping=True`` and puts back those of
    its best one. The estimator's own rule (`tol`, `n_iter_no_change`) goes on to apply; whichever comes first stops.

    Like every component it only holds numbers: what it needs to know is in the estimator's curves, so one instance
    serves any number of fits, threads and processes.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import ModNetRegressor
    >>> from modnet.callbacks import EarlyStopping
    >>> X = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> model = ModNetRegressor(max_iter=500, random_state=0).set_callbacks(EarlyStopping(patience=5, min_delta=0.01))
    >>> model.fit(X, X[:, 0]).n_iter_ < 100
    True
    """

    monitor: Watched = "loss"
    patience: Count = 10
    min_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    def on_fit_task_end(self, estimator: Any, context: Task) -> bool:
        """Return whether to stop."""
        if context.task_name != "epoch":
            return False
        losses = _watched(estimator, context, self.monitor)
        before, recent = losses[: -self.patience], losses[-self.patience :]
        return before.size > 0 and not recent.min() < before.min() - self.min_delta


def _path(path: str | Path) -> str | Path:
    try:
        str(path).format(epoch=1, fit="0")
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise ValueError(
            "should be a path in which only {epoch} and {fit} stand in braces; others are written twice, {{ and }}"
        ) from error
    return path


class Checkpoint(_EpochCallback, Component):
    """Writes the estimator as it is after an epoch, ready to predict and to go on from, to a file.

    Parameters
    ----------
    path : str or Path
        The file. ``{epoch}`` in it becomes the number of the epoch, from 1 (``{epoch:03d}`` pads it); without it the
        last checkpoint replaces the one before. ``{fit}`` becomes the place of the fit in the whole, such as
        ``0-0-3-1`` in a grid over a pipeline; without it all fits of a grid write to one file. Directories are made.
    every : int
        Write after every so many epochs, ≥ 1.
    best_only : bool
        Whether to write only if the epoch is better than all those before it that `every` selects.
    monitor : {"loss", "validation_loss", "score"}, optional
        What `best_only` goes by; None: the score, or else the validation loss, or else the training loss, the first
        that there is.

    Notes
    -----
    The file is written beside its place and then moved there: whoever reads it finds a whole checkpoint, whatever
    happens. ``pickle.load`` reads it, and like every pickle it should be read only if it comes from somebody you
    trust. Callbacks are not in it.

    Examples
    --------
    >>> import pickle, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from modnet import ModNetRegressor
    >>> from modnet.callbacks import Checkpoint
    >>> X = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> model = ModNetRegressor(optimizer={"type": "adam", "learning_rate": 0.01}, random_state=0)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     checkpoint = Checkpoint(Path(directory, "epoch-{epoch:03d}.pkl"), every=10)
    ...     model = model.set_callbacks(checkpoint).fit(X, X[:, 0])
    ...     first, second, *_ = sorted(Path(directory).iterdir())
    ...     saved = pickle.loads(second.read_bytes())
    >>> first.name, second.name, saved.n_iter_, saved.predict(X).shape
    ('epoch-010.pkl', 'epoch-020.pkl', 20, (50,))
    """

    path: Annotated[str | Path, AfterValidator(_path)]
    every: Count = 1
    best_only: bool = False
    monitor: Watched | None = None

    def on_fit_task_end(self, estimator: Any, context: Task, *, fitted_estimator: Any = None) -> None:
        """Write the estimator."""
        epoch = context.task_id + 1
        if context.task_name != "epoch" or epoch % self.every:
            return
        if self.best_only:
            *before, last = _watched(estimator, context, self.monitor)[self.every - 1 :: self.every]
            if before and not last < min(before):
                return
        saved = copy.copy(fitted_estimator)
        for name in _OF_THE_FIT:
            saved.__dict__.pop(name, None)
        fit = "-".join(str(task.task_id) for task in _path_to(context.parent))
        _write(Path(str(self.path).format(epoch=epoch, fit=fit)), saved)


class LearningRateMonitor(_EpochCallback):
    """Collects the learning rate of every epoch, also of the fits that worker processes do.

    Notes
    -----
    The rates lie in a temporary directory, one file per fit, which goes when the monitor goes. Copies that joblib
    sends to worker processes on this machine (``GridSearchCV(n_jobs=2)``) write to the same directory. It does not
    reach over to other machines, nor does a pickle keep rates: read back when the monitor is gone, it begins anew.

    Rates of a single fit need no callback: they are the estimator's ``learning_rate_curve_``.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import ModNetRegressor
    >>> from modnet.callbacks import LearningRateMonitor
    >>> X = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> monitor = LearningRateMonitor()
    >>> model = ModNetRegressor(optimizer={"type": "sgd", "learning_rate": 0.1, "schedule": "inverse_scaling"})
    >>> model = model.set_params(max_iter=3, tol=1.0, n_iter_no_change=1).set_callbacks(monitor).fit(X, X[:, 0])
    >>> monitor.rates == [model.learning_rate_curve_]
    True
    """

    def __init__(self) -> None:
        self._directory: Path | None = None
        self._home()

    @property
    def rates(self) -> list[list[float]]:
        """The learning rate of each epoch's last step, a list per fit, in the order in which the fits began.

        The list of a fit with a solver, which has no learning rate, is empty.
        """
        files = sorted(self._home().iterdir())
        return [[float(line) for line in file.read_text(encoding="ascii").splitlines()] for file in files]

    def on_fit_task_end(self, estimator: Any, context: Task) -> None:
        """Write the rate down."""
        if context.task_name != "epoch" or context.parent is None:
            return
        fit = [context.parent.init_time.strftime("%Y%m%d%H%M%S%f"), context.root_uuid.hex]
        fit += [str(task.task_id) for task in _path_to(context.parent)]
        with open(self._home() / "-".join(fit), "a", encoding="ascii") as file:
            file.writelines(f"{rate!r}\n" for rate in estimator.learning_rate_curve_[-1:])

    def _home(self) -> Path:
        """Return the directory; a new one if the monitor that this one was copied from is gone, and its own with it."""
        if self._directory is None or not self._directory.is_dir():
            self._directory = Path(tempfile.mkdtemp(prefix="modnet-rates-"))
            weakref.finalize(self, _remove, self._directory, os.getpid())
        return self._directory


def _remove(directory: Path, owner: int) -> None:
    """Delete a directory, if this is the process that made it and not a fork of it."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


def _watched(estimator: Any, context: Task, monitor: Watched | None) -> Array:
    """Return what this fit's epochs are judged by, lower being better; NaN is worst."""
    curves = {name: getattr(estimator, attribute, None) for name, attribute in _CURVES.items()}
    name = next(name for name, curve in curves.items() if curve) if monitor is None else monitor
    curve = curves[name]
    if not curve:
        scoring = " and scoring to the name of a scorer" if name == "score" else ""
        raise ValueError(
            f"monitor={name!r}: {type(estimator).__name__} has no {_CURVES[name]}, which needs a validation set; "
            f"give X_val and y_val to fit, or set early_stopping=True{scoring}"
        )
    # Epochs of earlier fits stay in the curve of a warm start, and are not the business of this one.
    losses = np.array(curve[-1 - context.task_id :])
    losses *= -1 if name == "score" else 1
    losses[np.isnan(losses)] = np.inf
    return losses


def _path_to(task: Task | None) -> Iterator[Task]:
    """Return the tasks from the outermost fit down to this one."""
    if task is not None:
        yield from _path_to(task.parent)
        yield task


def _write(path: Path, value: object) -> None:
    """Pickle a value; the file is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(draft, "xb") as file:
            pickle.dump(value, file)
        os.replace(draft, path)
    except Exception as error:
        error.add_note(f"Checkpoint was about to pickle the estimator, with all its parameters, to {path}")
        raise
    finally:
        draft.unlink(missing_ok=True)

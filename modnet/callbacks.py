"""Callbacks for training, on scikit-learn's own protocol: model files, progress, MLflow's runs and Optuna's trials.

They look at epochs only and ignore every other task of a fit. Hand them to ``set_callbacks`` of an estimator; in a
pipeline or a grid, to that of the final step. `sklearn.callback.ProgressBar` shows the progress of them all; it needs
rich, and in notebooks ipywidgets, without which `ProgressLines` is there.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import AfterValidator

from modnet.base import Array
from modnet.component import Component, Count
from modnet.docstrings import complete

__all__ = ["Checkpoint", "EpochCallback", "MLflowLogging", "OptunaPruning", "ProgressLines"]

Watched = Literal["loss", "validation_loss", "score"]
"""What an epoch is judged by: the training loss, the validation loss or the validation score."""

_CURVES = {"score": "validation_scores_", "validation_loss": "validation_loss_curve_", "loss": "loss_curve_"}


class Task(Protocol):
    """What a callback asks of scikit-learn's ``CallbackContext``."""

    task_name: str
    task_id: int
    parent: "Task | None"
    max_subtasks: int


class EpochCallback:
    """A callback that does nothing: derive from it, and define the hooks that you need."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete(cls)

    def setup(self, estimator: Any, context: Task) -> None:
        """Be told that a fit begins.

        Parameters
        ----------
        estimator : estimator
            The one whose fit begins.
        context : CallbackContext
            The task that stands for the whole fit.
        """

    def on_fit_task_begin(self, estimator: Any, context: Task) -> None:
        """Be told that a task begins: ``context.task_name`` is "fit" or "epoch".

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            The task that begins.
        """

    def on_fit_task_end(self, estimator: Any, context: Task) -> bool | None:
        """Be told that a task is over; True stops training after it.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            The task that is over; of epochs `task_id` counts from 0.

        Returns
        -------
        bool or None
            True: training stops.
        """

    def teardown(self, estimator: Any, context: Task) -> None:
        """Be told that a fit is over, also when it has failed.

        Parameters
        ----------
        estimator : estimator
            The one whose fit is over.
        context : CallbackContext
            The task that stood for the whole fit.
        """


def _path(path: str | Path) -> str | Path:
    try:
        str(path).format(epoch=1, fit="0")
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise ValueError(
            "should be a path in which only {epoch} and {fit} stand in braces; others are written twice, {{ and }}"
        ) from error
    return path


class Checkpoint(EpochCallback, Component):
    """Writes the estimator as it is after an epoch, ready to predict and to train on, to a model file.

    Parameters
    ----------
    path : str or Path
        The file. ``{epoch}`` in it becomes the number of the epoch, from 1 (``{epoch:03d}`` pads it); without it the
        last checkpoint replaces the one before. ``{fit}`` becomes the place of the fit in the whole, such as
        ``0-0-3-1`` in a grid over a pipeline; without it all fits of a grid write to one file. Directories are made.
    every : int
        Write after every so many epochs, ≥ 1.
    best_only : bool
        Whether to write only if the epoch is better than all those before it that `every` selects. No epoch of a
        cool-down in which nothing is watched is.
    monitor : {"loss", "validation_loss", "score"}, optional
        What `best_only` goes by; None: the score, or else the validation loss, or else the training loss, the first
        that there is.

    Raises
    ------
    ModelFileError
        During `fit`, if a model file cannot hold the estimator: a parameter is a function, say.

    Notes
    -----
    `modnet.load` reads the file, which holds what `modnet.save` writes: the estimator that the callback was given to,
    also where that is a step of a pipeline. It is there as a whole or not at all, even if the process ends while
    it is being written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from modnet import ModNetRegressor, load
    >>> from modnet.callbacks import Checkpoint
    >>> X = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> model = ModNetRegressor(optimizer={"type": "adam", "learning_rate": 0.01}, random_state=0)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     checkpoint = Checkpoint(Path(directory, "epoch-{epoch:03d}.npz"), every=10)
    ...     model = model.set_callbacks(checkpoint).fit(X, X[:, 0])
    ...     first, second, *_ = sorted(Path(directory).iterdir())
    ...     saved = load(second)
    >>> first.name, second.name, saved.n_iter_, saved.predict(X).shape
    ('epoch-010.npz', 'epoch-020.npz', 20, (50,))
    """

    path: Annotated[str | Path, AfterValidator(_path)]
    every: Count = 1
    best_only: bool = False
    monitor: Watched | None = None

    def on_fit_task_end(self, estimator: Any, context: Task, *, fitted_estimator: Any = None) -> None:
        """Write the estimator.

        Parameters
        ----------
        fitted_estimator : estimator
            The one to write: ready to predict, and to train on.
        """
        from modnet import save  # imports scikit-learn

        epoch = context.task_id + 1
        if context.task_name != "epoch" or epoch % self.every:
            return
        if self.best_only:
            curve = _watched(estimator, context, self.monitor)[self.every - 1 :: self.every]
            if not len(curve) or (len(curve) > 1 and not curve[-1] < curve[:-1].min()):
                return
        fit, task = [], context.parent
        while task is not None:
            fit.append(str(task.task_id))
            task = task.parent
        path = Path(str(self.path).format(epoch=epoch, fit="-".join(reversed(fit))))
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            save(fitted_estimator, path)
        except Exception as error:
            error.add_note(f"Checkpoint was about to write the estimator, after epoch {epoch}, to {path}")
            raise


class OptunaPruning(EpochCallback):
    """Tells an Optuna trial how each epoch went, and ends the fit with ``optuna.TrialPruned`` where it is to be pruned.

    Parameters
    ----------
    trial : optuna.Trial
        Of a study with one direction; of one to be maximized, losses count negatively.
    monitor : {"loss", "validation_loss", "score"}, optional
        What an epoch is judged by; None: the score, or else the validation loss, or else the training loss. A cool-down
        in which nothing is watched is not judged.
    """

    def __init__(self, trial: Any, monitor: Watched | None = None) -> None:
        self.trial, self.monitor = trial, monitor

    def on_fit_task_end(self, estimator: Any, context: Task) -> None:
        """Report the epoch."""
        if context.task_name != "epoch" or not len(curve := _watched(estimator, context, self.monitor)):
            return
        import optuna

        self.trial.report(curve[-1] if self.trial.study.direction.name == "MINIMIZE" else -curve[-1], context.task_id)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"after epoch {context.task_id + 1}")


class MLflowLogging(EpochCallback):
    """Logs a fit to the active MLflow run: its parameters, and after each epoch its losses, score and learning rate.

    For a bare estimator, which ``mlflow.sklearn.autolog()`` passes over: that knows scikit-learn's own classes alone. A
    run has the parameters of one fit.
    """

    def on_fit_task_begin(self, estimator: Any, context: Task) -> None:
        """Log the parameters."""
        if context.task_name == "fit":
            import mlflow

            mlflow.log_params(estimator.get_params(deep=False))

    def on_fit_task_end(self, estimator: Any, context: Task) -> None:
        """Log the epoch."""
        if context.task_name == "epoch":
            import mlflow

            names = {**_CURVES, "learning_rate": "learning_rate_curve_"}
            curves = {name: getattr(estimator, attribute, []) for name, attribute in names.items()}
            known = {name: curve[-1] for name, curve in curves.items() if len(curve) > context.task_id}
            mlflow.log_metrics(known, step=estimator.n_iter_)


class ProgressLines(EpochCallback):
    """Prints the loss ten times in a training, as text: it needs no terminal, no rich and no ipywidgets.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet import ModNetRegressor
    >>> from modnet.callbacks import ProgressLines
    >>> X = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> optimizer = {"type": "adam", "learning_rate": 0.01, "schedule": "cosine"}
    >>> model = ModNetRegressor(optimizer=optimizer, max_iter=20, random_state=0)
    >>> model = model.set_callbacks(ProgressLines()).fit(X, X[:, 0])  # doctest: +ELLIPSIS
    epoch  2/20  loss 0.05...
    epoch  4/20  loss 0.03...
    ...
    epoch 20/20  loss 0.00...
    """

    def on_fit_task_end(self, estimator: Any, context: Task) -> None:
        """Print the epoch's loss."""
        if context.task_name == "epoch" and context.parent is not None:  # which is the fit
            epoch, last = context.task_id + 1, context.parent.max_subtasks
            if epoch % max(1, last // 10) == 0:
                print(f"epoch {epoch:{len(str(last))}d}/{last}  loss {estimator.loss_curve_[-1]:.6f}", flush=True)


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
    if len(curve) <= context.task_id:  # of a cool-down that learns from the rows that were watched
        return np.array([])
    # A warm start keeps the epochs of earlier fits in the curve; only those of this fit count.
    losses = np.array(curve[-1 - context.task_id :])
    losses *= -1 if name == "score" else 1
    losses[np.isnan(losses)] = np.inf
    return losses

"""Epochs: what scikit-learn's callbacks see of them, what early stopping scores, and what ``verbose`` prints.

For callbacks a fit is the root task and each epoch a task below it, so that ``ProgressBar``, ``ScoringMonitor`` and
modnet's own callbacks work on a bare estimator, in a pipeline and in a grid.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from sklearn.metrics import check_scoring

from modnet.estimators.preparation import Sample
from modnet.training import History

CALLBACKS = ("_skl_callbacks", "_skl_callbacks_to_teardown", "_callback_fit_ctx", "_parent_callback_ctx")
"""Where scikit-learn keeps callbacks, and how far they are, on an estimator."""

Reconstruction = Callable[[], dict[str, Any]]
"""Returns the attributes that make a fitted copy of the estimator."""


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
        self._root = estimator._init_callback_context(task_name="fit", max_subtasks=epochs)
        self._root.call_on_fit_task_begin(**self._given)

    def begin_epoch(self) -> None:
        """Open the task of an epoch."""
        self._epoch = self._root.subcontext(task_name="epoch").call_on_fit_task_begin(**self._given)

    def end_epoch(self, reconstruction: Reconstruction) -> bool:
        """Close the task of the epoch; return whether a callback wants to stop."""
        return bool(self._epoch.call_on_fit_task_end(**self._given, reconstruction_attributes=reconstruction))

    def end(self, reconstruction: Reconstruction) -> None:
        """Close the root task."""
        self._root.call_on_fit_task_end(**self._given, reconstruction_attributes=reconstruction)


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


def report(history: History) -> str:
    """Return the line that ``verbose`` prints after an epoch.

    Examples
    --------
    >>> report(History(losses=[0.5], validation_losses=[0.75], seconds=0.01))
    'epoch    1  loss 0.500000  validation loss 0.750000  0.010 s'
    """
    parts = [f"epoch {len(history.losses):4d}", f"loss {history.losses[-1]:.6f}"]
    if history.validation_losses:
        parts.append(f"validation loss {history.validation_losses[-1]:.6f}")
    if history.validation_scores:
        parts.append(f"score {history.validation_scores[-1]:.4f}")
    return "  ".join([*parts, f"{history.seconds:.3f} s"])

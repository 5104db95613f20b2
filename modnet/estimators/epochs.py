"""Epochs as tasks: what scikit-learn's callback protocol sees of a fit.

A fit is the root task and each epoch a task below it, so that ``ProgressBar``, ``ScoringMonitor`` and modnet's own
callbacks work on a bare estimator, in a pipeline and in a grid.
"""

from collections.abc import Callable, Iterator
from typing import Any

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

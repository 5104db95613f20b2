"""The estimator for what is to be learnt: a classifier for classes, a regressor for numbers."""

from typing import Any

import numpy as np

from modnet import ModelSpec
from modnet.base import Array, Loss
from modnet.cli.output import CommandError
from modnet.estimators import ModNetClassifier, ModNetRegressor

CLASSES = 20
"""How many different whole numbers are taken for classes."""


def estimator_for(spec: ModelSpec, y: Array, task: str = "auto", **params: Any) -> ModNetClassifier | ModNetRegressor:
    """Return an estimator with the parameters of a spec, and others, that learns y.

    Parameters
    ----------
    spec : ModelSpec
    y : ndarray, shape (n,)
    task : {"auto", "classification", "regression"}
        "auto": a loss that serves one of the two only decides; otherwise text, truth values and whole numbers of at
        most 20 different values are classes.
    **params : object
        Parameters that no spec has, such as ``random_state``.

    Raises
    ------
    CommandError
        If y holds no numbers, and it is regression.

    Examples
    --------
    >>> type(estimator_for(ModelSpec(), np.array(["a", "b", "a"]))).__name__
    'ModNetClassifier'
    >>> type(estimator_for(ModelSpec(), np.arange(100))).__name__
    'ModNetRegressor'
    """
    if _classes(spec.loss, y) if task == "auto" else task == "classification":
        return ModNetClassifier.from_spec(spec, **params)
    if y.dtype.kind not in "biuf":
        raise CommandError("the target holds no numbers, as regression needs them")
    return ModNetRegressor.from_spec(spec, **params)


def _classes(loss: Any, y: Array) -> bool:
    if isinstance(loss, Loss):
        regression = {task == "regression" for task in loss.tasks}
        if len(regression) == 1:
            return not regression.pop()
    if y.dtype.kind in "iu":
        return len(np.unique(y)) <= CLASSES
    return y.dtype.kind != "f"

"""One output of a fitted estimator as a function of the network's raw output, and its slope there.

What explains predictions starts its chain rule here: a probability, a score of a class, a number in the units of y.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from modnet.base import Array
from modnet.estimators.parameters import loss_of

Response = Callable[[Array], Array]
"""Makes one number per row of the raw output."""


def response_of(estimator: Any, method: str, target: Any) -> Response:
    """Return what makes the output of an estimator that is asked for of the network's raw output.

    Parameters
    ----------
    estimator : classifier or regressor of modnet
    method : {"auto", "predict_proba", "decision_function", "predict"}
        "auto": of a classifier `predict_proba` where the loss knows probabilities, else `decision_function`; of a
        regressor `predict`.
    target : object
        Which class, or which column of several numbers, labels or classes; see `modnet.inspection`.

    Raises
    ------
    ValueError
        If there is no such output.
    """
    check_is_fitted(estimator)
    loss, goal = loss_of(estimator), estimator._target
    offered = ["predict"]
    if is_classifier(estimator):
        offered = ["predict_proba", "decision_function"] if loss.probabilistic else ["decision_function"]
    if method not in ("auto", *offered):
        raise ValueError(f"response_method: {type(estimator).__name__} has {', '.join(offered)} here, got {method!r}")
    if offered == ["predict"]:
        column = _among(range(goal.width), target, None if goal.width > 1 else 0)
        return lambda raw: loss.predict(raw)[:, column] * goal.scale.factor[0, column]
    method = offered[0] if method == "auto" else method
    if goal.kind == "multioutput":
        if method == "decision_function" or np.shape(target) != (2,):
            raise ValueError(f"target: should be (column, class) of predict_proba for several columns, got {target!r}")
        part = _among(range(len(goal.columns)), target[0], None)
        column = _among(goal.columns[part], target[1], None)
        return lambda raw: goal.probabilities(loss, raw)[part][:, column]
    labels = goal.classes.tolist()
    two = goal.task == "binary"
    column = _among(labels, target, len(labels) - 1 if two else None)
    if method == "predict_proba":
        return lambda raw: goal.probabilities(loss, raw)[:, column]
    if two:
        return lambda raw: goal.scores(loss, raw) * (1 if column else -1)
    return lambda raw: goal.scores(loss, raw)[:, column]


def slope_of(response: Response, raw: Array) -> Array:
    """Return ∂response/∂raw of each row by central differences: (f(r + h) − f(r − h)) / 2h for each column of raw.

    A loss knows how to read a prediction off raw outputs, and not its derivative; columns are few, and in float64 the
    error is of the order of 1e-10.
    """
    flat, slope = raw.reshape(len(raw), -1), np.empty(raw.shape)
    for column in range(flat.shape[1]):
        ends = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[:, column] += sign * 1e-5 * np.maximum(1, np.abs(flat[:, column]))
            ends.append((moved[:, column], response(moved.reshape(raw.shape))))
        (up, above), (down, below) = ends
        slope.reshape(flat.shape)[:, column] = (above - below) / (up - down)
    return slope


def _among(choices: Any, target: Any, default: int | None) -> int:
    """Return the position of a target."""
    known: list[Any] = list(choices)
    if target is None and default is not None:
        return default
    if target is None or target not in known:
        raise ValueError(f"target: should be one of {', '.join(map(repr, known))}, got {target!r}")
    return known.index(target)

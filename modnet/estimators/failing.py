"""A training that has failed says so when it ends, once, with what the doctor advises.

A healthy one pays for the loss of the best constant prediction; the doctor looks only where that was not beaten.
"""

import warnings
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from modnet.base import Array
from modnet.estimators.parameters import loss_of
from modnet.estimators.preparation import Sample, scaled
from modnet.estimators.threads import few_threads
from modnet.training import History
from modnet.training.constant import EPOCHS, constant_loss, learns, underway

ROWS = 2000
"""Rows that are looked at, at most, where a training has failed."""

NOTHING_LEARNT = "raise the learning rate or max_iter, lower alpha, or give it columns that tell something of y"
"""What to do where no cause is found for a loss like that of a constant."""

_GENERAL = {"learning-rate": "lower the learning rate, take a schedule, or clip gradients (clip_norm)"}
"""Remedies that the doctor gives with figures, without them: a text that is the same each time is shown once."""


def warn_of_failure(estimator: Any, sample: Sample, history: History, X: Any, y: Any) -> None:
    """Warn if a network has learnt nothing.

    Parameters
    ----------
    estimator : ModNetClassifier, ModNetRegressor or ModNetTransformer
        As it is at the end of `fit`.
    sample : Sample
        What it was trained on.
    history : History
    X, y : array-like
        As the user gave them.

    Warns
    -----
    ConvergenceWarning
        If the weights or the last loss or score are not finite, if a class has no row to learn from, or if the training
        loss is not below that of the best constant prediction. A training of few epochs whose loss falls is not judged.
    """
    if found := _failure(estimator, sample, history, X, y):
        text = f"{found}; for all that was found see modnet.diagnose(model, X, y)"
        warnings.warn(text, ConvergenceWarning, stacklevel=4)


def _failure(estimator: Any, sample: Sample, history: History, X: Any, y: Any) -> str:
    last = [estimator.theta_.sum(), *history.losses[-1:], *history.validation_scores[-1:]]
    if not np.isfinite(last).all():
        return f"weights, loss or score are not finite; {_remedy(estimator, X, y) or 'scale inputs and target'}"
    if _lacks_a_class(estimator, sample):
        return "a class has no row to learn from, and is never predicted; leave it out, or give its rows a weight"
    cut = not history.converged
    if underway(history.losses, cut=cut):
        return ""
    loss, width, data = loss_of(estimator), estimator.network_.output_shape[-1], scaled(estimator, sample).data
    with few_threads(estimator.network_, 1):
        constant = constant_loss(loss, data.t, width, data.weight)
    if history.losses and learns(history.losses[-1], constant):  # a solver may be at the minimum from the start
        return ""
    # The last epoch's loss has the penalty and dropout in it.
    if len(data) > ROWS:
        data = data.take(_some(len(data)))
        constant = constant_loss(loss, data.t, width, data.weight)
    with np.errstate(all="ignore"):
        raw = estimator.network_.predict(estimator.theta_, estimator.state_, data.x)
        found = loss.value(data.t, raw, weight=data.weight)
    if learns(found, constant):
        return ""
    remedy = _remedy(estimator, X, y)
    fallen = sum(history.losses[:1]) - sum(history.losses[-1:])
    if not remedy and cut and found - constant < EPOCHS * fallen / len(history.losses):
        return ""  # it is on its way, and is said to have been cut off
    return f"nothing was learnt: the loss is not below that of the best constant prediction; {remedy or NOTHING_LEARNT}"


def _lacks_a_class(estimator: Any, sample: Sample) -> bool:
    """Return whether no row is left of a class that y has, or a label is in all rows or in none."""
    if sample.target.task == "regression":
        return False
    labels, t = estimator._target.labels_of_columns, sample.data.t
    codes = t.reshape(len(t), -1).astype(np.intp)
    counts = (np.bincount(column, minlength=len(each)) for column, each in zip(codes.T, labels, strict=True))
    return any((each == 0).any() for each in counts)


def _remedy(estimator: Any, X: Any, y: Any) -> str:
    """Return what the doctor advises against the first cause of a failure that he finds."""
    doctor = import_module("modnet.diagnosis")  # knows estimators, and they know it by name alone
    n = _num_samples(X)
    if n > ROWS:
        rows = _some(n)
        X, y = _safe_indexing(X, rows), None if y is None else _safe_indexing(y, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [each for each in doctor.diagnose(estimator, X, y) if each.severity == "problem"]
    causes = [each for each in found if each.check != "nothing-learnt"]
    causes.sort(key=lambda each: (each.subject not in ("X", "y"), each.check not in _GENERAL))
    return _GENERAL.get(causes[0].check, causes[0].remedy) if causes else ""


def _some(n: int) -> Array:
    """Return which of n rows to look at, always the same ones."""
    return np.sort(np.random.default_rng(0).choice(n, ROWS, replace=False))

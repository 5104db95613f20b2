"""The diagnosis of a network on data: whether it can be learnt from, and whether the network learns from it.

What the data and the signals tell is found elsewhere; what the loss curves tell, and a short training of a network that
has not been fitted, is found here.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from modnet.base import Array
from modnet.diagnosis import Finding, data, signals
from modnet.diagnosis.signals import Observation, observe
from modnet.errors import NonFiniteError
from modnet.estimators import ModNetTransformer
from modnet.estimators.base import BaseModNet
from modnet.estimators.failing import NOTHING_LEARNT
from modnet.estimators.parameters import loss_of
from modnet.estimators.preparation import Sample, prepared, rows_of, scaled, with_first_weights
from modnet.estimators.target import second_link
from modnet.text import Shown, Table
from modnet.training.constant import constant_loss, learns, underway

FINE = "nothing found that keeps it from learning"

_INNER = ("best_estimator_", "estimator_", "estimator")
"""Where a search, a transformer and other wrappers keep the estimator that they fitted, or will fit."""

TRIAL_EPOCHS = 20
"""Epochs that an estimator is trained for that has not been fitted."""

TRIAL_ROWS = 10_000
"""Rows that it is trained on, at most."""

_MIN_EPOCHS = 5
"""How many epochs it takes to tell how a loss develops."""

_RISE = 0.1
"""A loss may rise again by this share of what it has fallen."""

_VISIBLE = 0.05
"""A rise counts if it is at least this share of the loss."""

_APART = 1.2
"""How much higher than its lowest value a validation loss may end."""


class Diagnosis(Shown, list[Finding]):
    """What was found of a network on data, shown as a table: causes before their consequences.

    Parameters
    ----------
    findings : iterable of Finding
        What was found, causes first.
    look : Observation or None
        Every link's signal and gradient: with the first weights where the estimator was not fitted, else with its own.
        None if the data was too incomplete to be looked at.
    fitted : bool
        Whether the estimator was fitted.
    """

    def __init__(self, findings: Iterable[Finding], look: Observation | None, *, fitted: bool) -> None:
        super().__init__(findings)
        self.look, self.fitted = look, fitted

    def paragraphs(self) -> tuple[str | Table]:
        """Return the paragraphs.

        Returns
        -------
        (Table or str,)
            Under each finding what to do; or that there is none.
        """
        rows = [
            row for each in self for row in ((each.severity, each.subject, each.found), ("", "", f"→ {each.remedy}"))
        ]
        return (Table(("", "where", "found, and what to do"), rows) if rows else FINE,)


def diagnose(model: Any, X: Any, y: Any) -> Diagnosis:
    """Return what keeps a network from learning: unscaled columns, dead units, vanishing gradients and the like.

    Parameters
    ----------
    model : estimator
        `ModNetClassifier`, `ModNetRegressor`, `ModNetTransformer` or a drop-in of `modnet.neural_network`; also a
        pipeline that ends in one, a search over one, a `TransformedTargetRegressor` around one. It is not changed.
        If it has not been fitted, its first weights are looked at, and a copy is trained for up to 20 epochs on up to
        10,000 rows.
    X : array-like or sparse matrix, shape (n, n_features)
        As for `fit`.
    y : array-like, shape (n,) or (n, k)
        An autoencoder learns X and has none: None.

    Returns
    -------
    Diagnosis
        A list of findings, empty if nothing was found; with the signals and gradients that were seen in ``look``.

    Raises
    ------
    TypeError
        If there is no network of modnet in `model`.
    ValueError
        If X and y are nothing that `fit` would take, apart from missing values.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from modnet import ModNetClassifier, diagnose
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> found = diagnose(ModNetClassifier(inputs=None, random_state=0), X, y)
    >>> found[0].check, found[0].subject
    ('scale-spread', 'X')
    >>> print(found[0].found)
    standard deviations differ by a factor of 2.5e+03: largest in proline (3.1e+02), magnesium (14); smallest in \
nonflavanoid_phenols (0.12), hue (0.23), ash (0.27) and 7 more
    """
    net, X, y = network_of(model, X, y)
    fitted, names = hasattr(net, "theta_"), data.names_of(X, getattr(net, "feature_names_in_", None))
    findings: list[Finding] = []
    X, y = _whole_rows(net, X, y, names, findings)
    if X.shape[0] < 2:
        return Diagnosis(findings, None, fitted=fitted)
    net, sample = _ready(net, X, y)
    named = np.full(len(names), hasattr(X, "columns") or hasattr(net, "feature_names_in_"))
    named[[] if net.table_ is None else net.table_.unread()] = False  # zeros, whatever is in them
    findings += data.constant_columns(sample.data.x, names, named=named)
    look = observe(net, sample.data)
    for signal in look.signals:
        findings += data.scales(signal, names)
    if not isinstance(net, ModNetTransformer):
        findings += _target_findings(net, sample, look, fitted)
    if sample.target.task != "regression" and (
        found := second_link(net.network_, sample.target.task, sample.target.width)
    ):
        link, what = found
        findings.append(Finding("second-link", "problem", link.title, *what.split(": ")))
    early = fitted and underway(net.loss_curve_, cut=len(net.loss_curve_) >= net.max_iter)
    constant = _constant(net, sample) if fitted else np.inf
    outcome = list(_outcome(net, sample, constant)) if fitted and not early else []
    findings += signals.broken_numbers(look)
    if np.isfinite(look.loss):
        learnt = fitted and not early and "nothing-learnt" not in {finding.check for finding in outcome}
        findings += signals.idle_units(look, learnt=learnt)
        unscaled = any(finding.check.startswith("scale-") for finding in findings)
        findings += signals.gradients(look, compared=not (unscaled or learnt))
    if fitted:
        findings += _course(net, constant)
        if all(finding.severity == "note" for finding in findings):  # else it is the consequence of what was found
            findings += outcome
    elif np.isfinite(look.loss):
        findings += _trial(net, X, y, findings)
    return Diagnosis(findings, look, fitted=fitted)


def network_of(model: Any, X: Any, y: Any) -> tuple[BaseModNet, Any, Any]:
    """Return the estimator of modnet in a pipeline, a search or the like, and X and y as they reach it.

    Raises
    ------
    TypeError
        If there is none.
    """
    while not isinstance(model, BaseModNet) or getattr(model, "estimator", None) is not None:
        if isinstance(model, Pipeline):
            front, last = model[:-1], model.steps[-1][1]
            if len(front):
                X = front.transform(X) if model.__sklearn_is_fitted__() else clone(front).fit_transform(X, y)
            model = last
        elif isinstance(model, TransformedTargetRegressor):
            y = _transformed_target(model, y)
            model = getattr(model, "regressor_", model.regressor)
        elif inner := [name for name in _INNER if hasattr(model, name)]:
            model = getattr(model, inner[0])
        else:
            raise TypeError(
                f"it looks at networks of modnet, got {type(model).__name__}: pass a ModNetClassifier, a "
                "ModNetRegressor, or a pipeline or search around one"
            )
    # A table keeps its columns' names; anything else is an array or sparse.
    X = X if hasattr(X, "shape") else np.asarray(X)
    if isinstance(model, ModNetTransformer):
        return model, X, X  # an autoencoder
    return model, X, y if hasattr(y, "shape") else np.asarray(y)


def _transformed_target(model: Any, y: Any) -> Array:
    """Return y as the regressor inside a TransformedTargetRegressor sees it."""
    y = np.asarray(y)
    column = y.reshape(len(y), -1)
    if hasattr(model, "transformer_"):
        changed = model.transformer_.transform(column)
    elif model.transformer is not None:
        changed = clone(model.transformer).fit_transform(column)
    else:
        changed = column if model.func is None else model.func(column)
    return np.asarray(changed).reshape(y.shape)


def _whole_rows(net: BaseModNet, X: Any, y: Any, names: Sequence[str], findings: list[Finding]) -> tuple[Any, Any]:
    """Return the rows without missing values; findings about the others are appended."""
    if not isinstance(net, ModNetTransformer):
        present, _ = data.complete(y if len(y.shape) == 2 else np.asarray(y)[:, np.newaxis])
        findings += data.missing_targets(int((~present).sum()))
        X, y = _chosen(X, y, present)
    whole, gaps = data.complete(X)
    if whole.all() or _takes_missing(net, X, y):
        return X, y
    findings += data.missing_values(gaps, names, int((~whole).sum()))
    return _chosen(X, y, whole)


def _chosen(X: Any, y: Any, rows: Array) -> tuple[Any, Any]:
    if rows.all() or len(rows) != X.shape[0]:  # of lengths that differ, `fit` speaks
        return X, y
    kept = np.flatnonzero(rows)
    return _safe_indexing(X, kept), _safe_indexing(y, kept)


def _ready(net: BaseModNet, X: Any, y: Any) -> tuple[BaseModNet, Sample]:
    """Return the network, or if it is not fitted a copy with first weights, and the rows as it takes them."""
    return (net, scaled(net, prepared(net, X, y))) if hasattr(net, "theta_") else with_first_weights(net, X, y)


def _takes_missing(net: BaseModNet, X: Any, y: Any) -> bool:
    """Return whether all missing values go to layers that take them, or nowhere."""
    try:
        rows_of(_ready(net, X, y)[0], X)
    except ValueError:  # of other data that is not valid, `fit` speaks
        return False
    return True


def _target_findings(net: BaseModNet, sample: Sample, look: Observation, fitted: bool) -> Iterator[Finding]:
    t, task = sample.data.t, sample.target.task
    if task == "regression":
        loss: Any = net.spec_.loss  # never "auto" in a network that has weights
        yield from data.target_scale(look, loss, fitted=fitted)
    elif getattr(net, "class_weight", None) is None:
        for subject, labels, codes in _columns_of_classes(net, sample, t):
            yield from data.rare_classes(np.bincount(codes, minlength=len(labels)), labels, subject)


def _columns_of_classes(net: BaseModNet, sample: Sample, codes: Array) -> Iterator[tuple[str, list[str], Array]]:
    """Yield the columns of y, each with what to call it, its classes and their codes: shape (n,)."""
    codes, classes = codes.astype(int).reshape(len(codes), -1), net.classes_
    if sample.target.task == "multilabel":
        classes = [("without", "with")] * codes.shape[1]
    elif sample.target.task in ("binary", "multiclass"):
        classes = [classes]
    for index, labels in enumerate(classes):
        subject = "y" if len(classes) == 1 else f"y[:, {index}]"
        yield subject, [str(label) for label in labels], codes[:, index]


def _constant(net: BaseModNet, sample: Sample) -> float:
    """Return the loss of the best constant prediction."""
    rows = sample.data
    return constant_loss(loss_of(net), rows.t, net.network_.output_shape[-1], rows.weight)


def _outcome(net: BaseModNet, sample: Sample, constant: float) -> Iterator[Finding]:
    """Yield what a fitted network's predictions tell: a class that never comes, a loss like a constant's."""
    rows, loss, task = sample.data, loss_of(net), sample.target.task
    with np.errstate(all="ignore"):
        raw = net.network_.predict(net.theta_, net.state_, rows.x)
        found = loss.value(rows.t, raw, weight=rows.weight)
    if not np.isfinite(found):
        return  # the first layer whose output is not finite is named
    if task != "regression":
        truth, predicted = (list(_columns_of_classes(net, sample, each)) for each in (rows.t, loss.codes(task, raw)))
        for (subject, labels, mine), (_, _, theirs) in zip(truth, predicted, strict=True):
            yield from data.dead_classes(mine, theirs, labels, subject)
    if not learns(found, constant):
        text = f"the loss is {found:.4g}, and {constant:.4g} with the best constant prediction, without a look at X"
        yield Finding("nothing-learnt", "problem", "loss", text, NOTHING_LEARNT)


def _trial(net: BaseModNet, X: Any, y: Any, found: Sequence[Finding]) -> Iterator[Finding]:
    """Train a copy for a few epochs, and yield what shows only then."""
    if X.shape[0] > TRIAL_ROWS:
        kept = np.sort(np.random.default_rng(0).choice(X.shape[0], TRIAL_ROWS, replace=False))
        X, y = _safe_indexing(X, kept), _safe_indexing(y, kept)
    trained = clone(net).set_params(max_iter=min(net.max_iter, TRIAL_EPOCHS), verbose=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of too few epochs, and of what is a finding here
            trained.fit(X, y)
    except ValueError as error:
        cause = error if isinstance(error, NonFiniteError) else error.__cause__
        if not isinstance(cause, NonFiniteError):
            raise
        said, _, causes = str(cause).partition(". Likely causes: ")
        remedy = f"likely causes: {causes}" if causes else said
        yield Finding("loss-not-finite", "problem", "a trial fit", said, remedy)
        return
    sample = scaled(trained, prepared(trained, X, y))
    look = observe(trained, sample.data)
    known = {(finding.check, finding.subject) for finding in found}
    for finding in signals.idle_units(look):
        if (finding.check, finding.subject) not in known:
            yield replace(finding, found=f"after {trained.n_iter_} epochs {finding.found}")
    yield from _course(trained, _constant(trained, sample))


def _course(net: BaseModNet, constant: float) -> Iterator[Finding]:
    """Yield what the loss curves tell."""
    rates = getattr(net, "learning_rate_curve_", None) or []
    curve, highest = net.loss_curve_, max(rates) if rates else None
    start = getattr(net, "cooldown_start_", len(curve))
    constant = constant if np.isfinite(constant) else 0.0
    yield from rising_loss(curve[:start], highest, constant)
    if start < len(curve):  # a cool-down goes back to the best epoch: to be held against how all began
        yield from rising_loss(curve[:1] * start + curve[start:], highest, constant)
    validation = getattr(net, "validation_loss_curve_", None) or []
    kept_best = start < len(curve) or bool(net.spec_.training.early_stopping)
    yield from overfitting(curve, validation, kept_best=kept_best)


def rising_loss(curve: Sequence[float], learning_rate: float | None, constant: float = 0.0) -> Iterator[Finding]:
    """Yield a finding if a training loss rises again, or jumps up and down.

    `constant` is the loss of the best constant prediction: beside it a curve that begins on its plateau only trembles.

    Examples
    --------
    >>> [finding.check for finding in rising_loss([1.0, 0.9, 1.4, 2.0, 3.5], 0.5)]
    ['learning-rate']
    >>> list(rising_loss([1.0, 0.5, 0.3, 0.2, 0.21], 0.001))
    []
    """
    lower = "lower it" if learning_rate is None else f"{learning_rate:.3g}, try {learning_rate / 10:.2g}"
    rate = f"learning rate: {lower}; or a schedule, or clip_norm=1"
    if not np.isfinite(curve).all():
        yield Finding("learning-rate", "problem", "loss_curve_", "the training loss became inf or NaN", rate)
        return
    if len(curve) < _MIN_EPOCHS or learning_rate is None:
        return
    best = int(np.argmin(curve))
    fallen, risen = curve[0] - curve[best], curve[-1] - curve[best]
    visible = _VISIBLE * max(map(abs, [*curve, constant]))
    steps = np.diff(curve)
    ups = float(steps[steps > visible].sum())  # what trembles where it has settled adds up over the epochs
    if risen > max(_RISE * fallen, visible):
        told = f"the training loss was lowest in epoch {best + 1} ({curve[best]:.3g}) and rose to {curve[-1]:.3g} since"
        yield Finding("learning-rate", "problem", "loss_curve_", told, rate)
    elif ups > fallen:
        told = f"the training loss jumps: it rose by {ups:.3g} in all to fall by {fallen:.3g}"
        yield Finding("learning-rate", "note", "loss_curve_", told, rate)


def overfitting(training: Sequence[float], validation: Sequence[float], *, kept_best: bool) -> Iterator[Finding]:
    """Yield a finding if the validation loss rises while the training loss falls.

    Parameters
    ----------
    training, validation : sequence of float
        Losses per epoch.
    kept_best : bool
        Whether the weights of the best epoch were put back, so that it did no harm.

    Examples
    --------
    >>> [finding.found for finding in overfitting([1, 0.5, 0.1, 0.05, 0.01], [1, 0.6, 0.8, 1, 1.5], kept_best=False)]
    ['the validation loss was lowest in epoch 2 (0.6) and is 1.5 now, while the training loss fell from 0.5 to 0.01']
    """
    if len(validation) < _MIN_EPOCHS or kept_best or not np.isfinite([*training, *validation]).all():
        return
    best = int(np.argmin(validation))
    lowest, risen = validation[best], validation[-1] - validation[best]
    if risen > (_APART - 1) * abs(lowest) and risen > _VISIBLE * max(map(abs, validation)):
        found = (
            f"the validation loss was lowest in epoch {best + 1} ({lowest:.3g}) and is {validation[-1]:.3g} now, while "
            f"the training loss fell from {training[best]:.3g} to {training[-1]:.3g}"
        )
        remedy = "early_stopping=True keeps the weights of the best epoch; or raise alpha, add dropout, use fewer units"
        yield Finding("overfitting", "note", "validation_loss_curve_", found, remedy)

"""Targets: what y is, and how it is written for a loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from modnet.base import Array, Loss, TargetScale, Task, served
from modnet.estimators.scaling import Scaling
from modnet.network import Network
from modnet.network.link import Link
from modnet.registry import registry
from modnet.slot import Slot, parse
from modnet.spec import ModelSpec
from modnet.strict import is_number


@dataclass(frozen=True)
class Target:
    """A target as the loss takes it.

    Attributes
    ----------
    task : Task
    t : ndarray
        The truth, in the form of `Task`.
    width : int
        Columns of the prediction; the raw output has ``loss.width(width)``.
    widths : tuple of int
        For several columns of classes: how many of these columns each has. Empty otherwise.
    """

    task: Task
    t: Array
    width: int
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Numbers:
    """Numbers as a target.

    Attributes
    ----------
    width : int
        How many per row.
    single : bool
        Whether y has shape (n,), and predictions, too; otherwise (n, width).
    scale : Scaling or None
        What they are changed by for the loss; None before it is learnt.
    """

    width: int
    single: bool
    scale: Scaling | None = None

    @classmethod
    def of(cls, y: Array, before: "Numbers | None" = None) -> "Numbers":
        """Return what kind of numbers y holds; with `before`, in the scale of what was learnt before.

        Raises
        ------
        ValueError
            If there were as many per row not before.
        """
        width = y.reshape(len(y), -1).shape[1]
        if before is not None and width != before.width:
            raise ValueError(f"y should have {before.width} targets, as before; got shape {y.shape}")
        return cls(width, y.ndim == 1, None if before is None else before.scale)

    def target(self, y: Array, dtype: "np.dtype[np.floating]") -> Target:
        """Return y as a target, in its own units: what a cast to the dtype of X would lose, its scale may need.

        Raises
        ------
        ValueError
            If it does not hold as many numbers per row.
        """
        t = np.asarray(y, np.float32 if y.dtype == np.float32 else np.float64).reshape(len(y), -1)
        if t.shape[1] != self.width:
            raise ValueError(f"y should have {self.width} targets, as before; got shape {y.shape}")
        return Target("regression", t, self.width)

    def learnt(self, kind: TargetScale, t: Array, weight: Array | None) -> "Numbers":
        """Return them with the scale of a target to train on; one of that kind that is there stays."""
        known = self.scale is not None and self.scale.kind == kind
        return self if known else replace(self, scale=Scaling.of(kind, t, weight))

    def scaled(self, t: Array, dtype: "np.dtype[np.floating]") -> Array:
        """Return a target as the loss sees it."""
        assert self.scale is not None
        return self.scale.there(t, dtype)

    def like_y(self, found: Array, *, spread: bool = False) -> Array:
        """Return what a loss predicts in the units of y, without an axis of targets if y had none.

        `spread`: whether it is standard deviations.
        """
        assert self.scale is not None
        found = self.scale.back(found, spread=spread)
        return found[:, 0] if self.single else found


class Classes:
    """The classes of a target, and the way from labels to codes and back.

    Parameters
    ----------
    columns : sequence of ndarray
        Classes that differ, sorted but for `in_order`, per column of y; one column for y of shape (n,).
    kind : {"single", "multilabel", "multioutput"}
        One class per row; any number of labels per row; one class per row and column.

    Attributes
    ----------
    classes : ndarray or list of ndarray
        What an estimator shows as ``classes_``.
    """

    def __init__(self, columns: Sequence[Array], kind: str) -> None:
        self.columns, self.kind = list(columns), kind
        self.classes: Any = self.columns if kind == "multioutput" else self.columns[0]

    @classmethod
    def of(cls, y: Array) -> "Classes":
        """Return the classes in y.

        Raises
        ------
        ValueError
            If y is no classification target.
        """
        if y.ndim == 1 and y.dtype.kind in "biuU":  # nothing else than classes; to look closer takes twice as long
            found = np.unique(y)
            if 2 * len(found) < len(y):  # else scikit-learn warns
                return cls([found], "single")
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind == "multilabel-indicator":
            return cls([np.arange(y.shape[1])], "multilabel")
        if y.ndim == 2:
            return cls([np.unique(column) for column in y.T], "multioutput")
        return cls([np.unique(y)], "single")

    @classmethod
    def announced(cls, y: Any, classes: Any) -> "Classes":
        """Return the classes that the first call to `partial_fit` announces.

        Raises
        ------
        ValueError
            If they are not given, or do not fit y.
        """
        several = classes is not None and len(classes) > 0 and all(np.ndim(each) == 1 for each in classes)
        if np.ndim(y) == 2 and np.shape(y)[1] > 1 and several and len(classes) == np.shape(y)[1]:
            return cls([np.unique(column) for column in classes], "multioutput")
        if type_of_target(y) == "multilabel-indicator":
            columns = np.arange(np.shape(y)[1])
            if classes is not None and not np.array_equal(unique_labels(classes), columns):
                raise ValueError(f"classes of a label matrix are its columns, {columns.tolist()}; got {classes!r}")
            return cls([columns], "multilabel")
        if classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return cls([unique_labels(classes)], "single")

    @property
    def widths(self) -> tuple[int, ...]:
        """How many columns of predictions each column of y has: one tells two classes, or a label, apart."""
        widths = [1 if len(classes) <= 2 else len(classes) for classes in self.columns]
        return (1,) * len(self.classes) if self.kind == "multilabel" else tuple(widths)

    @property
    def width(self) -> int:
        """Columns of the prediction."""
        return sum(self.widths)

    @property
    def task(self) -> Task:
        """What is asked of a loss."""
        if self.kind == "single":
            return "binary" if self.widths == (1,) else "multiclass"
        return "multilabel" if self.kind == "multilabel" else "multioutput"

    @property
    def labels_of_columns(self) -> list[Array]:
        """The classes in each column of y; of a column of a label matrix 0 and 1."""
        return [np.arange(2) for _ in self.classes] if self.kind == "multilabel" else self.columns

    @property
    def sorted(self) -> bool:
        """Whether the classes of each column ascend, as they do but for `in_order`."""
        return all(np.array_equal(np.unique(each), each) for each in self.columns)

    def same_as(self, other: "Classes") -> bool:
        """Return whether the other target has the same classes, in whichever order."""
        pairs = zip(map(np.sort, self.columns), map(np.sort, other.columns), strict=False)
        return (self.kind, len(self.columns)) == (other.kind, len(other.columns)) and all(
            np.array_equal(*pair) for pair in pairs
        )

    def in_order(self, order: Array | None) -> "Classes":
        """Return the classes of one column in another order, if all of them are in it; otherwise as they are."""
        if order is None or self.kind != "single" or not np.isin(self.columns[0], order).all():
            return self
        return Classes([order[np.isin(order, self.columns[0])]], self.kind)

    def target(self, y: Array, dtype: "np.dtype[np.floating]") -> Target:
        """Return y, labels out of these classes, as a target.

        Raises
        ------
        ValueError
            If a label is not among the classes.
        """
        several, k = self.kind != "single", len(self.labels_of_columns)
        if y.ndim != (2 if several else 1) or (several and y.shape[1] != k):
            wanted = f"{k} columns of labels" if several else "one column of labels"
            raise ValueError(f"y should have {wanted}, as before; got shape {y.shape}")
        if self.kind == "multilabel":
            if not np.isin(y, (0, 1)).all():
                raise ValueError(f"labels in a label matrix should be 0 or 1, got {np.setdiff1d(y, (0, 1)).tolist()}")
            return Target(self.task, np.asarray(y, dtype), y.shape[1])
        columns = [y] if self.kind == "single" else list(y.T)
        codes = [self._codes(column, classes) for column, classes in zip(columns, self.columns, strict=True)]
        if self.kind == "multioutput":
            return Target(self.task, np.stack(codes, axis=1), sum(self.widths), self.widths)
        t = codes[0][:, np.newaxis].astype(dtype) if self.task == "binary" else codes[0]
        return Target(self.task, t, self.widths[0])

    def labels(self, loss: Loss, raw: Array) -> Array:
        """Return the labels that a loss reads off raw outputs."""
        codes = loss.codes(self.task, raw)
        if self.kind == "multilabel":
            return codes
        columns = zip(codes.reshape(len(codes), -1).T, self.columns, strict=True)
        parts = [classes.take(each, mode="clip") for each, classes in columns]
        return np.stack(parts, axis=1) if self.kind == "multioutput" else parts[0]

    def by_class(self, found: Array, other: Callable[[Array], Array], sure: float) -> Any:
        """Return a column per class, or a list of such arrays for several columns of classes.

        Parameters
        ----------
        found : ndarray, shape (n, width of the prediction)
            A single column tells of the second of two classes.
        other : callable
            Makes the column of the first of two classes from that of the second.
        sure : float
            What stands for the only class of a column.
        """
        if self.kind == "multilabel":
            return found
        if self.kind == "single" and len(self.columns[0]) > 1:  # a fifth of what predicting one row takes otherwise
            return np.concatenate([other(found), found], axis=1) if found.shape[1] == 1 else found
        columns = np.split(found, np.cumsum(self.widths)[:-1], axis=1)
        parts = [np.hstack([other(p), p]) if p.shape[1] == 1 else p for p in columns]
        known = zip(parts, self.columns, strict=True)
        parts = [p if len(classes) > 1 else np.full_like(p[:, :1], sure) for p, classes in known]
        return parts if self.kind == "multioutput" else parts[0]

    def probabilities(self, loss: Loss, raw: Array) -> Any:
        """Return the probability of each class, or label, that a loss reads off raw outputs; see `by_class`."""
        return self.by_class(loss.predict(raw), lambda p: 1 - p, 1.0)

    def scores(self, loss: Loss, raw: Array) -> Array:
        """Return a score per class, or one that is positive for the second of two, and for a label that is there.

        The raw output where it has as many columns; else log-probabilities, of two classes the difference of theirs.
        """
        width = sum(self.widths)
        if raw.shape[1] == width:
            scores = raw
        elif loss.probabilistic:
            scores = loss.log_predict(raw)
            alone = np.repeat(self.widths, self.widths) == 1
            with np.errstate(divide="ignore"):
                scores = np.where(alone, scores - np.log(-np.expm1(scores)), scores)
            scores = np.nan_to_num(scores, nan=np.nan)  # of a class that is sure: scorers take no inf
        else:
            scores = loss.predict(raw)
        return scores[:, 0] if self.task == "binary" else scores

    def _codes(self, y: Array, classes: Array) -> Array:
        codes = codes_of(y, classes)
        if not np.array_equal(classes.take(codes, mode="clip"), y):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {classes}. 'y' has {np.unique(y)}."
            )
        return codes


def codes_of(y: Array, classes: Array) -> Array:
    """Return the position of each label among the classes, in whichever order they are; any for one that is none."""
    order = np.argsort(classes)
    codes: Array = order[np.searchsorted(classes, y, sorter=order).clip(max=len(classes) - 1)]
    return codes


def weights_of(class_weight: Any, classes: Classes, columns: Sequence[Array], weight: Array | None) -> list[Array]:
    """Return the weight of each class, per column of y.

    Parameters
    ----------
    class_weight : dict, list of dict or "balanced"
        As the user gave it; a dict per column if there are several.
    classes : Classes
    columns : sequence of ndarray, shape (n,)
        The columns of y: "balanced" counts in them.
    weight : ndarray, shape (n,), optional
        Of rows: a row of weight k counts k times.

    Raises
    ------
    ValueError
        If it is no class weight, in scikit-learn's words.
    """
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    if not (balanced or isinstance(class_weight, dict | list)):
        compute_sample_weight(class_weight, columns[0])  # says what it has to be
    dicts = class_weight if isinstance(class_weight, list) else [class_weight]
    if balanced:  # a class that does not come has no weight to be balanced; 1 stands for it
        dicts = [_balanced(column, weight) for column in columns]
    elif len(dicts) != len(columns) or isinstance(class_weight, dict) == (classes.kind != "single"):
        raise ValueError(
            "For multi-output, class_weight should be a list of dicts, or the string 'balanced'."
            if classes.kind != "single"
            else f"class_weight should be a dict or 'balanced', got {class_weight!r}"
        )
    if not all(is_number(each) for one in dicts if isinstance(one, dict) for each in one.values()):
        raise ValueError(f"class_weight should map each class to a number, got {class_weight!r}")
    weights = [_weights_of(each, labels) for each, labels in zip(dicts, classes.labels_of_columns, strict=True)]
    if any(not np.isfinite(each).all() or (each < 0).any() for each in weights):
        raise ValueError(f"class_weight should be non-negative and finite, got {class_weight!r}")
    return weights


def _weights_of(given: Any, labels: Array) -> Array:
    """Return the weights of classes as scikit-learn finds them; digits of text, its numbers, go by their places."""
    if isinstance(given, dict) and any(isinstance(each, str) and each.isdecimal() for each in labels):
        places = {str(label): place for place, label in enumerate(labels)}
        given, labels = {places.get(str(key), key): each for key, each in given.items()}, np.arange(len(labels))
    return np.asarray(compute_class_weight(given, classes=labels, y=labels), float)


def _balanced(column: Array, weight: Array | None) -> dict[Any, float]:
    there = np.unique(column)
    weights = compute_class_weight("balanced", classes=there, y=column, sample_weight=weight)
    return dict(zip(there, weights, strict=True))


def loss_for(spec: ModelSpec, target: Target, default: str | Mapping[str, Any]) -> Loss:
    """Return the loss of a spec, set up for a target.

    Raises
    ------
    ValueError
        If it does not serve the task, or a row of the target is nothing that it can measure against.
    """
    loss = loss_before_target(spec, default)
    ready = loss.for_task(target.task, target.widths)
    if ready is None and target.task == "multioutput":  # a loss of one column of classes looks at each of them
        ready = registry.get("loss", "modnet-layers:per_output")([loss]).for_task(target.task, target.widths)
    if ready is None:
        serves = ", ".join(served(loss)) or "none that an estimator has"
        if target.task == "regression" and registry.name_of(type(loss)) == "per_output":
            serves = "multioutput, columns of classes. Name one loss, which is the sum over the columns of y, such as "
            serves += "loss='squared_error'; where columns of numbers need different losses, fit an estimator for each"
        raise ValueError(f"loss={loss!r} does not serve a {target.task} target; it serves: {serves}")
    ready.check_truth(target.t)
    return ready


def second_link(network: Network, task: Task, width: int) -> tuple[Link, str] | None:
    """Return the last hidden link and what it does, if it makes probabilities of the classes, as the loss will.

    In Keras the last layer of a list is the output: ``Dense(10, "softmax")``. Here the output layer comes behind it.
    """
    last = next((link for link in reversed(network.links) if link.path.startswith("layers[")), None)
    while last and registry.name_of(type(last.module)) == "sequential":
        last = last.chains[0][-1]
    name = registry.name_of(type(last.module)) if last else None
    if last is None or name not in ("sigmoid", "softmax", "log_softmax"):
        return None
    both = task == "binary" and name != "sigmoid"  # of two classes a softmax has a column each
    if last.output_shape != (2 if both else width,):
        return None
    return last, (
        f"makes probabilities of as many columns as there are classes ({last.output_shape[0]}), but the output "
        "layer comes behind it, and the loss wants that without bounds: leave this layer out"
    )


def loss_before_target(spec: ModelSpec, default: str | Mapping[str, Any]) -> Loss:
    """Return the loss of a spec before a target is known: what "auto" stands for is the default."""
    loss = parse(Slot("loss"), default, subject="auto") if spec.loss == "auto" else spec.loss
    assert isinstance(loss, Loss)
    return loss

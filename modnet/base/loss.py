"""A loss J measures the network's raw output against the truth, and knows how to read a prediction off that output.

Value and gradient stand in one class, so that the one is checked against the other.
"""

import contextlib
from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from modnet.base.graph import Graph, not_exported
from modnet.base.types import Array
from modnet.base.value import Value
from modnet.component import Component
from modnet.errors import InvalidSpecError

Task = Literal["regression", "binary", "multiclass", "multilabel", "multioutput"]
"""What an estimator wants of a loss. The truth t it gets is, per task:

- regression: floats, shape (n, k) for k targets, the raw output having k columns;
- binary: 0 or 1 as floats, shape (n, 1), one column;
- multiclass: class codes 0 … k−1 as integers, shape (n,), k columns;
- multilabel: 0 or 1 as floats, shape (n, k), k columns;
- multioutput: a column of class codes for each of k outputs, shape (n, k); see `modnet.losses.PerOutput`.
"""

TargetScale = Literal["affine", "scale", "none"]
"""What a loss lets the truth be changed by; see `Loss`."""


class Loss(Component, kind="loss"):
    """A differentiable measure of error, of the raw output and the truth; arguments as in scikit-learn: truth first.

    J is summed over outputs and averaged over rows: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ, with wᵢ = 1 if there are no weights.

    Attributes
    ----------
    probabilistic : bool
        Whether `predict` gives probabilities where the task has classes; False: only scores, as of a hinge.
    links : bool
        Whether `predict` is something else than the raw output itself: a probability, e^z, one of several columns. An
        output activation in front of it would be a second link, and is refused.
    ordinal : bool
        Whether the order of the classes counts: of a y that declares one (pandas' ordered categorical, polars' Enum)
        codes then go by that, and not by the sorted labels.
    target_scale : {"affine", "scale", "none"}
        What numbers may be changed by before the loss sees them; predictions are changed back. Estimators do it with
        `scale_target`. "affine": (t − a) / b, a and b being mean and standard deviation, as a mean or a quantile
        allows: predictions reach every number, and J goes by ŷ − t. A length of its own, such as the δ of `huber`,
        counts in standard deviations then. "scale": t / b only, b being the mean, as rates allow; they are positive.
        "none": nothing, as for classes.
    """

    probabilistic: ClassVar[bool] = True
    links: ClassVar[bool] = False
    ordinal: ClassVar[bool] = False
    target_scale: ClassVar[TargetScale] = "none"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        defined = vars(cls)
        if "value" in defined and "gradient" in defined and "value_and_gradient" not in defined:
            cls.value_and_gradient = _value_then_gradient  # type: ignore[method-assign]
        super().__init_subclass__(**kwargs)

    @abstractmethod
    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return this loss, set up for a task; None: it does not serve the task.

        One of numbers: ``return self if task == "regression" else None``. One with a field that the task decides:
        ``return replace(self, link=LINKS[task]) if task in LINKS else None``. One around another asks that.

        Parameters
        ----------
        task : {"regression", "binary", "multiclass", "multilabel", "multioutput"}
            What the truth is; see `Task`.
        widths : tuple of int
            For multioutput: the columns of predictions for each column of y, 1 for two classes, else one per class.

        Returns
        -------
        Loss or None
            Of the same class.
        """

    def width(self, targets: int) -> int:
        """Return how many columns of raw output it needs for so many columns of predictions; default: as many.

        Parameters
        ----------
        targets : int
            Columns of predictions, ≥ 1.

        Returns
        -------
        int
            Columns of the network's output.
        """
        return targets

    def check_truth(self, t: Array) -> None:
        """Check that it can measure against a truth; called once, before training. Default: any will do.

        Parameters
        ----------
        t : ndarray
            The truth, in the form of the task (see `Task`).

        Raises
        ------
        ValueError
            Naming the first row that it cannot take, and its value.
        """
        return

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return a truth that it can take, with three targets or classes, for `modnet.testing`.

        Parameters
        ----------
        task : {"regression", "binary", "multiclass", "multilabel", "multioutput"}
            A task that it serves.
        rng : numpy.random.Generator
            What to draw it with.
        n : int
            How many rows, ≥ 1.

        Returns
        -------
        ndarray
            In the form of the task (see `Task`).
        """
        if task == "multiclass":
            return rng.integers(3, size=n)
        if task == "multioutput":
            return np.stack([rng.integers(3, size=n), rng.integers(2, size=n)], axis=1)
        if task == "regression":
            return rng.normal(size=(n, 3))
        return rng.integers(2, size=(n, 1 if task == "binary" else 3)).astype(float)

    @abstractmethod
    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return J and ∂J/∂raw: `value` and `gradient`, the work that they share done once.

        A class defines this method, or `value` and `gradient`; the base makes the one of the other.

        Parameters
        ----------
        t : ndarray
            The truth, in the form of the task (see `Task`); not to be changed.
        raw : ndarray, shape (n, width(k))
            The network's output; not to be changed.
        weight : ndarray, shape (n,), optional
            Non-negative; their sum is positive.
        out : ndarray, shape of raw, optional
            Where to write the gradient.

        Returns
        -------
        value : float
            J.
        gradient : ndarray, shape and dtype of raw
            ∂J/∂raw, the averaging over rows included.
        """

    def value(self, t: Array, raw: Array, *, weight: Array | None = None) -> float:
        """Return J.

        Parameters
        ----------
        t, raw, weight : ndarray
            As for `value_and_gradient`.

        Returns
        -------
        float
            Averaged over rows.
        """
        return self.value_and_gradient(t, raw, weight=weight)[0]

    def gradient(self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None) -> Array:
        """Return ∂J/∂raw, the derivative of `value`, the averaging included.

        Parameters
        ----------
        t, raw, weight, out : ndarray
            As for `value_and_gradient`.

        Returns
        -------
        ndarray, shape and dtype of raw
            `out`, where it is given.
        """
        return self.value_and_gradient(t, raw, weight=weight, out=out)[1]

    @abstractmethod
    def predict(self, raw: Array) -> Array:
        """Return ŷ, the prediction on the scale of the truth: the inverse link (identity, sigmoid, softmax, …).

        Parameters
        ----------
        raw : ndarray, shape (n, width(k))
            The network's output; not to be changed.

        Returns
        -------
        ndarray, shape (n, k), dtype of raw
            For classes, probabilities: one column for a binary task (of the second class), k for the others.
        """

    def codes(self, task: Task, raw: Array) -> Array:
        """Return the classes that are predicted, in the form of the truth: codes, or 0 and 1; not for regression.

        They are read off `predict`: the class of the largest probability or score, of equal ones the first; 1 where a
        probability is above ½, or a score above 0. A loss may define it to find the same faster; one that serves
        multioutput does, as only it knows which columns belong together.

        Parameters
        ----------
        task : {"binary", "multiclass", "multilabel", "multioutput"}
            What the loss was set up for.
        raw : ndarray, shape (n, width(k))
            The network's output.

        Returns
        -------
        ndarray of int
            The shape of the truth (see `Task`).
        """
        predicted, above = self.predict(raw), 0.5 if self.probabilistic else 0
        codes: Array = predicted.argmax(axis=1) if task == "multiclass" else (predicted > above).astype(np.intp)
        return codes

    def log_predict(self, raw: Array) -> Array:
        """Return log ŷ, for losses whose predictions are probabilities.

        A loss that works on logits may define it to keep the digits that a probability close to 0 or 1 rounds off.

        Parameters
        ----------
        raw : ndarray, shape (n, width(k))
            The network's output.

        Returns
        -------
        ndarray, shape and dtype of what `predict` returns
            Natural logarithms, ≤ 0.
        """
        return np.log(self.predict(raw))

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write `predict` as nodes of ONNX, and return ŷ; default: the raw output, unless it `links`.

        Parameters
        ----------
        graph : Graph
            What to write into.
        raw : Value
            The network's output, shape (n, width(k)).

        Returns
        -------
        Value
            The prediction ŷ, shape (n, k).

        Raises
        ------
        ExportError
            If it links, and there is no such method.
        """
        if self.links:
            raise not_exported(self)
        return raw

    def onnx_codes(self, graph: Graph, task: Task, raw: Value) -> Value:
        """Write `codes` as nodes of ONNX; a loss that serves multioutput defines it.

        Parameters
        ----------
        graph : Graph
            What to write into.
        task : {"binary", "multiclass", "multilabel", "multioutput"}
            What the loss was set up for.
        raw : Value
            The network's output, shape (n, width(k)).

        Returns
        -------
        Value
            Codes in the shape of the truth, int64.
        """
        predicted, above = self.onnx(graph, raw), 0.5 if self.probabilistic else 0.0
        if task == "multiclass":
            return graph.op("ArgMax", predicted, axis=1, keepdims=0)
        return (predicted > above).astype(np.int64)


def _value_then_gradient(
    self: Loss, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
) -> tuple[float, Array]:
    """Return `value` and `gradient`, of a class that defines the two."""
    return self.value(t, raw, weight=weight), self.gradient(t, raw, weight=weight, out=out)


class QuantileLoss(Loss):
    """A loss whose raw output tells quantiles of the target: estimators then have ``predict_quantiles``."""

    @abstractmethod
    def predict_quantiles(self, raw: Array) -> Array:
        """Return the predicted quantiles, ascending along the last axis.

        Parameters
        ----------
        raw : ndarray, shape (n, width(k))
            The network's output.

        Returns
        -------
        ndarray, shape (n, k, q), dtype of raw
            For k targets and q levels.
        """

    def onnx_quantiles(self, graph: Graph, raw: Value) -> Value:
        """Write `predict_quantiles` as nodes of ONNX; default: it cannot be exported.

        Parameters
        ----------
        graph : Graph
            What to write into.
        raw : Value
            The network's output, shape (n, width(k)).

        Returns
        -------
        Value
            The quantiles, shape (n, k, q).
        """
        raise not_exported(self, "onnx_quantiles")


class DensityLoss(Loss):
    """A loss whose raw output tells mean and spread of the target: ``predict(X, return_std=True)``."""

    @abstractmethod
    def predict_std(self, raw: Array) -> Array:
        """Return the predicted standard deviations.

        Parameters
        ----------
        raw : ndarray, shape (n, width(k))
            The network's output.

        Returns
        -------
        ndarray, shape (n, k), dtype of raw
            Positive.
        """

    def onnx_std(self, graph: Graph, raw: Value) -> Value:
        """Write `predict_std` as nodes of ONNX; default: it cannot be exported.

        Parameters
        ----------
        graph : Graph
            What to write into.
        raw : Value
            The network's output, shape (n, width(k)).

        Returns
        -------
        Value
            The standard deviations, shape (n, k).
        """
        raise not_exported(self, "onnx_std")


def served(loss: Loss) -> dict[Task, Loss]:
    """Return a loss as it is set up for each task that it serves, one that its other fields do not go with left out.

    For multioutput that is a column of three classes and one of two.

    Parameters
    ----------
    loss : Loss
        Any.

    Returns
    -------
    dict of str to Loss
        By task.
    """
    found: dict[Task, Loss] = {}
    for task in get_args(Task):
        with contextlib.suppress(InvalidSpecError):
            if (ready := loss.for_task(task, (3, 1) if task == "multioutput" else ())) is not None:
                found[task] = ready
    return found

"""What losses share: averages over rows, links from raw outputs to probabilities and rates, and checks of the truth.

The links do not overflow; a check names the first row that a loss cannot measure against.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import expit, log_expit, log_softmax

from modnet import Array, Graph, Loss, Value
from modnet.base import Task
from modnet_standard.activations.softmax import Softmax


class NumberLoss(Loss):
    """A loss of numbers."""

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return itself for regression."""
        return self if task == "regression" else None


class AveragedLoss(Loss):
    """A loss that says what each row costs; the average over rows is taken here."""

    @abstractmethod
    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return Jᵢ and ∂Jᵢ/∂rawᵢ, both in arrays of their own.

        Parameters
        ----------
        t : ndarray
            The truth, in the form of the task (see `modnet.Task`).
        raw : ndarray, shape (n, width(k))
            The network's output; not to be changed.

        Returns
        -------
        J : ndarray, shape (n,) or (n, m)
            For each row its loss Jᵢ, or m numbers whose sum it is.
        draw : ndarray, shape of raw
            For each row ∂Jᵢ/∂rawᵢ.
        """

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both from one look at the rows."""
        return averaged(*self.rows(t, raw), weight, out=np.empty_like(raw) if out is None else out)


def averaged(J: Array, draw: Array, weight: Array | None, *, out: Array) -> tuple[float, Array]:
    """Return Σᵢ wᵢ Jᵢ / Σᵢ wᵢ and wᵢ ∂Jᵢ/∂rawᵢ / Σᵢ wᵢ.

    Parameters
    ----------
    J : ndarray, shape (n,) or (n, m)
        Jᵢ, or m numbers whose sum it is.
    draw : ndarray
        ∂Jᵢ/∂rawᵢ.
    weight : ndarray, shape (n,), or None
    out : ndarray
        Where to write the gradient; it may be `draw` itself.
    """
    if weight is None:
        n = len(J)
        return float(J.sum()) / n, np.multiply(draw, 1 / n, out=out)
    total = float(weight.sum())
    sums = weight @ J
    value = float(sums.sum() if J.ndim > 1 else sums) / total
    return value, np.multiply(draw, (weight / total)[:, np.newaxis], out=out)


ClassLink = Literal["softmax", "sigmoid"]
"""What turns logits into probabilities: softmax for one of k classes, sigmoid for each column on its own."""


LINKS: Mapping[Task, ClassLink] = {"binary": "sigmoid", "multiclass": "softmax", "multilabel": "sigmoid"}
"""The link that each task of classes asks for."""


def probabilities(link: ClassLink, z: Array) -> Array:
    """Return softmax(z) or σ(z)."""
    # expit, and not the faster sigmoid of hidden layers: it keeps the digits of a probability close to 0.
    p: Array = Softmax().f(z) if link == "softmax" else expit(z)
    return p


def log_probabilities(link: ClassLink, z: Array) -> Array:
    """Return log softmax(z) or log σ(z), exact where a probability rounds to 0."""
    logs: Array = log_softmax(z, axis=-1) if link == "softmax" else log_expit(z)
    return logs


def unsmoothed(link: ClassLink, q: Array, smoothing: float) -> Array:
    """Return probabilities of classes from those of a network that has learnt smoothed ones; q may be written into.

    Of rows that look alike let a share pₖ be of class k. Smoothing by ε replaces each row's truth t by s = (1 − ε) t +
    ε/K, K classes, two for the sigmoid. J is linear in s: its mean over these rows is that of the mean truth,
    (1 − ε) p + ε/K, and it is least where q = softmax(z) or σ(z) is that mean. So p = (q − ε/K) / (1 − ε). A q below
    ε/K, which no p makes, is an error of the network: p would be 0 there, and the others are divided by their sum. The
    least p is the rounding unit of its dtype instead, so that logarithms are finite and no class is ruled out.

    >>> np.round(unsmoothed("softmax", np.array([[0.57, 0.42, 0.01]]), 0.1), 3)
    array([[0.581, 0.419, 0.   ]])
    """
    if not smoothing:
        return q
    least = np.finfo(q.dtype).eps
    if link == "sigmoid":  # in this order exactly ½ where z = 0
        q -= 0.5
        q /= 1 - smoothing
        q += 0.5
        return np.clip(q, least, 1 - least, out=q)
    q -= smoothing / q.shape[-1]
    np.maximum(q, 0, out=q)
    q /= q.sum(axis=-1, keepdims=True)
    p: Array = np.maximum(q, least, out=q)
    return p


def onnx_unsmoothed(link: ClassLink, graph: Graph, q: Value, smoothing: float) -> Value:
    """Write `unsmoothed`."""
    if not smoothing:
        return q
    least = float(np.finfo(q.dtype).eps)
    if link == "sigmoid":
        return ((q - 0.5) / (1 - smoothing) + 0.5).clip(least, 1 - least)
    k = graph.op("Gather", graph.op("Shape", q), [-1]).astype(q.dtype)
    p = (q - smoothing / k).clip(0.0)
    return (p / p.sum()).clip(least)


def likeliest(z: Array, predict: Callable[[Array], Array]) -> Array:
    """Return the class of the largest probability in each row, of equal ones the first; exponentials only in doubt.

    `predict` makes probabilities of logits: softmax(z), or what grows with it.

    Softmax takes 1.9 ms for 10 000 rows of 10 float32 logits, this 0.6.
    """
    codes: Array = z.argmax(axis=1)
    largest = z[np.arange(len(z)), codes][:, np.newaxis]
    # Where a logit falls short of the largest by no more than this, e^z rounds, and the probabilities may be equal.
    close = z >= largest - 8 * np.finfo(z.dtype).eps
    if (close.argmax(axis=1) != codes).any():
        codes = predict(z).argmax(axis=1)
    return codes


class LogitLoss(Loss):
    """A loss of classes from logits, which turns them into probabilities by a link."""

    links: ClassVar[bool] = True

    @property
    @abstractmethod
    def link(self) -> ClassLink:
        """Softmax for one of k classes, sigmoid for a binary target or labels that do not exclude each other."""

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return it with the link that a task of classes asks for."""
        return replace(self, link=LINKS[task]) if task in LINKS else None  # type: ignore[call-arg]  # a field below

    def predict(self, raw: Array) -> Array:
        """Return probabilities: of each class with softmax, of 1 in each column with sigmoid."""
        return probabilities(self.link, raw)

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithms of the probabilities, exact where a probability rounds to 0."""
        return log_probabilities(self.link, raw)

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write ŷ."""
        return graph.op("Softmax", raw, axis=-1) if self.link == "softmax" else graph.op("Sigmoid", raw)

    def codes(self, task: Task, raw: Array) -> Array:
        """Return what the base does; of several classes without exponentials, where rounding does not decide."""
        return likeliest(raw, self.predict) if task == "multiclass" else super().codes(task, raw)


def exponential(z: Array) -> Array:
    """Return e^z, inf where it is larger than any float."""
    with np.errstate(over="ignore"):  # an infinite rate is what such a z means
        return np.exp(z)


def softplus_and_sigmoid(z: Array) -> tuple[Array, Array]:
    """Return log(1 + e^z) and its derivative σ(z) from one exponential, both exact in both tails."""
    z = np.ascontiguousarray(z)  # of a few columns of a wider array, every pass would go row by row
    e = np.exp(-np.abs(z))  # in (0, 1]: log(1 + e^z) = max(z, 0) + log(1 + e^−|z|)
    return np.log1p(e) + np.maximum(z, 0), np.where(z >= 0, 1, e) / (1 + e)


def check_rows(fits: Array, t: Array, needs: str) -> None:
    """Raise, unless every element fits, a ValueError with `needs`, the first row that does not, and its value."""
    if not fits.all():
        row = int(np.argwhere(~fits)[0, 0])
        raise ValueError(f"{needs}, got {t[row].tolist()} in row {row}")


def check_classes(t: Array, loss: str, *, exclusive: bool) -> None:
    """Check that t holds class codes, if classes exclude each other, or else nothing but 0 and 1."""
    if exclusive:  # how many classes there are is not known here
        check_rows((t >= 0) & (t == np.floor(t)), t, f"{loss} needs class codes 0, 1, 2, …")
    else:
        check_rows((t == 0) | (t == 1), t, f"{loss} needs targets 0 or 1")

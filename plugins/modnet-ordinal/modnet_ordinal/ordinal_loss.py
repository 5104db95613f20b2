"""What the ordinal losses have in common: a logit per class, probabilities by softmax, an average over rows."""

from abc import abstractmethod
from typing import ClassVar, Self

import numpy as np

from modnet import Array, Graph, Loss, Value
from modnet.activations import Softmax
from modnet.base import Task


class OrdinalLoss(Loss):
    """A loss of logits z of k classes in their order, p = softmax(z); J is averaged over rows: Σᵢ wᵢ Jᵢ / Σᵢ wᵢ.

    A subclass says what a row costs. Classes have the order that an estimator's ``classes_`` has: that of pandas'
    ordered categorical and polars' Enum; otherwise numbers ascend, and strings are sorted as in a dictionary, which is
    hardly ever the order of grades.
    """

    links: ClassVar[bool] = True
    ordinal: ClassVar[bool] = True

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return itself for several classes: between two there is no order to speak of."""
        return self if task == "multiclass" else None

    @abstractmethod
    def rows(self, t: Array, z: Array) -> tuple[Array, Array]:
        """Return Jᵢ, shape (n,), and ∂Jᵢ/∂zᵢ, shape (n, k), in arrays of their own.

        Parameters
        ----------
        t : ndarray of int, shape (n,)
            Codes of the classes.
        z : ndarray, shape (n, k)
            Logits, the largest of each row being 0: what all have in common changes nothing.

        Returns
        -------
        J : ndarray, shape (n,)
            For each row its loss.
        dz : ndarray, shape (n, k)
            Its derivative along the logits.
        """

    def check_truth(self, t: Array) -> None:
        """Check that t holds class codes.

        Raises
        ------
        ValueError
            Naming the first row that does not.
        """
        wrong = np.flatnonzero((t < 0) | (t != np.floor(t)))
        if wrong.size:
            raise ValueError(f"an ordinal loss needs class codes 0, 1, 2, …, got {t[wrong[0]]} in row {wrong[0]}")

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both from one look at the rows."""
        J, dz = self.rows(t, raw - raw.max(axis=-1, keepdims=True))
        if weight is None:
            return float(J.sum()) / len(J), np.multiply(dz, 1 / len(J), out=out)
        share = weight / float(weight.sum())
        return float(share @ J), np.multiply(dz, share[:, np.newaxis], out=out)

    def predict(self, raw: Array) -> Array:
        """Return the probability of each class."""
        return Softmax().f(raw)

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithms of the probabilities, exact where a probability rounds to 0."""
        z = raw - raw.max(axis=-1, keepdims=True)
        logs: Array = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        return logs

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write the probability of each class."""
        return graph.op("Softmax", raw, axis=-1)


def sums_from_below(a: Array) -> Array:
    """Return Σ of each element and those before it.

    Examples
    --------
    >>> sums_from_below(np.array([[1.0, 2.0, 4.0]])), sums_from_above(np.array([[1.0, 2.0, 4.0]]))
    (array([[1., 3., 7.]]), array([[7., 6., 4.]]))
    """
    return np.cumsum(a, axis=-1)


def sums_from_above(a: Array) -> Array:
    """Return Σ of each element and those behind it."""
    return np.cumsum(a[..., ::-1], axis=-1)[..., ::-1]

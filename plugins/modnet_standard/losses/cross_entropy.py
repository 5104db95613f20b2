"""Cross-entropy on logits: the negative log-likelihood of classes, computed where nothing over- or underflows.

Value and gradient share one exponential per logit.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modnet import Array, Graph, Value
from modnet_standard.arrays import ones, zeros
from modnet_standard.losses.shared import ClassLink, LogitLoss, check_classes, onnx_unsmoothed, unsmoothed

__all__ = ["CrossEntropy"]


class CrossEntropy(LogitLoss):
    """The negative log-likelihood of classes from logits z: J = log Σₖ e^zₖ − z_t, or J = Σₖ log(1 + e^zₖ) − tₖ zₖ.

    The first is that of the softmax link, t being the class, and ∂J/∂z = softmax(z) − onehot(t). The second is that of
    the sigmoid link, t being 0 or 1 in each column, and ∂J/∂z = σ(z) − t. Averaged over rows. Both are finite for
    every finite logit.

    Smoothing by ε replaces the truth: onehot(t) by (1 − ε) onehot(t) + ε/k, and t by (1 − ε) t + ε/2. Predictions
    are the probabilities of classes without it, (softmax(z) − ε/k) / (1 − ε) and above 0, as `unsmoothed` derives.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}
        What turns logits into probabilities: softmax for one of k classes, sigmoid for a binary target or for labels
        that do not exclude each other. Estimators set it by the target.
    label_smoothing : float
        Share ε of the truth, in [0, 1), that is spread evenly over all classes, so that logits stay bounded.

    Raises
    ------
    ValueError
        By `check_truth`, naming the first row whose t is no class code (softmax), or neither 0 nor 1 (sigmoid).

    References
    ----------
    Bishop (2006), Pattern recognition and machine learning, eq. 4.90 and 4.108 (value), 4.91 and 4.109 (gradient).
    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), Rethinking the Inception architecture for computer vision, CVPR,
    sec. 7 (smoothing).

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import CrossEntropy
    >>> t, raw = np.array([0, 1]), np.array([[0.0, 0.0], [0.0, 1000.0]])
    >>> round(CrossEntropy().value(t, raw), 4)  # (log 2 + 0) / 2
    0.3466
    >>> CrossEntropy().gradient(t, raw)
    array([[-0.25,  0.25],
           [ 0.  ,  0.  ]])
    """

    link: ClassLink = "softmax"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both links, without and with smoothing."""
        return (cls("softmax"), cls("sigmoid"), cls("softmax", 0.1), cls("sigmoid", 0.1))

    def check_truth(self, t: Array) -> None:
        """Check that t is class codes (softmax), or 0 and 1 (sigmoid)."""
        check_classes(t, "cross_entropy", exclusive=self.link == "softmax")

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both from one exponential per logit."""
        parts = _softmax_parts if self.link == "softmax" else _sigmoid_parts
        if weight is None:
            J, draw = parts(t, raw, self.label_smoothing, 1 / len(raw), out)
            return float(J.dot(ones(J.shape, J.dtype))) / len(raw), draw
        total = float(weight.sum())
        J, draw = parts(t, raw, self.label_smoothing, weight / total, out)
        return float(weight.dot(J)) / total, draw

    def predict(self, raw: Array) -> Array:
        """Return probabilities, of each class with softmax, of 1 in each column with sigmoid; smoothing is undone."""
        return unsmoothed(self.link, super().predict(raw), self.label_smoothing)

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithms of the probabilities; without smoothing they are exact where one rounds to 0."""
        return np.log(self.predict(raw)) if self.label_smoothing else super().log_predict(raw)

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write ŷ; smoothing is undone."""
        return onnx_unsmoothed(self.link, graph, super().onnx(graph, raw), self.label_smoothing)


def _softmax_parts(
    t: Array, raw: Array, smoothing: float, share: Array | float, out: Array | None
) -> tuple[Array, Array]:
    """Return J per row, shape (n,), and share (softmax(z) − onehot(t)), both with the truth smoothed."""
    n, k = raw.shape
    first = _first_of_rows(n, k)
    # Sums and maxima along short rows miss NumPy's SIMD loops; a product with ones and `argmax` do not: 0.6 instead of
    # 4.7 µs and 2.1 instead of 8.8 µs for 200 rows of 10 float32 logits.
    largest = raw.take(first + raw.argmax(axis=1))
    z = np.subtract(raw, largest[:, np.newaxis], out=out)
    truth = first + t  # where z_t lies in the flat array
    z_t = z.take(truth)
    if smoothing:
        mean = z.dot(ones((k,), z.dtype)) / k
        z_t += smoothing * (mean - z_t)  # (1 − ε) z_t + ε/k Σⱼ zⱼ
    p = np.exp(z, out=z)
    total = p.dot(ones((k,), p.dtype))
    J: Array = np.log(total) - z_t
    p *= (share / total)[:, np.newaxis]  # of each row: softmax(z) and the row's share in the average in one product
    p.put(truth, p.take(truth) - share * (1 - smoothing))
    if smoothing:
        p -= np.reshape(share * (smoothing / k), (-1, 1))
    return J, p


@lru_cache(maxsize=16)
def _first_of_rows(n: int, k: int) -> NDArray[np.intp]:
    """Return 0, k, 2k, …, where the rows of an (n, k) array begin."""
    first = np.arange(0, n * k, k)
    first.flags.writeable = False
    return first


def _sigmoid_parts(
    t: Array, raw: Array, smoothing: float, share: Array | float, out: Array | None
) -> tuple[Array, Array]:
    """Return J per row, shape (n,), and share (σ(z) − t), both with the truth smoothed."""
    if smoothing:
        t = (1 - smoothing) * t + 0.5 * smoothing
    nothing = zeros(raw.shape, raw.dtype)
    e = np.exp(-np.abs(raw))  # in (0, 1]: log(1 + e^z) = max(z, 0) + log(1 + e^−|z|) does not overflow
    J = np.log1p(e) + (np.maximum(raw, nothing) - t * raw)  # in this order the small term survives
    e += 1
    p = np.exp(np.minimum(raw, nothing, out=out), out=out)
    p /= e  # σ(z) = e^min(z, 0) / (1 + e^−|z|), exact in both tails
    p -= t
    p *= share if isinstance(share, float) else share[:, np.newaxis]
    return J.dot(ones(J.shape[-1:], J.dtype)), p

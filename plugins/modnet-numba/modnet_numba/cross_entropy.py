"""Cross-entropy on logits: value and gradient together, without an array between them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Array, Loss
from modnet.base import Task
from modnet.losses import CrossEntropy
from modnet_numba.compiling import kernel, readable, sum_of
from modnet_numba.elementary import exp, log, log1p


@kernel
def _softmax(t: Array, raw: Array, weight: Array | None, smoothing: float, draw: Array, found: Array) -> None:
    """Write J = Σ wᵢ (log Σ e^z − z_t) / Σ w; draw = (softmax(z) − onehot(t)) wᵢ / Σ w; the truth is smoothed."""
    n, k = raw.shape
    number = raw.dtype.type
    total = n if weight is None else sum_of(weight)
    kept, shared = 1 - smoothing, smoothing / k
    value = 0.0
    # A row's largest logit is subtracted; then all exponentials and all logarithms are taken in one go, since rows are
    # short and vector instructions are not.
    for i in range(n):
        code = t[i]
        if code < 0 or code >= k:
            raise IndexError("a class code is out of range")
        largest = raw[i, 0]
        for j in range(1, k):
            largest = raw[i, j] if raw[i, j] > largest else largest  # of NaN the whole row becomes NaN
        for j in range(k):
            draw[i, j] = raw[i, j] - largest
        row_sum = number(0)  # in a loop that stores nothing, as in squared_error
        for j in range(k):
            row_sum += draw[i, j]
        w = 1.0 if weight is None else weight[i]
        value -= w * (kept * draw[i, code] + shared * row_sum)
    flat = draw.reshape(draw.size)
    for i in range(flat.size):
        flat[i] = exp(flat[i])
    sums = np.empty(n, raw.dtype)
    for i in range(n):
        row_sum = number(0)
        for j in range(k):
            row_sum += draw[i, j]
        sums[i] = row_sum
        share = (1.0 if weight is None else weight[i]) / total
        scale, taken = number(share / row_sum), number(share * shared)
        for j in range(k):
            draw[i, j] = draw[i, j] * scale - taken
        draw[i, t[i]] -= number(share * kept)
    for i in range(n):
        value += (1.0 if weight is None else weight[i]) * log(sums[i])
    found[0] = value / total


@kernel
def _sigmoid(t: Array, raw: Array, weight: Array | None, smoothing: float, draw: Array, found: Array) -> None:
    """Write J = Σ wᵢ (log(1 + e^z) − t z) / Σ w; draw = (σ(z) − t) wᵢ / Σ w, both with the truth smoothed."""
    n, k = raw.shape
    number = raw.dtype.type
    total = n if weight is None else sum_of(weight)
    kept, middle = number(1 - smoothing), number(0.5 * smoothing)
    costs = np.empty(raw.size, raw.dtype)
    value = 0.0
    flat_t, flat_raw, flat_draw = t.ravel(), raw.ravel(), draw.reshape(draw.size)
    for i in range(flat_raw.size):
        z, truth = flat_raw[i], kept * flat_t[i] + middle
        e = exp(-abs(z))
        costs[i] = log1p(e) + (max(z, number(0)) - truth * z)
        flat_draw[i] = (number(1) if z >= 0 else e) / (number(1) + e) - truth
    for i in range(n):
        w = 1.0 if weight is None else weight[i]
        for j in range(k):
            value += w * costs[i * k + j]
        share = number(w / total)
        for j in range(k):
            draw[i, j] *= share
    found[0] = value / total


class FusedCrossEntropy(Loss):
    """Cross-entropy, fused: J = log Σₖ e^zₖ − z_t or Σₖ log(1 + e^zₖ) − tₖ zₖ, and ∂J/∂z by the same exponentials.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}
    label_smoothing : float
        Those of the original.
    """

    links: ClassVar[bool] = True

    link: Literal["softmax", "sigmoid"] = "softmax"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both links, without and with smoothing."""
        return (cls("softmax"), cls("sigmoid"), cls("softmax", 0.1), cls("sigmoid", 0.1))

    @property
    def original(self) -> CrossEntropy:
        """The loss that this one is a fused version of."""
        return CrossEntropy(self.link, self.label_smoothing)

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return it with the link that the original has for the task."""
        ready = self.original.for_task(task, widths)
        return None if ready is None else replace(self, link=ready.link)

    def check_truth(self, t: Array) -> None:
        """Check that t is class codes (softmax), or 0 and 1 (sigmoid)."""
        self.original.check_truth(t)

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return Σᵢ wᵢ Jᵢ / Σᵢ wᵢ and (probability − truth) wᵢ / Σ w."""
        draw, found = np.empty(raw.shape, raw.dtype) if out is None else out, np.empty(1)
        self.write(t, raw, weight, draw, found)
        return float(found[0]), draw

    def write(self, t: Array, raw: Array, weight: Array | None, draw: Array, found: Array) -> None:
        """Write J into the first element of `found`, and ∂J/∂raw into `draw`."""
        softmax_or_sigmoid = _softmax if self.link == "softmax" else _sigmoid
        weight = None if weight is None else readable(weight)
        softmax_or_sigmoid(readable(t), readable(raw), weight, self.label_smoothing, draw, found)

    def predict(self, raw: Array) -> Array:
        """Return probabilities: of each class with softmax, of 1 in each column with sigmoid."""
        return self.original.predict(raw)

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithms of the probabilities."""
        return self.original.log_predict(raw)

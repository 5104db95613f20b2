"""Squared error: value and gradient in one call.

The value is summed in a loop that stores nothing: whether a loop that does both runs several elements at a time, and so
adds them up in another order, depends on how far its arrays lie apart in memory.
"""

from typing import ClassVar, Self

import numpy as np

from modnet import Array, Loss
from modnet.base import TargetScale, Task
from modnet.losses import SquaredError
from modnet_numba.compiling import kernel, readable, sum_of


@kernel
def _squared(t: Array, raw: Array, draw: Array, found: Array) -> None:
    """Write J = ½‖ŷ − y‖² / n; draw = (ŷ − y) / n."""
    n = raw.shape[0]
    share = raw.dtype.type(1 / n)
    value = 0.0
    t, raw, draw = t.ravel(), raw.ravel(), draw.reshape(draw.size)
    for i in range(raw.size):
        e = raw[i] - t[i]
        value += e * e
    for i in range(raw.size):
        draw[i] = (raw[i] - t[i]) * share
    found[0] = 0.5 * value / n


@kernel
def _weighted(t: Array, raw: Array, weight: Array, draw: Array, found: Array) -> None:
    """Write J = Σ wᵢ ½‖ŷᵢ − yᵢ‖² / Σ w; draw = (ŷ − y) wᵢ / Σ w."""
    total = sum_of(weight)
    for i in range(raw.shape[0]):
        share = raw.dtype.type(weight[i] / total)
        for j in range(raw.shape[1]):
            draw[i, j] = (raw[i, j] - t[i, j]) * share
    value = 0.0
    t, raw, draw = t.ravel(), raw.ravel(), draw.reshape(draw.size)
    for i in range(raw.size):
        value += draw[i] * (raw[i] - t[i])
    found[0] = 0.5 * value


class FusedSquaredError(Loss):
    """The squared error, fused: J = ½‖ŷ − y‖² and ∂J/∂ŷ = ŷ − y in one call."""

    target_scale: ClassVar[TargetScale] = "affine"

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return itself for regression."""
        return self if task == "regression" else None

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return Σᵢ wᵢ ½‖ŷᵢ − yᵢ‖² / Σᵢ wᵢ and (ŷ − y) wᵢ / Σ w."""
        if t.shape != raw.shape:
            return SquaredError().value_and_gradient(t, raw, weight=weight, out=out)
        draw, found = np.empty(raw.shape, raw.dtype) if out is None else out, np.empty(1)
        self.write(t, raw, weight, draw, found)
        return float(found[0]), draw

    def write(self, t: Array, raw: Array, weight: Array | None, draw: Array, found: Array) -> None:
        """Write J into the first element of `found`, and ∂J/∂raw into `draw`; t has the shape of raw."""
        t, raw = readable(t), readable(raw)
        if weight is None:
            _squared(t, raw, draw, found)
        else:
            _weighted(t, raw, readable(weight), draw, found)

    def predict(self, raw: Array) -> Array:
        """Return the raw output."""
        return raw

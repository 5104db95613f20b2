"""The scale of numbers to predict: a loss sees them in a scale of their own, and predictions are in the units of y.

What a scale may be, the loss says; what it is, the rows say that are trained on.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from modnet.base import Array, Loss, TargetScale
from modnet.spec import ModelSpec


@dataclass(frozen=True)
class Scaling:
    """What numbers are changed by before a loss sees them: t = (y − shift) / factor, for each target.

    Attributes
    ----------
    kind : {"affine", "scale", "none"}
        "affine": the shift is the mean, the factor the standard deviation; 1 where all numbers are the same. "scale":
        the shift is 0, the factor the mean; 1 where all are 0. "none": numbers stay what they are.
    shift, factor : ndarray of float64, shape (1, k)
        In units of y; factors are positive.
    float32 : bool
        Whether y was float32, so that predictions are, too; otherwise they are float64.

    Examples
    --------
    >>> scaling = Scaling.of("affine", np.array([[1e300], [3e300]]), None)
    >>> scaling.there(np.array([[5e300]]), np.dtype(np.float32)), scaling.back(np.array([[0.5]], np.float32))
    (array([[3.]], dtype=float32), array([[2.5e+300]]))
    """

    kind: TargetScale
    shift: Array
    factor: Array
    float32: bool

    @classmethod
    def of(cls, kind: TargetScale, y: Array, weight: Array | None) -> Self:
        """Return the scale of the rows to train on.

        Parameters
        ----------
        kind : {"affine", "scale", "none"}
        y : ndarray of float32 or float64, shape (n, k)
            As the user gave it: float64 numbers are not cast to float32 before.
        weight : ndarray, shape (n,), optional
            A row of weight k counts k times.
        """
        shift, factor = np.zeros((1, y.shape[1])), np.ones((1, y.shape[1]))
        if kind != "none":
            low = y.min(axis=0, keepdims=True).astype(np.float64) if kind == "affine" else shift
            size = y.max(axis=0, keepdims=True) - low
            size[size == 0] = 1
            part = (y - low) / size  # in [0, 1]: no square over- or underflows, and numbers that are the same are 0
            weight = None if weight is None else weight.astype(np.float64)
            mean = np.average(part, axis=0, weights=weight, keepdims=True)
            if kind == "affine":
                variance = np.average(np.square(part - mean), axis=0, weights=weight, keepdims=True)
                shift, factor = low + mean * size, np.sqrt(variance) * size
            else:
                factor = mean * size
            factor[factor == 0] = 1
        return cls(kind, shift, factor, y.dtype == np.float32)

    def there(self, y: Array, dtype: "np.dtype[np.floating]") -> Array:
        """Return numbers of shape (n, k) as the loss sees them."""
        scaled = y if self.kind == "none" else (y - self.shift) / self.factor
        return scaled.astype(dtype, copy=False)

    def back(self, found: Array, *, spread: bool = False) -> Array:
        """Return predictions in units of y.

        Parameters
        ----------
        found : ndarray, shape (n, k) or (n, k, q)
        spread : bool
            Whether they are standard deviations, which a shift does not change.
        """
        if self.kind == "none":
            return found
        shift, factor = (each.reshape(1, -1, *(1,) * (found.ndim - 2)) for each in (self.shift, self.factor))
        numbers = found * factor if spread else found * factor + shift
        return numbers.astype(np.float32 if self.float32 else np.float64, copy=False)


def scale_admitted(spec: ModelSpec, loss: Loss) -> TargetScale:
    """Return what numbers are changed by: what the loss admits, and nothing where outputs are bounded."""
    free = spec.training.scale_target and spec.output_activation is None
    return loss.target_scale if free else "none"

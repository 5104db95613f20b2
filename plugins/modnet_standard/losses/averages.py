"""Averages over rows, J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ: what all losses have in common.

Most of them only say what a row costs.
"""

from abc import abstractmethod

import numpy as np

from modnet import Array, Loss


class AveragedLoss(Loss):
    """A loss that says what each row costs; the average over rows is taken here."""

    @abstractmethod
    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return Jᵢ and ∂Jᵢ/∂rawᵢ, both in arrays of their own.

        Returns
        -------
        ndarray, shape (n,) or (n, m)
            Jᵢ, or m numbers whose sum it is.
        ndarray, shape of raw
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

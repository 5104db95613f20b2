"""The best constant prediction: how low a loss gets without a look at x.

A network that has learnt anything gets below it.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from modnet.base import Array, Loss

EPOCHS = 20
"""After how many epochs a network has to have learnt something."""

_VISIBLE = 1e-3
"""By which share of it a loss has to lie below that of a constant."""


def learns(loss: float, constant: float) -> bool:
    """Return whether a loss lies below that of the best constant prediction; NaN does not."""
    return constant == np.inf or loss < constant - _VISIBLE * abs(constant)


def underway(curve: Sequence[float], *, cut: bool) -> bool:
    """Return whether a training was cut off early, its loss still falling: what it has learnt tells nothing yet."""
    return cut and len(curve) < EPOCHS and curve[-1] <= curve[0]


def constant_loss(loss: Loss, t: Array, width: int, weight: Array | None = None) -> float:
    """Return the lowest loss that one raw output for all rows has: min over c of J(t, c), c having `width` numbers.

    Parameters
    ----------
    loss : Loss
    t : ndarray, shape (n, k) or (n,)
        The truth, in the form that the loss takes.
    width : int
        Columns of the raw output.
    weight : ndarray, shape (n,), optional

    Returns
    -------
    float
        Found by L-BFGS, which starts at the mean of numbers, to about four digits. inf where all rows have the same
        truth: a constant is all that there is to learn.

    Examples
    --------
    Half the variance, for half the squared error:

    >>> import numpy as np
    >>> from modnet.losses import SquaredError
    >>> round(constant_loss(SquaredError(), np.array([[1.0], [2.0], [6.0]]), 1), 6)
    2.333333
    """
    if (t == t[:1]).all():
        return np.inf
    start = np.zeros(width)
    if t.shape[1:] == (width,) and np.issubdtype(t.dtype, np.floating):
        t = t.astype(np.float64)
        mean = np.average(t, axis=0, weights=weight)
        start = mean if np.isclose(loss.predict(mean[np.newaxis]), mean).all() else start
    if t.ndim == 1:  # as many rows as classes
        t, codes = np.unique(t, return_inverse=True)
        weight = np.bincount(codes, weight)
    raw = np.empty((len(t), width))

    def objective(c: Array) -> tuple[float, Array]:
        raw[...] = c
        value, gradient = loss.value_and_gradient(t, raw, weight=weight)
        return value, gradient.sum(axis=0)

    with np.errstate(all="ignore"):
        return float(minimize(objective, start, jac=True, method="L-BFGS-B", tol=1e-6).fun)

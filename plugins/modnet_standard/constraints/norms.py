"""Bringing the norms of columns into a range: what the constraints on norms have in common."""

import numpy as np

from modnet import Array


def bring_norms(W: Array, lowest: float, highest: float) -> None:
    """Scale each column of W, in place, so that lowest ≤ ‖w‖ ≤ highest; columns of zeros stay.

    The nearest point of such a set lies on the ray through w: w ← w · clip(‖w‖, lowest, highest)/‖w‖.
    """
    norms = np.sqrt(np.einsum("...ij,...ij->...j", W, W, dtype=np.float64))
    # A column that was just scaled has its norm up to rounding: of W, and of a sum over all rows. It counts as right,
    # or each call would move it by the last bit.
    slack = 1 + 4 * np.finfo(W.dtype).eps + W.shape[-2] * np.finfo(np.float64).eps
    wrong = (norms > highest * slack) | ((norms * slack < lowest) & (norms > 0))
    if wrong.any():
        factors = np.ones_like(norms)
        np.divide(np.clip(norms, lowest, highest), norms, out=factors, where=wrong)
        W *= factors[..., None, :].astype(W.dtype)

"""Matrix products whose left factor may be sparse, as the rows of a first layer's input may be."""

import numpy as np

from modnet import Array


def times(x: Array, W: Array, *, out: Array | None) -> Array:
    """Return x W; for a sparse x a fresh array, `out` being left alone."""
    return np.matmul(x, W, out=out) if isinstance(x, np.ndarray) else x @ W


def transposed_times(x: Array, dz: Array, *, out: Array) -> None:
    """Write xᵀ dz."""
    if isinstance(x, np.ndarray):
        np.matmul(x.mT, dz, out=out)
    else:
        out[...] = x.T @ dz

"""Arrays of ones and zeros that ufuncs and BLAS read: made once per shape, never written to."""

from functools import lru_cache
from typing import Any

import numpy as np

from modnet import Array


@lru_cache(maxsize=64)
def zeros(shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Array:
    """Return read-only zeros. Only ever read, they cost address space, not memory."""
    array = np.zeros(shape, dtype)
    array.flags.writeable = False
    return array


@lru_cache(maxsize=64)
def ones(shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Array:
    """Return read-only ones."""
    array = np.ones(shape, dtype)
    array.flags.writeable = False
    return array

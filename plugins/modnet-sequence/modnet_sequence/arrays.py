"""What the layers here have in common: the axes that they take, and affine maps of all rows and positions at once."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from modnet import Array, Shape
from modnet.errors import ShapeError


def steps(input_shape: Shape) -> tuple[int, int]:
    """Return the numbers of steps and of features of rows that have an axis for each.

    Raises
    ------
    ShapeError
        If they have other axes.

    Examples
    --------
    >>> steps((24, 3))
    (24, 3)
    """
    if len(input_shape) != 2:
        raise ShapeError(f"expected rows of shape (steps, features), got {input_shape}; {remedy(input_shape, 2)}")
    return input_shape[0], input_shape[1]


def remedy(input_shape: Shape, axes: int) -> str:
    """Return what to do about rows that should have two axes or three, the last being features or channels.

    Examples
    --------
    >>> remedy((64,), 3)
    'put {"type": "reshape", "shape": (8, 8, 1)} in front, or pass X of shape (n, height, width, channels)'
    """
    size, names = math.prod(input_shape), "steps, features" if axes == 2 else "height, width, channels"
    side = math.isqrt(size)
    if len(input_shape) == axes - 1 and axes == 3:  # an image without channels
        shape = (*input_shape, 1)
    elif axes == 2:
        shape = (-1, input_shape[-1] if len(input_shape) > 2 else 1)
    else:
        shape = (side, side, 1) if side**2 == size else (-1, 1, 1)
    what = "put" if axes == 2 or shape[0] > 0 else "put the like of"
    return f'{what} {{"type": "reshape", "shape": {shape}}} in front, or pass X of shape (n, {names})'


def as_rows(a: Array) -> Array:
    """Return a, shape (…, k), with all axes but the last as one, for one large product; a view if a is contiguous."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])


@lru_cache(maxsize=16)
def ones(n: int, dtype: "np.dtype[Any]") -> Array:
    """Return a read-only row of ones, shape (1, n)."""
    array = np.ones((1, n), dtype)
    array.flags.writeable = False
    return array


def column_sums(a: Array, *, out: Array | None = None) -> Array:
    """Return Σ rows a, shape (1, k), over all axes but the last, as 1ᵀ a: several times faster than np.sum."""
    a = as_rows(a)
    return np.matmul(ones(len(a), a.dtype), a, out=out)


def product(x: Array, W: Array, *, out: Array | None = None) -> Array:
    """Return x W, shape (…, units) for x of shape (…, k), as one product for all rows and positions."""
    z: Array = np.empty((*x.shape[:-1], W.shape[-1]), x.dtype) if out is None else out
    np.matmul(as_rows(x), W, out=as_rows(z))
    return z


def affine(x: Array, W: Array, b: Array, *, out: Array | None = None) -> Array:
    """Return z = x W + b."""
    z = product(x, W, out=out)
    return np.add(z, b, out=z)


def grad_affine(x: Array, dz: Array, *, dW: Array, db: Array) -> None:
    """Write ∂J/∂W = xᵀ dz and ∂J/∂b = Σ rows dz."""
    np.matmul(as_rows(x).T, as_rows(dz), out=dW)
    column_sums(dz, out=db)

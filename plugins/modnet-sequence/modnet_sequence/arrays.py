"""What the layers here have in common: the axes that they take, and affine maps of all rows and positions at once."""

import math

import numpy as np

from modnet import Array, Shape
from modnet.errors import ShapeError
from modnet_standard.arrays import column_sums, product, transposed_product


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
        features = input_shape[-1] if len(input_shape) > 2 else 1
        shape = (math.prod(input_shape) // features, features)
        also = "" if len(input_shape) > 2 else "; tokens makes each feature a step, an lstm has return_sequences=True"
        raise axes_error("(steps, features)", input_shape, shape, also)
    return input_shape[0], input_shape[1]


def image(input_shape: Shape) -> tuple[int, int, int]:
    """Return height, width and the number of channels of rows that have an axis for each.

    Raises
    ------
    ShapeError
        If they have other axes.

    Examples
    --------
    >>> image((8, 8, 1))
    (8, 8, 1)
    """
    if len(input_shape) != 3:
        side = math.isqrt(math.prod(input_shape))
        square = (side, side, 1) if side**2 == math.prod(input_shape) else "(height, width, channels)"
        raise axes_error(
            "(height, width, channels)", input_shape, (*input_shape, 1) if len(input_shape) == 2 else square
        )
    return input_shape[0], input_shape[1], input_shape[2]


def axes_error(expected: str, got: Shape, shape: Shape | str, also: str = "") -> ShapeError:
    """Return the error for rows of other axes, with what would make such rows.

    Examples
    --------
    >>> print(axes_error("(height, width, channels)", (64,), (8, 8, 1)))  # doctest: +ELLIPSIS
    expected rows of shape (height, width, channels), got (64,): inputs={"type": "reshape", ... a reshape layer in front
    """
    remedy = f'inputs={{"type": "reshape", "shape": {shape}}} makes such rows, or a reshape layer in front'
    return ShapeError(f"expected rows of shape {expected}, got {tuple(got)}: {remedy}{also}")


BLOCK = 2**17
"""Elements that are worked on at a time, half a MiB in float32: they stay in the cache. Twice or half took as long."""


def blocks_of(rows: int, elements: int) -> list[slice]:
    """Return slices of as many rows, of so many elements each, as make a block; the last may be shorter.

    Examples
    --------
    >>> blocks_of(5, 2**16)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = max(1, BLOCK // max(1, elements))
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


def affine(x: Array, W: Array, b: Array, *, out: Array | None = None) -> Array:
    """Return z = x W + b."""
    z = product(x, W, out=out)
    return np.add(z, b, out=z)


def grad_affine(x: Array, dz: Array, *, dW: Array, db: Array) -> None:
    """Write ∂J/∂W = xᵀ dz and ∂J/∂b = Σ rows dz."""
    transposed_product(x, dz, out=dW)
    column_sums(dz, out=db)

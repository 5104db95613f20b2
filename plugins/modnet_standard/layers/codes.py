"""Codes of categories, as layers read them: whole numbers from 0, and NaN or −1 where there is no category."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import MinLen
from numpy.typing import NDArray

from modnet import Array, Count, Shape
from modnet.errors import InputError, ShapeError
from modnet_standard.layers.shapes import features
from modnet_standard.layers.unions import expected

Categories = Annotated[
    Count | Annotated[tuple[Count, ...], MinLen(1)], expected("a whole number from 1, or a tuple of one per column")
]
"""How many categories there are: in every column, or column by column."""

Unknown = Literal["error", "missing"]
"""What becomes of a code that is no category."""


def category_counts(categories: int | tuple[int, ...], input_shape: Shape) -> tuple[int, ...]:
    """Return the number of categories of each column.

    Raises
    ------
    ShapeError
        If there is not one number per column.

    Examples
    --------
    >>> category_counts(4, (2,))
    (4, 4)
    """
    n = features(input_shape)
    if isinstance(categories, int):
        return (categories,) * n
    if len(categories) != n:
        raise ShapeError(f"expected {len(categories)} columns of codes, one per number in categories, got {n}")
    return categories


def example_codes(categories: int | tuple[int, ...], rng: np.random.Generator, n: int) -> Array:
    """Return n rows of codes, five columns if `categories` is one number; some codes are missing."""
    counts = category_counts(categories, (5 if isinstance(categories, int) else len(categories),))
    codes = rng.integers(-1, counts, (n, len(counts))).astype(np.float64)
    codes[rng.random(codes.shape) < 0.1] = np.nan
    return codes


def known_codes(x: Array, counts: tuple[int, ...], handle_unknown: Unknown) -> NDArray[np.bool_]:
    """Return where x holds the code of a category.

    Raises
    ------
    InputError
        For the first row with a code that is neither a category's nor NaN nor −1, if `handle_unknown` says so.

    Examples
    --------
    >>> known_codes(np.array([[0.0, -1.0], [np.nan, 3.0]]), (2, 4), "error")
    array([[ True, False],
           [False,  True]])
    """
    known: NDArray[np.bool_] = (x >= 0) & (x < np.array(counts, x.dtype)) & (np.floor(x) == x)
    if handle_unknown == "error" and not known.all():
        wrong = ~(known | np.isnan(x) | (x == -1))
        if wrong.any():
            row, column = (int(index[0]) for index in wrong.nonzero()[-2:])
            code, count = x[wrong][0], counts[column]
            raise InputError(
                f"column {column} holds {code:.15g}, which is no code: those of its {count} categories are 0 to "
                f'{count - 1}, and NaN or -1 stand for none; encode it, or say handle_unknown="missing"',
                row,
            )
    return known

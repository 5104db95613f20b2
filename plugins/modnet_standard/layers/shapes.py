"""What layers ask of the shape of their input, and the shape that parameters of several members make of it."""

import numpy as np

from modnet import Array, Shape
from modnet.errors import ShapeError


def features(input_shape: Shape) -> int:
    """Return the number of features of rows that have one axis.

    Raises
    ------
    ShapeError
        If they have another number of axes.

    Examples
    --------
    >>> features((3,))
    3
    """
    if len(input_shape) != 1:
        raise ShapeError(f"expected rows of shape (n_features,), got {input_shape}")
    return input_shape[0]


def shape_with(x: Array, *parameters: Array) -> Shape:
    """Return the shape of x, with a leading axis of members in front if parameters have one and x has not.

    Examples
    --------
    >>> shape_with(np.ones((5, 2)), np.ones((1, 2))), shape_with(np.ones((5, 2)), np.ones((3, 1, 2)))
    ((5, 2), (3, 5, 2))
    """
    return np.broadcast(x, *parameters).shape

"""An initializer draws the first values of a parameter."""

import math
from abc import abstractmethod

import numpy as np

from modnet.base.types import Array, Shape
from modnet.component import Component


class Initializer(Component, kind="initializer"):
    """A distribution over arrays of a given shape."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return first values.

        Parameters
        ----------
        rng : numpy.random.Generator
            What to draw them with.
        shape : tuple of int
            Inputs on axis −2, outputs on axis −1.

        Returns
        -------
        ndarray, shape `shape`, float64
            Rounded to float32 where θ is: the same seed gives the same start in both.
        """


def fans(shape: Shape) -> tuple[int, int]:
    """Return fan_in and fan_out: how many inputs feed an output, and how many outputs an input feeds.

    Examples
    --------
    >>> fans((64, 10)), fans((1, 10))
    ((64, 10), (1, 10))
    """
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    return shape[-2], shape[-1]

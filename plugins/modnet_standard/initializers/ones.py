"""Ones: where gains start."""

import numpy as np

from modnet import Array, Initializer, Shape


class Ones(Initializer):
    """All ones: w = 1.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Ones
    >>> Ones().sample(np.random.default_rng(0), (1, 3))
    array([[1., 1., 1.]])
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return ones; `rng` is left alone."""
        return np.ones(shape)

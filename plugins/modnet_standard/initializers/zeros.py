"""Zeros: where biases start."""

import numpy as np

from modnet import Array, Initializer, Shape


class Zeros(Initializer):
    """All zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Zeros
    >>> Zeros().sample(np.random.default_rng(0), (1, 3))
    array([[0., 0., 0.]])
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return zeros; `rng` is left alone."""
        return np.zeros(shape)

"""Constant: every element starts at the same value."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape


class Constant(Initializer):
    """One value everywhere: w = value. For biases: units with equal weights would stay equal.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Constant
    >>> Constant(0.1).sample(np.random.default_rng(0), (1, 3))
    array([[0.1, 0.1, 0.1]])
    """

    value: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return zero, and another value."""
        return cls(), cls(0.1)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return the value everywhere; `rng` is left alone."""
        return np.full(shape, self.value)

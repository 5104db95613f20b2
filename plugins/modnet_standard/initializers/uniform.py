"""Uniform: first values from an interval."""

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Initializer, Shape


class Uniform(Initializer):
    """U(low, high), whatever the shape: variance (high − low)²/12.

    Parameters
    ----------
    low, high : float
        The ends of the interval, low < high.

    Raises
    ------
    InvalidSpecError
        If low is not below high.

    References
    ----------
    ``keras.initializers.RandomUniform``, whose interval it is.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Uniform
    >>> bool(abs(Uniform(-0.2, 0.2).sample(np.random.default_rng(0), (3, 2))).max() <= 0.2)
    True
    """

    low: Annotated[float, Field(allow_inf_nan=False)] = -0.05
    high: Annotated[float, Field(allow_inf_nan=False)] = 0.05

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low={self.low} should be below high={self.high}")
        return self

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(low, high)."""
        return rng.uniform(self.low, self.high, shape)

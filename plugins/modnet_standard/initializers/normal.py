"""Normal: first values from a normal distribution."""

from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape


class Normal(Initializer):
    """N(mean, stddev²), whatever the shape.

    Parameters
    ----------
    mean : float
    stddev : float
        > 0. PyTorch's is 1, which is too much for most layers.

    References
    ----------
    ``keras.initializers.RandomNormal``, whose stddev it is.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Normal
    >>> Normal(stddev=0.1).sample(np.random.default_rng(0), (3, 2)).shape
    (3, 2)
    """

    mean: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    stddev: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.05

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(mean, stddev²)."""
        return rng.normal(self.mean, self.stddev, shape)

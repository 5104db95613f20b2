"""TruncatedNormal: first values from a normal distribution without its tails."""

from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape


class TruncatedNormal(Initializer):
    """N(mean, stddev²) cut off at mean ± 2 stddev: variance 0.774 stddev².

    Parameters
    ----------
    mean : float
    stddev : float
        Standard deviation before the cut, > 0. PyTorch's is 1, which is too much for most layers.

    References
    ----------
    ``keras.initializers.TruncatedNormal``, whose stddev it is.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import TruncatedNormal
    >>> bool(abs(TruncatedNormal(stddev=0.1).sample(np.random.default_rng(0), (30, 20))).max() <= 0.2)
    True
    """

    mean: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    stddev: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.05

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return normal numbers, those in the tails drawn again until there are none."""
        z = rng.standard_normal(shape)
        while (tails := abs(z) > 2).any():
            z[tails] = rng.standard_normal(np.count_nonzero(tails))
        return self.mean + self.stddev * z

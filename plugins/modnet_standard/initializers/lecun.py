"""LeCun's initializers: a linear unit's output has the variance of its inputs."""

import math

import numpy as np

from modnet import Array, Initializer, Shape
from modnet.base.initializer import fans


class LecunUniform(Initializer):
    """U(−r, r) with r = √(3 / fan_in): variance 1 / fan_in, which suits self-normalizing activations such as SELU.

    References
    ----------
    LeCun, Bottou, Orr & Müller (1998), Efficient backprop, in Neural networks: tricks of the trade, eq. 16.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import LecunUniform
    >>> bool(abs(LecunUniform().sample(np.random.default_rng(0), (3, 2))).max() <= 1)
    True
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        r = math.sqrt(3 / fans(shape)[0])
        return rng.uniform(-r, r, shape)


class LecunNormal(Initializer):
    """N(0, s²) with s = √(1 / fan_in), which suits self-normalizing activations such as SELU.

    References
    ----------
    LeCun, Bottou, Orr & Müller (1998), Efficient backprop, in Neural networks: tricks of the trade, eq. 16; Klambauer,
    Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import LecunNormal
    >>> LecunNormal().sample(np.random.default_rng(0), (6, 2)).shape
    (6, 2)
    """

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(0, s²)."""
        return rng.normal(0, math.sqrt(1 / fans(shape)[0]), shape)

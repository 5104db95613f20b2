"""Glorot's initializers: the variance of signals and of gradients stays about the same from layer to layer."""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape
from modnet.base.initializer import fans


class GlorotUniform(Initializer):
    """U(−r, r) with r = gain · √(6 / (fan_in + fan_out)): variance gain² · 2 / (fan_in + fan_out).

    Parameters
    ----------
    gain : float
        Scale, > 0; 1 for tanh and linear layers.

    References
    ----------
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, AISTATS, eq. 16.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import GlorotUniform
    >>> bool(abs(GlorotUniform().sample(np.random.default_rng(0), (4, 2))).max() <= 1)
    True
    """

    gain: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a gain."""
        return cls(), cls(0.5)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        r = self.gain * math.sqrt(6 / sum(fans(shape)))
        return rng.uniform(-r, r, shape)


class GlorotNormal(Initializer):
    """N(0, s²) with s = gain · √(2 / (fan_in + fan_out)).

    Parameters
    ----------
    gain : float
        Scale, > 0; 1 for tanh and linear layers.

    References
    ----------
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, AISTATS, eq. 12.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import GlorotNormal
    >>> GlorotNormal().sample(np.random.default_rng(0), (4, 2)).shape
    (4, 2)
    """

    gain: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a gain."""
        return cls(), cls(0.5)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return N(0, s²)."""
        return rng.normal(0, self.gain * math.sqrt(2 / sum(fans(shape))), shape)

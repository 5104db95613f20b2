"""Identity: a layer that starts by passing on what it gets."""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape


class Identity(Initializer):
    """W = gain · I: ones, times gain, on the diagonal; with more outputs than inputs, or fewer, the rest is zero.

    Matrices along leading axes are all the same; a shape with a single axis is one row.

    Parameters
    ----------
    gain : float
        Value on the diagonal.

    References
    ----------
    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear units,
    arXiv:1504.00941.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Identity
    >>> Identity().sample(np.random.default_rng(0), (3, 2))
    array([[1., 0.],
           [0., 1.],
           [0., 0.]])
    """

    gain: Annotated[float, Field(allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a gain."""
        return cls(), cls(-0.5)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return gain · I; `rng` is left alone."""
        n_in, n_out = shape[-2:] if len(shape) > 1 else (1, math.prod(shape))
        return np.broadcast_to(self.gain * np.eye(n_in, n_out).reshape(shape[-2:]), shape).copy()

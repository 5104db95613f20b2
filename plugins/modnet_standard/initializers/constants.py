"""Initializers without randomness: zeros, ones, given values and the identity matrix.

Most are for biases and gains, since units that start with equal weights stay equal.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from annotated_types import MinLen
from pydantic import Field

from modnet import Array, Initializer, Shape
from modnet.errors import ShapeError


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


class Values(Initializer):
    """Given numbers along the last axis: wⱼ = valuesⱼ in every row; for biases that are known, such as log odds.

    Parameters
    ----------
    values : tuple of float
        One per element of the last axis, or a single one for all.

    Raises
    ------
    ShapeError
        When drawn, if the last axis has another length.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Values
    >>> Values((-2.0, 0.5)).sample(np.random.default_rng(0), (1, 2))
    array([[-2. ,  0.5]])
    """

    values: Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], MinLen(1)] = (0.0,)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a single value, which fits any shape."""
        return (cls((0.5,)),)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return the values in every row; `rng` is left alone."""
        if len(self.values) not in (1, *shape[-1:]):
            raise ShapeError(f"there are {len(self.values)} values, which do not fill shape {shape}")
        return np.broadcast_to(np.array(self.values), shape).copy()


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

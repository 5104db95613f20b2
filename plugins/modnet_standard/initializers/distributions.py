"""Initializers that do not depend on fan_in and fan_out: given values, and distributions of a given width.

The identity and orthogonal matrices are among them: they do not stretch their input.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from annotated_types import MinLen
from pydantic import Field, model_validator

from modnet import Array, Converted, Initializer, Shape, default
from modnet.errors import ShapeError

__all__ = ["Constant", "Identity", "Normal", "Ones", "Orthogonal", "TruncatedNormal", "Uniform", "Values", "Zeros"]


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
        Every element.

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

    values: Converted[
        Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], MinLen(1)], Sequence[float]
    ] = default((0.0,))

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


class Normal(Initializer):
    """N(mean, stddev²), whatever the shape.

    Parameters
    ----------
    mean : float
        Centre of the distribution.
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


class TruncatedNormal(Initializer):
    """N(mean, stddev²) cut off at mean ± 2 stddev: variance 0.774 stddev².

    Parameters
    ----------
    mean : float
        Centre of the distribution.
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


class Orthogonal(Initializer):
    """A random W with WᵀW = gain² I, or WWᵀ = gain² I where there are more outputs than inputs.

    Each such matrix is as likely as any other. Matrices along leading axes are drawn one by one; a shape with a single
    axis is one row.

    Parameters
    ----------
    gain : float
        Scale, > 0; 1 keeps lengths.

    References
    ----------
    Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks, ICLR; Mezzadri (2007), How to generate random matrices from the classical compact groups, Notices AMS 54.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.initializers import Orthogonal
    >>> W = Orthogonal().sample(np.random.default_rng(0), (3, 2))
    >>> np.round(W.T @ W, 12) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """

    gain: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a gain."""
        return cls(), cls(2.0)

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return gain · Q of the decomposition QR of normal numbers, transposed for wide shapes."""
        *stack, n_in, n_out = shape if len(shape) > 1 else (1, math.prod(shape))
        Q, R = np.linalg.qr(rng.standard_normal((*stack, max(n_in, n_out), min(n_in, n_out))))
        # QR leaves the signs of Q's columns to the algorithm; with those of R's diagonal at plus, Q is uniform.
        Q *= np.sign(np.diagonal(R, axis1=-2, axis2=-1))[..., None, :]
        return self.gain * (Q if n_in >= n_out else Q.mT).reshape(shape)

"""GaussianNoise: training adds noise to its inputs, prediction lets them through."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Shape


class GaussianNoise(Module):
    """Additive noise: y = x + ε with ε ~ N(0, stddev²) for each element in training; y = x otherwise.

    The noise does not depend on x: ∂J/∂x = dy. On inputs it acts like a penalty on the slope of the network.

    Parameters
    ----------
    stddev : float
        Standard deviation of the noise, ≥ 0, in units of x.

    References
    ----------
    Bishop (1995), Training with noise is equivalent to Tikhonov regularization, Neural Computation 7.

    Examples
    --------
    >>> from modnet.layers import GaussianNoise
    >>> GaussianNoise(0.05)
    GaussianNoise(stddev=0.05)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    stddev: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.1

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with noise and without."""
        return (cls(), cls(0.0))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x + ε in training, else x."""
        if not ctx.training or self.stddev == 0:
            return x
        noise = ctx.scratch("noise", x.shape, x.dtype)
        ctx.rng.standard_normal(dtype=x.dtype.type, out=noise)
        np.multiply(noise, self.stddev, out=noise)
        return np.add(x, noise, out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy."""
        return dy

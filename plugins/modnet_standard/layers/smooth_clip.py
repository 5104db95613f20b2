"""SmoothClip: large values are bounded, small ones hardly change, and there is no kink."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Shape


class SmoothClip(Module):
    """Values drawn smoothly into (−limit, limit): y = x / √(1 + (x/limit)²), ∂J/∂x = dy / (1 + (x/limit)²)^(3/2).

    Behind a layer that standardizes or scales, it keeps outliers from ruling the network.

    Parameters
    ----------
    limit : float
        What |y| stays below, > 0.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37 (with limit 3).

    Examples
    --------
    >>> from modnet.layers import SmoothClip
    >>> SmoothClip(), SmoothClip(2.0)
    (SmoothClip(), SmoothClip(limit=2.0))
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x r with r = 1 / √(1 + (x/limit)²)."""
        r = ctx.scratch("r", x.shape, x.dtype)
        np.divide(x, self.limit, out=r)
        np.square(r, out=r)
        np.add(r, 1, out=r)
        np.sqrt(r, out=r)
        np.reciprocal(r, out=r)
        return np.multiply(x, r, out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy r³."""
        r = ctx.scratch("r", dy.shape, dy.dtype)
        dx: Array = np.multiply(r, r, out=ctx.dx)
        np.multiply(dx, r, out=dx)
        return np.multiply(dx, dy, out=dx)

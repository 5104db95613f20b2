"""Layers that bound their input: by cutting it off, or smoothly.

In front of a network they keep outliers from ruling it.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Context
from modnet_standard.layers.inputs import Elementwise

Bound = Annotated[float, Field(allow_inf_nan=False)]


class Clip(Elementwise):
    """Values held between two bounds: y = min(max(x, low), high), ∂J/∂x = dy where low ≤ x ≤ high, else 0.

    Parameters
    ----------
    low, high : float, optional
        The bounds, low ≤ high; None: there is none on that side. One of them is needed.

    Raises
    ------
    InvalidSpecError
        If there is no bound, or low is above high.

    Examples
    --------
    >>> from modnet.layers import Clip
    >>> Clip(-3.0, 3.0)
    Clip(low=-3.0, high=3.0)
    >>> Clip(high=10.0)
    Clip(high=10.0)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x", "y"})

    low: Bound | None = None
    high: Bound | None = None

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with both bounds and with one of them."""
        return (cls(-1.0, 0.5), cls(low=-0.5), cls(high=0.5))

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("low, high or both should be given")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low should be at most high, got low={self.low}, high={self.high}")
        return self

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return min(max(x, low), high)."""
        return np.clip(x, self.low, self.high, out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy where y = x, else 0."""
        return np.multiply(dy, np.equal(ctx.x, ctx.y), out=ctx.dx)


class SmoothClip(Elementwise):
    """Values squeezed smoothly into (−limit, limit): y = x / √(1 + (x/limit)²), ∂J/∂x = dy / (1 + (x/limit)²)^(3/2).

    Behind a layer that standardizes or scales, it keeps outliers from ruling the network.

    Parameters
    ----------
    limit : float
        The bound that |y| stays below, > 0.

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

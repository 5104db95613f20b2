"""Clip: values beyond a bound are set to it."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Context, Module, Shape

Bound = Annotated[float, Field(allow_inf_nan=False)]


class Clip(Module):
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

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return min(max(x, low), high)."""
        return np.clip(x, self.low, self.high, out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy where y = x, else 0."""
        return np.multiply(dy, np.equal(ctx.x, ctx.y), out=ctx.dx)

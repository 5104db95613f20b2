"""GaussianDropout: training multiplies its inputs by noise around 1, prediction lets them through."""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Shape
from modnet_standard.layers.noise import last_mask


class GaussianDropout(Module):
    """Multiplicative noise: y = x ∘ m with m ~ N(1, rate / (1 − rate)) in training; y = x otherwise.

    Mean and variance of m are those of dropout's mask at the same rate, and no element is lost altogether. The
    derivative has the same noise: ∂J/∂x = dy ∘ m.

    Parameters
    ----------
    rate : float
        Rate of the dropout that it stands for, in [0, 1).

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout: a simple way to prevent neural networks
    from overfitting, JMLR 15, sec. 10.

    Examples
    --------
    >>> from modnet.layers import GaussianDropout
    >>> GaussianDropout(0.2)
    GaussianDropout(rate=0.2)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    rate: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with noise and without."""
        return (cls(), cls(0.0))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ m in training, else x."""
        if not ctx.training or self.rate == 0:
            return x
        mask = ctx.scratch("mask", x.shape, x.dtype)
        ctx.rng.standard_normal(dtype=x.dtype.type, out=mask)
        np.multiply(mask, math.sqrt(self.rate / (1 - self.rate)), out=mask)
        np.add(mask, 1, out=mask)
        return np.multiply(x, mask, out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ m."""
        if not ctx.training or self.rate == 0:
            return dy
        return np.multiply(dy, last_mask(ctx, dy), out=ctx.dx)

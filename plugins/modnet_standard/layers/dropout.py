"""Dropout: training drops a random part of its inputs, prediction lets everything through."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Shape
from modnet_standard.layers.noise import drawn_mask, last_mask


class Dropout(Module):
    """Inverted dropout: y = x ∘ m / (1 − rate) in training, where m is 1 with probability 1 − rate; y = x otherwise.

    The expectation of y is x, so prediction needs no scaling. The derivative has the same mask:
    ∂J/∂x = dy ∘ m / (1 − rate).

    Parameters
    ----------
    rate : float
        Probability that an element is dropped, in [0, 1).

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout: a simple way to prevent neural networks
    from overfitting, JMLR 15, sec. 4 and 10 (inverted scaling).

    Examples
    --------
    >>> from modnet.layers import Dropout
    >>> Dropout(0.2)
    Dropout(rate=0.2)
    >>> Dropout(1.0)
    Traceback (most recent call last):
    ...
    modnet.errors.InvalidSpecError: Dropout: rate: should be less than 1, got 1.0
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    rate: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it dropping half of its input, some and nothing."""
        return (cls(), cls(0.2), cls(0.0))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ m / (1 − rate) in training, else x."""
        if not ctx.training or self.rate == 0:
            return x
        return np.multiply(x, drawn_mask(ctx, x, self.rate, 1 / (1 - self.rate)), out=ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ m / (1 − rate)."""
        if not ctx.training or self.rate == 0:
            return dy
        return np.multiply(dy, last_mask(ctx, dy), out=ctx.dx)

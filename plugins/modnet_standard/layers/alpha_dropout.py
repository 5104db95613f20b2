"""AlphaDropout: dropout for self-normalizing networks, which keeps the mean and the variance of its input."""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Shape
from modnet_standard.layers.noise import drawn_mask, last_mask

_ALPHA = 1.7580993408473766
"""λα of SELU: −λα is the value it saturates at, and what a dropped element is set to."""


class AlphaDropout(Module):
    """Dropout for SELU: y = a (x ∘ m − λα (1 − m)) + b in training, where m is 1 with probability 1 − rate; else y = x.

    a = 1 / √((1 − rate) (1 + rate (λα)²)) and b = a λα rate keep mean 0 and variance 1 as they are. The derivative has
    the same mask: ∂J/∂x = a dy ∘ m.

    Parameters
    ----------
    rate : float
        Probability that an element is dropped, in [0, 1).

    References
    ----------
    Klambauer, Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks, NeurIPS 30.

    Examples
    --------
    >>> from modnet.layers import AlphaDropout, Dense
    >>> [Dense(64, activation="tanh"), AlphaDropout(0.1)][1]
    AlphaDropout(rate=0.1)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    rate: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it dropping half of its input, some and nothing."""
        return (cls(), cls(0.1), cls(0.0))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return (x + λα) ∘ a m + b − a λα in training, else x."""
        if not ctx.training or self.rate == 0:
            return x
        a = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * _ALPHA**2))
        y: Array = np.add(x, _ALPHA, out=ctx.out)
        np.multiply(y, drawn_mask(ctx, x, self.rate, a), out=y)
        return np.add(y, a * _ALPHA * (self.rate - 1), out=y)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return a dy ∘ m."""
        if not ctx.training or self.rate == 0:
            return dy
        return np.multiply(dy, last_mask(ctx, dy), out=ctx.dx)

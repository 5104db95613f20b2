"""Dropout: one pass from the uniform numbers to the output, and the same numbers again for the gradient."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import Array, Context, Module, Shape, Slot
from modnet.layers import Dropout
from modnet_numba.compiling import kernel, readable
from modnet_numba.randomness import draw


@kernel
def _drop(x: Array, uniform: Array, rate: float, y: Array) -> None:
    """Write y = x ∘ m / (1 − rate), where m is 1 if the uniform number is not below the rate."""
    limit, kept = x.dtype.type(rate), x.dtype.type(1 / (1 - rate))
    x, uniform, y = x.ravel(), uniform.reshape(uniform.size), y.reshape(y.size)
    for i in range(x.size):
        y[i] = x[i] * (kept if uniform[i] >= limit else x.dtype.type(0))


class FusedDropout(Module):
    """Dropout, fused: it draws the same numbers as the original, and drops the same elements bit by bit.

    Parameters
    ----------
    dropout : Dropout
        The original.
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    dropout: Slot[Dropout]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it dropping half of its input, some and nothing."""
        return tuple(cls(example) for example in Dropout.examples())

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ m / (1 − rate) in training, else x."""
        if not ctx.training or self.dropout.rate == 0:
            return x
        uniform = ctx.scratch("uniform", x.shape, x.dtype)
        draw(ctx.rng, uniform)
        return self._dropped(x, uniform, ctx.out)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ m / (1 − rate)."""
        if not ctx.training or self.dropout.rate == 0:
            return dy
        return self._dropped(dy, ctx.scratch("uniform", dy.shape, dy.dtype), ctx.dx)

    def _dropped(self, x: Array, uniform: Array, out: Array | None) -> Array:
        y = np.empty(x.shape, x.dtype) if out is None else out
        _drop(readable(x), uniform, self.dropout.rate, y)
        return y

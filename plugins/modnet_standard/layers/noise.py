"""Random masks, as dropout and its relatives draw them."""

import numpy as np

from modnet import Array, Context


def drawn_mask(ctx: Context, x: Array, rate: float, kept: float) -> Array:
    """Return a mask like x: 0 with probability `rate`, `kept` otherwise; `last_mask` finds it again."""
    uniform = ctx.scratch("uniform", x.shape, x.dtype)
    ctx.rng.random(dtype=x.dtype.type, out=uniform)
    mask = ctx.scratch("mask", x.shape, x.dtype)
    np.greater_equal(uniform, rate, out=mask)
    return np.multiply(mask, kept, out=mask)


def last_mask(ctx: Context, dy: Array) -> Array:
    """Return the mask of the forward pass."""
    return ctx.scratch("mask", dy.shape, dy.dtype)

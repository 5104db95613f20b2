"""Two layers as they should be, for tests that change a line of them."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from modnet import Array, Context, Module, Parameter
from modnet.errors import ShapeError
from modnet.initializers import GlorotUniform, Zeros


class Affine(Module):
    """Y = x W + b, as it should be."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def output_shape(self, input_shape):
        if len(input_shape) != 1:
            raise ShapeError(f"takes rows of one axis, got {input_shape}")
        return input_shape

    def parameters(self, input_shape) -> Mapping[str, Parameter]:
        n = input_shape[-1]
        return {"W": Parameter((n, n), GlorotUniform()), "b": Parameter((1, n), Zeros(), regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        z = np.matmul(x, ctx.p.W, out=ctx.out)
        return np.add(z, ctx.p.b, out=z)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        np.matmul(ctx.x.mT, dy, out=ctx.g.W)
        np.sum(dy, axis=-2, keepdims=True, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        return np.matmul(dy, ctx.p.W.mT, out=ctx.dx)


class Noise(Module):
    """Y = x + noise, as it should be; others draw it from elsewhere."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def draw(self, ctx, x):
        return ctx.rng.normal(size=x.shape) if ctx.training else 0

    def forward(self, ctx, x):
        return (x + self.draw(ctx, x)).astype(x.dtype)

    def grad_input(self, ctx, dy):
        return dy

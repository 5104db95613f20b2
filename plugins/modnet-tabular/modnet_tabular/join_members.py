"""JoinMembers: the members of an ensemble side by side, as one plain row."""

from typing import ClassVar

import numpy as np

from modnet import Array, Context, Module, Shape
from modnet_tabular.arrays import joined, members


class JoinMembers(Module):
    """The members of an ensemble side by side: y = [x₁, …, x_k], a row of k · n_in columns out of one of (k, n_in).

    Behind it `column_dense` with ``inputs=n_in`` is a head per member.

    Raises
    ------
    ShapeError
        If the rows do not have an axis of members and one of features.

    Examples
    --------
    >>> from modnet_tabular import JoinMembers
    >>> JoinMembers().output_shape((32, 64))
    (2048,)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of three members and five features."""
        return rng.normal(size=(n, 3, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (k · n_in,)."""
        k, n = members(input_shape)
        return (k * n,)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [x₁, …, x_k]."""
        if ctx.out is None:
            return joined(x).copy()
        ctx.out[...] = joined(x)
        return ctx.out

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy, dealt out to the members."""
        if ctx.dx is None:
            return dy.reshape(ctx.x.shape).copy()
        ctx.dx[...] = dy.reshape(ctx.x.shape)
        return ctx.dx

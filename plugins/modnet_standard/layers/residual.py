"""Residual: a shortcut around a stack of layers, y = x + f(x)."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import MinLen

from modnet import AnyModule, Array, Context, Module, Shape
from modnet.base import Links, located, shape_through
from modnet.errors import ShapeError
from modnet_standard.activations.tanh import Tanh
from modnet_standard.layers.dense import Dense


class Residual(Module):
    """A residual block: y = x + f(x), where f is the layers of `body`, one after the other.

    The gradient takes both ways, ∂J/∂x = dy + ∂J/∂x through f; so it reaches the first layers of a deep network
    undiminished.

    Parameters
    ----------
    body : tuple of Module
        The layers of f, at least one. Their output has the shape of their input.

    Raises
    ------
    ShapeError
        If f changes the shape.

    References
    ----------
    He, Zhang, Ren & Sun (2016), Deep residual learning for image recognition, CVPR, eq. 1.

    Examples
    --------
    >>> from modnet.layers import Dense, Residual
    >>> block = Residual([Dense(8, activation="relu"), Dense(3)])
    >>> block.output_shape((3,))
    (3,)
    >>> block.output_shape((4,))
    Traceback (most recent call last):
    ...
    modnet.errors.ShapeError: body should keep the shape of its input, (4,), got (3,): end it with Dense(4)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    body: Annotated[tuple[AnyModule, ...], MinLen(1)]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a block for rows of five features."""
        return (cls((Dense(4, Tanh()), Dense(5))),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        found = shape_through(self.body, input_shape)
        if found != input_shape:
            remedy = f"end it with Dense({input_shape[-1]})"
            raise ShapeError(f"body should keep the shape of its input, {input_shape}, got {found}: {remedy}")
        return input_shape

    def chains(self) -> tuple[Links, ...]:
        """Return f."""
        return (located("body", self.body),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = x + f(x)."""
        return np.add(x, ctx.children[0].forward(x), out=ctx.out)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of f's parameters."""
        ctx.children[0].grad_params(dy)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dy + ∂J/∂x through f."""
        return np.add(dy, ctx.children[0].grad_input(), out=ctx.dx)

"""Layers that give rows another shape and leave their elements as they are."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self, final

import numpy as np
from annotated_types import MinLen
from pydantic import Field, model_validator

from modnet import Array, Context, Graph, Module, Shape, Value
from modnet.errors import ShapeError

__all__ = ["Flatten", "Reshape"]


class Reshaping(Module):
    """A layer whose output is its input in another shape, element by element; so ∂J/∂x is dy in the shape of x."""

    reads: ClassVar[frozenset[str]] = frozenset()
    fixed: ClassVar[bool] = True

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return n rows of shape (2, 3)."""
        return rng.normal(size=(n, 2, 3))

    @abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, which has as many elements as the input."""

    @final
    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x in the shape of y."""
        return x.reshape(len(x), *self.output_shape(ctx.input_shape))

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x.reshape(0, *self.output_shape(graph.input_shape))

    @final
    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy in the shape of x."""
        return dy.reshape(len(dy), *ctx.input_shape)


class Flatten(Reshaping):
    """Rows of several axes as rows of one: y = x, of shape (n, a · b · …) for x of shape (n, a, b, …).

    The last axis moves fastest, as in ``x.reshape(len(x), -1)``; ∂J/∂x is dy in the shape of x.

    Examples
    --------
    >>> from modnet.layers import Flatten
    >>> Flatten().output_shape((8, 8, 3))
    (192,)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (a · b · …,)."""
        return (math.prod(input_shape),)


class Reshape(Reshaping):
    """Rows in another shape: y = x, of the shape asked for.

    The last axis moves fastest, as in ``x.reshape(len(x), *shape)``; ∂J/∂x is dy in the shape of x.

    Parameters
    ----------
    shape : tuple of int
        Lengths of the axes of a row, without that of the batch; one of them may be −1: what the others leave over.

    Raises
    ------
    ShapeError
        If a row has not as many elements.

    Examples
    --------
    >>> from modnet.layers import Reshape
    >>> Reshape((-1, 3)).output_shape((12,))
    (4, 3)
    >>> Reshape((5, 3)).output_shape((12,))
    Traceback (most recent call last):
    ...
    modnet.errors.ShapeError: rows of shape (12,) have 12 elements, which shape=(5, 3) does not hold
    """

    shape: Annotated[tuple[Annotated[int, Field(ge=-1)], ...], MinLen(1)]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with all lengths given, and with one to be worked out; for rows of six elements."""
        return (cls((3, 2)), cls((-1,)), cls((2, 1, -1)))

    @model_validator(mode="after")
    def _one_to_work_out(self) -> Self:
        if 0 in self.shape or self.shape.count(-1) > 1:
            raise ValueError(f"shape should hold lengths from 1, and -1 at most once, got {self.shape}")
        return self

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape, with what the other axes leave over in place of −1."""
        size, known = math.prod(input_shape), math.prod(length for length in self.shape if length > 0)
        shape = tuple(length if length > 0 else size // known for length in self.shape)
        if math.prod(shape) != size:
            raise ShapeError(
                f"rows of shape {input_shape} have {size} elements, which shape={self.shape} does not hold"
            )
        return shape

"""Columns: some of a table's columns, for a branch.

They are chosen by position, by name or by what is in them.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import MinLen
from numpy.typing import NDArray
from pydantic import model_validator

from modnet import Array, Context, Converted, Graph, Module, Parameter, Shape, Value, default
from modnet.base import Column, ColumnType, TableShape
from modnet.errors import ShapeError
from modnet_standard.initializers.distributions import Values
from modnet_standard.layers.inputs import expected, features

__all__ = ["Columns"]

Chosen = Annotated[int | str, expected("a position, which is a whole number, or a name")]


class Columns(Module):
    """Some columns of the input: y = x[:, index], chosen by position, by name or by what is in them.

    Columns lie along the last axis. The others get no gradient: ∂J/∂x is dy in the columns chosen and 0 elsewhere. With
    a branch per selection `Parallel` treats every kind of column in its own way.

    Parameters
    ----------
    columns : tuple of int or str, optional
        Positions, from the end if negative, and names, in the order in which they are wanted; none twice.
    dtype : {"number", "category", "bool"}, optional
        Instead of columns: all that hold numbers, categories, or True and False.

    Raises
    ------
    InvalidSpecError
        If not exactly one of the two is given, or a column is named twice.
    ShapeError
        If there is no such column, or names are asked for where columns have none: a data frame gives them, and every
        layer that keeps its input's shape passes them on.

    Examples
    --------
    >>> from modnet.base import Column, TableShape
    >>> from modnet.layers import Columns
    >>> Columns((0, -1)).output_shape((5,))
    (2,)
    >>> table = TableShape([Column("age"), Column("town", "category"), Column("income")])
    >>> [column.name for column in Columns(dtype="number").output_shape(table).columns]
    ['age', 'income']
    >>> Columns(["agee"]).output_shape(table)
    Traceback (most recent call last):
    ...
    modnet.errors.ShapeError: there is no column 'agee'; did you mean 'age'? there are age, town, income
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_sparse: ClassVar[bool] = True
    takes_columns: ClassVar[bool] = True
    fixed: ClassVar[bool] = True

    columns: Converted[Annotated[tuple[Chosen, ...], MinLen(1)] | None, Sequence[int | str] | None] = default(None)
    dtype: ColumnType | None = None

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with one column and several, out of five."""
        return (cls((3,)), cls((0, -1, 1)))

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.columns is None) == (self.dtype is None):
            raise ValueError("give columns or dtype, one of the two")
        if self.columns is not None and len(set(self.columns)) < len(self.columns):
            raise ValueError(f"columns should differ, got {self.columns}")
        return self

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, k) for k columns, as a table where the input is one."""
        index = self._index(input_shape)
        if isinstance(input_shape, TableShape):
            return TableShape(input_shape.columns[i] for i in index)
        return (*input_shape[:-1], len(index))

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the positions of the columns as state, shape (1, k)."""
        index = self._index(input_shape)
        values = Values(tuple(float(i) for i in index))
        return {"index": Parameter((1, len(index)), values, trainable=False, regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x[:, index]."""
        if not isinstance(x, np.ndarray):
            chosen: Array = x[:, _positions(ctx)].toarray()
            return chosen
        return np.take(x, _positions(ctx), axis=-1, out=ctx.out, mode="clip")  # NumPy buffers `out` in other modes

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x.take(self._index(graph.input_shape))

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return zeros with dy in the columns chosen."""
        dx = np.empty((*dy.shape[:-1], ctx.x.shape[-1]), dy.dtype) if ctx.dx is None else ctx.dx
        dx.fill(0)
        dx[..., _positions(ctx)] = dy
        return dx

    def _index(self, input_shape: Shape) -> list[int]:
        """Return the positions of the columns, from 0.

        Raises
        ------
        ShapeError
            If there is no such column, or one is chosen twice.
        """
        n = features(input_shape)
        if self.columns is None:
            columns = _columns(input_shape, f"dtype {self.dtype!r}")
            index = [i for i, column in enumerate(columns) if column.dtype == self.dtype]
            if not index:
                there = ", ".join(f"{column.name} ({column.dtype})" for column in columns)
                raise ShapeError(f"there is no column of dtype {self.dtype!r}; there are {there}")
            return index
        index = [_position(column, input_shape, n) for column in self.columns]
        for i, column in enumerate(self.columns):
            if index[i] in index[:i]:
                first = self.columns[index.index(index[i])]
                raise ShapeError(f"columns should differ, but {first!r} and {column!r} are the same one")
        return index


def _position(column: int | str, input_shape: Shape, n: int) -> int:
    """Return the position of a column, from 0."""
    if isinstance(column, int):
        if not -n <= column < n:
            raise ShapeError(f"there is no column {column}: the input has {n}, which are 0 to {n - 1} or -{n} to -1")
        return column % n
    names = [each.name for each in _columns(input_shape, f"column {column!r}")]
    if column not in names:
        close = difflib.get_close_matches(column, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ShapeError(f"there is no column {column!r}; {hint}there are {', '.join(names)}")
    return names.index(column)


def _columns(input_shape: Shape, wanted: str) -> tuple[Column, ...]:
    """Return the columns of a table."""
    if isinstance(input_shape, TableShape):
        return input_shape.columns
    raise ShapeError(
        f"{wanted} was asked for, but the columns have no names here: X should be a data frame with column names, and "
        "between it and this layer only layers that keep the shape of their input"
    )


def _positions(ctx: Context) -> NDArray[np.intp]:
    """Return the positions of the columns."""
    positions: NDArray[np.intp] = ctx.s.index[0].astype(np.intp)
    return positions

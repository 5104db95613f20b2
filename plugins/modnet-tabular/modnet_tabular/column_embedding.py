"""ColumnEmbedding: columns of codes, each by its size: few categories become one-hot columns, many a learnt table."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.sparse import csc_array

from modnet import Array, Context, Converted, Count, Graph, Parameter, Shape, Value, default
from modnet.errors import ShapeError
from modnet.initializers import Normal, Zeros
from modnet_standard.layers.codes import CodesLayer, category_counts, known_codes
from modnet_tabular.arrays import features


class ColumnEmbedding(CodesLayer):
    """Codes by the size of their column: y = [onehot(xⱼ)] of columns with few categories, then [Eⱼ[xⱼ]] of the others.

    `embedding` gives every column rows of one length; here columns with few categories, whose one-hot columns are
    shorter, get no table, and the tables of the others may differ in length. (A learnt mark of the column itself, as
    attention needs it to tell columns apart, would say nothing new to a dense layer, which has a bias.) A missing code
    is zero in all one-hot columns, and a row Uⱼ of its own beside a table, as in `embedding`.

    Parameters
    ----------
    units : int or tuple of int
        Length of a table's rows: of every table, or one per column, those of one-hot columns being ignored.
    one_hot : int
        Up to how many categories a column becomes one-hot columns, ≥ 0.
    categories : int or tuple of int, optional
        Number of categories, with codes 0, 1, …: that of every column, or one per column. None: as the columns of a
        data frame say.
    handle_unknown : {"error", "missing"}
        What becomes of a code that is no category's; see `embedding`.

    Raises
    ------
    InvalidSpecError
        If there are several units, and not one per number of categories.
    ShapeError
        If there is not one number of categories, or of units, per column, or the columns do not say how many there are.
    InputError
        For a code that is not a category's, where that is an error.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37 (one-hot up to 8 categories, tables of length 8 beyond). Guo & Berkhahn (2016), Entity embeddings
    of categorical variables, arXiv:1604.06737.

    Examples
    --------
    >>> from modnet_tabular import ColumnEmbedding
    >>> ColumnEmbedding(units=(8, 8, 16), categories=(2, 50, 1000)).output_shape((3,))
    (26,)
    """

    units: Converted[Count | tuple[Count, ...], int | Sequence[int]] = default(8)
    one_hot: Annotated[int, Field(ge=0)] = 8

    @model_validator(mode="after")
    def _units_per_column(self) -> Self:
        units, categories = self.units, self.categories
        if isinstance(units, tuple) and isinstance(categories, tuple) and len(units) != len(categories):
            raise ValueError(f"units should be one number, or {len(categories)}, one per column")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both kinds of columns, only one of them, and tables of several lengths."""
        mixed = (3, 9, 3, 12, 9)
        return (
            cls(categories=3),
            cls(categories=3, one_hot=0),
            cls((1, 2, 1, 3, 2), categories=mixed, handle_unknown="missing"),
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the one-hot columns and the tables' columns."""
        return (sum(length or count for _, count, length in self._columns(input_shape)),)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return Eⱼ, shape (categories, units), and Uⱼ, shape (1, units), of every column j that has a table."""
        tables = [(j, count, length) for j, count, length in self._columns(input_shape) if length]
        return {f"E{j}": Parameter((count, length), Normal(stddev=1.0)) for j, count, length in tables} | {
            f"U{j}": Parameter((1, length), Zeros()) for j, _, length in tables
        }

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [onehot(xⱼ)] and [Eⱼ[xⱼ]], with Uⱼ for what is missing."""
        counts = category_counts(self.categories, ctx.input_shape)
        known = known_codes(x, counts, self.handle_unknown, ctx.input_shape)
        # The row in [E; U], E above U.
        rows = ctx.scratch("rows", x.shape, np.intp)
        rows[...] = np.where(known, x, counts)
        parts = [
            _looked_up(getattr(ctx.p, f"E{j}"), getattr(ctx.p, f"U{j}"), rows[:, j])
            if length
            else (rows[:, j, np.newaxis] == np.arange(count)).astype(x.dtype)
            for j, count, length in self._columns(ctx.input_shape)
        ]
        return np.concatenate(parts, axis=1, out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y; a code that is none is missing, as nothing can be raised there."""
        parts = []
        for j, count, length in self._columns(graph.input_shape):
            code = x.part(j, j + 1)
            if not length:
                parts.append(code.equal(np.arange(float(count))).astype(graph.dtype))
                continue
            known = (code >= 0) & (code < count) & code.equal(graph.op("Floor", code))
            row = graph.where(known, code, float(count)).astype(np.int64).reshape(-1)
            table = graph.concat([getattr(graph.p, f"E{j}"), getattr(graph.p, f"U{j}")], axis=0)
            parts.append(graph.op("Gather", table, row, axis=0))
        return graph.concat(parts)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂[Eⱼ; Uⱼ] = hᵀ dy: each row of dy is added to the row of the table that it came from."""
        rows = ctx.scratch("rows", ctx.x.shape, np.intp)
        columns = self._columns(ctx.input_shape)
        ends = accumulate(length or count for _, count, length in columns)
        for (j, count, length), end in zip(columns, ends, strict=True):
            if length:
                h_T = csc_array(
                    (np.ones(len(dy), dy.dtype), rows[:, j], np.arange(len(dy) + 1)), shape=(count + 1, len(dy))
                )
                gradient = h_T @ dy[:, end - length : end]
                getattr(ctx.g, f"E{j}")[...], getattr(ctx.g, f"U{j}")[...] = gradient[:count], gradient[count:]

    def _columns(self, input_shape: Shape) -> list[tuple[int, int, int]]:
        """Return position, number of categories and length of the table's rows, 0 for one-hot columns, which go first.

        Raises
        ------
        ShapeError
            If there are several units, and not one per column, or the rows have more than one axis.
        """
        features(input_shape)
        counts = category_counts(self.categories, input_shape)
        units = self.units if isinstance(self.units, tuple) else (self.units,) * len(counts)
        if len(units) != len(counts):
            raise ShapeError(f"expected {len(units)} columns of codes, one per number in units, got {len(counts)}")
        lengths = [0 if count <= self.one_hot else length for count, length in zip(counts, units, strict=True)]
        return sorted(zip(range(len(counts)), counts, lengths, strict=True), key=lambda column: column[2] > 0)


def _looked_up(E: Array, U: Array, rows: NDArray[np.intp]) -> Array:
    """Return the rows of [E; U], which nobody puts together: E may be large."""
    y: Array = np.take(E, rows, axis=0, mode="clip")
    y[rows == len(E)] = U
    return y

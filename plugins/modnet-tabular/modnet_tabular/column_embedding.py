"""ColumnEmbedding: columns of codes, each by its size: few categories become one-hot columns, many a learnt table."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from annotated_types import MinLen
from pydantic import Field, model_validator

from modnet import Array, Context, Converted, Count, Module, Shape, default
from modnet.base import Links
from modnet.errors import ShapeError
from modnet.layers import Columns, Embedding, OneHot, Parallel, Sequential
from modnet_tabular.arrays import features


class ColumnEmbedding(Module):
    """Codes by the size of their column: y = [onehot(xⱼ)] of columns with few categories, then [Eⱼ[xⱼ]] of the others.

    `embedding` gives every column rows of one length; here columns with few categories, whose one-hot columns are
    shorter, get no table, and the tables of the others may differ in length. (A learnt mark of the column itself, as
    attention needs it to tell columns apart, would say nothing new to a dense layer, which has a bias.)

    Parameters
    ----------
    categories : tuple of int
        Number of categories per column, with codes 0, 1, …
    units : int or tuple of int
        Length of a table's rows: of every table, or one per column, those of one-hot columns being ignored.
    one_hot : int
        Up to how many categories a column becomes one-hot columns, ≥ 0.
    handle_unknown : {"error", "missing"}
        What becomes of a code that is no category's; see `embedding`.

    Raises
    ------
    InvalidSpecError
        If there are several units, and not one per column.
    ShapeError
        If there is not one number of categories per column.
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
    >>> ColumnEmbedding((2, 50, 1000), units=(8, 8, 16)).output_shape((3,))
    (26,)
    """

    reads: ClassVar[frozenset[str]] = frozenset()
    takes_codes: ClassVar[bool] = True
    takes_missing: ClassVar[bool] = True

    categories: Converted[Annotated[tuple[Count, ...], MinLen(1)], Sequence[int]]
    units: Converted[Count | tuple[Count, ...], int | Sequence[int]] = default(8)
    one_hot: Annotated[int, Field(ge=0)] = 8
    handle_unknown: Literal["error", "missing"] = "error"

    @model_validator(mode="after")
    def _units_per_column(self) -> Self:
        if isinstance(self.units, tuple) and len(self.units) != len(self.categories):
            raise ValueError(f"units should be one number, or {len(self.categories)}, one per column")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both kinds of columns, only one of them, and tables of several lengths."""
        few, mixed = (3, 3, 3, 3, 3), (3, 9, 3, 12, 9)
        return (cls(few), cls(few, one_hot=0), cls(mixed, (1, 2, 1, 3, 2), handle_unknown="missing"))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of five codes, some of them missing."""
        return rng.choice([0.0, 1.0, 2.0, -1.0, np.nan], (n, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the one-hot columns and the tables' columns."""
        if features(input_shape) != len(self.categories):
            raise ShapeError(
                f"expected {len(self.categories)} columns of codes, one per number in categories, got {input_shape[0]}"
            )
        return self._branches().output_shape(input_shape)

    def chains(self) -> tuple[Links, ...]:
        """Return the branches as one layer."""
        return ((("columns", self._branches()),),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return what the branches make of the columns."""
        return ctx.children[0].forward(x)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of the tables."""
        ctx.children[0].grad_params(dy)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return zeros: there is nothing between two codes."""
        return ctx.children[0].grad_input()

    def _branches(self) -> Parallel:
        """Return a branch of one-hot columns, and one for each length of tables."""
        units = self.units if isinstance(self.units, tuple) else (self.units,) * len(self.categories)
        groups: dict[int, list[int]] = {}
        for j, (count, length) in enumerate(zip(self.categories, units, strict=True)):
            groups.setdefault(0 if count <= self.one_hot else length, []).append(j)
        return Parallel(tuple(self._branch(length, tuple(columns)) for length, columns in sorted(groups.items())))

    def _branch(self, length: int, columns: tuple[int, ...]) -> Sequential:
        categories = tuple(self.categories[j] for j in columns)
        codes = (
            Embedding(categories, length, self.handle_unknown) if length else OneHot(categories, self.handle_unknown)
        )
        return Sequential((Columns(columns), codes))

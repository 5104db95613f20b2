"""OneHot: every category of a column becomes a column of its own."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import Array, Context, Module, Shape
from modnet_standard.layers.codes import Categories, Unknown, category_counts, example_codes, known_codes


class OneHot(Module):
    """One-hot columns for codes: y = [x₁ = 0], [x₁ = 1], …, [x_d = c_d − 1], which are 1 where true and 0 elsewhere.

    A missing code, NaN or −1, is 0 in all columns. ∂J/∂x = 0: there is nothing between two codes.

    Parameters
    ----------
    categories : int or tuple of int
        Number of categories, with codes 0, 1, …: that of every column, or one per column.
    handle_unknown : {"error", "missing"}
        What becomes of a code that is no whole number below categories: an error, or zeros as for the missing.

    Raises
    ------
    ShapeError
        If there is not one number of categories per column.
    InputError
        For a code that is not a category's, where that is an error.

    Examples
    --------
    >>> from modnet.layers import OneHot
    >>> OneHot((7, 12)).output_shape((2,))
    (19,)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_codes: ClassVar[bool] = True
    takes_missing: ClassVar[bool] = True

    categories: Categories
    handle_unknown: Unknown = "error"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it for any number of columns, and for five with categories of their own."""
        return (cls(3), cls((3, 4, 5, 3, 3), handle_unknown="missing"))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of codes, some of them missing."""
        return example_codes(self.categories, rng, n)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (sum of categories,)."""
        return (sum(category_counts(self.categories, input_shape)),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [xⱼ = k] for all categories k of all columns j."""
        counts = category_counts(self.categories, x.shape[-1:])
        if self.handle_unknown == "error":
            known_codes(x, counts, self.handle_unknown)
        codes = np.concatenate([np.arange(count, dtype=x.dtype) for count in counts])
        repeated = np.repeat(x, counts, axis=-1)
        y: Array = repeated if ctx.out is None else ctx.out
        np.equal(repeated, codes, out=y)
        return y

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return zeros."""
        dx = np.empty(ctx.x.shape, dy.dtype) if ctx.dx is None else ctx.dx
        dx.fill(0)
        return dx

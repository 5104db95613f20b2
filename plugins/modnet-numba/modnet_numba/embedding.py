"""Learnt rows for codes of categories: looked up in one pass, their gradient added up in another."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import Array, Context, Module, Parameter, Shape, Slot
from modnet.layers import Embedding
from modnet_numba.compiling import RECORDER, kernel, part, readable
from modnet_numba.products import by_rows


@part
def _place(code: float, count: int) -> int:
    """Return the row of a table that stands for a code; −1 for one that is no category's."""
    return int(code) if code >= 0 and code < count and code == np.floor(code) else -1


@kernel
def _look_up(
    x: Array, coded: Array, counts: Array, rest: Array, E: Array, U: Array, missing_only: bool, y: Array
) -> None:
    """Write y = [what passes, E₁[x₁], …, E_d[x_d]], with U's rows where there is no category; NaN for a wrong code."""
    units = E.shape[1]
    for i in range(x.shape[0]):
        for j in range(rest.size):
            y[i, j] = x[i, rest[j]]
        table, at = 0, rest.size
        for j in range(coded.size):
            code = x[i, coded[j]]
            place = _place(code, counts[j])
            if place >= 0:
                for k in range(units):
                    y[i, at + k] = E[table + place, k]
            elif missing_only and code == code and code != -1:
                for k in range(units):
                    y[i, at + k] = np.nan
            else:
                for k in range(units):
                    y[i, at + k] = U[j, k]
            table, at = table + counts[j], at + units


@kernel
def _add_up(x: Array, coded: Array, counts: Array, rest: Array, dy: Array, dE: Array, dU: Array) -> None:
    """Write ∂J/∂E and ∂J/∂U: each row of dy is added to the row of the table that it came from."""
    units = dE.shape[1]
    dE[:] = 0
    dU[:] = 0
    for i in range(x.shape[0]):
        table, at = 0, rest.size
        for j in range(coded.size):
            place = _place(x[i, coded[j]], counts[j])
            if place >= 0:
                for k in range(units):
                    dE[table + place, k] += dy[i, at + k]
            else:
                for k in range(units):
                    dU[j, k] += dy[i, at + k]
            table, at = table + counts[j], at + units


@kernel
def _pass_back(rest: Array, dy: Array, dx: Array) -> None:
    """Write dx: dy of the columns that pass, and zeros."""
    dx[:] = 0
    for i in range(dx.shape[0]):
        for j in range(rest.size):
            dx[i, rest[j]] = dy[i, j]


class FusedEmbedding(Module):
    """An embedding, fused: y = [what passes, E₁[x₁], …, E_d[x_d]]; its tables get the rows of dy that they gave.

    Parameters
    ----------
    embedding : Embedding
        The original.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_codes: ClassVar[bool] = True
    takes_columns: ClassVar[bool] = True
    takes_missing: ClassVar[bool] = True

    embedding: Slot[Embedding]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it for any number of columns, and for five with categories of their own."""
        return tuple(cls(example) for example in Embedding.examples())

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return n rows of codes, as the original does."""
        return self.embedding.example_rows(rng, n)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, d · units) for d columns, and what passes."""
        return self.embedding.output_shape(input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return E and U."""
        return self.embedding.parameters(input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [E₁[x₁], …, E_d[x_d]], with U's rows for what is missing."""
        careful = self.embedding.handle_unknown == "error"
        if careful and RECORDER.get() is None:  # in a loop a wrong code makes NaN, and its step is made again by this
            return self.embedding.forward(ctx, x)
        width = self.output_shape(ctx.input_shape)[-1]
        y = np.empty((*x.shape[:-1], width), ctx.p.E.dtype) if ctx.out is None else ctx.out
        E, U = readable(ctx.p.E), readable(ctx.p.U)
        _look_up(readable(by_rows(x)), *self._columns(ctx), E, U, careful, by_rows(y))
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂E and ∂J/∂U."""
        _add_up(readable(by_rows(ctx.x)), *self._columns(ctx), by_rows(dy), ctx.g.E, ctx.g.U)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return zeros, and dy of the columns that pass."""
        dx = np.empty(ctx.x.shape, dy.dtype) if ctx.dx is None else ctx.dx
        _pass_back(self._columns(ctx)[2], by_rows(dy), by_rows(dx))
        return dx

    def _columns(self, ctx: Context) -> tuple[Array, Array, Array]:
        """Return where the columns of codes are, how many categories each has, and where those are that pass."""
        counts, coded, rest = self.embedding.arranged(ctx.input_shape)
        return coded, np.array(counts, np.intp), rest

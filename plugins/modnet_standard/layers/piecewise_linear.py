"""PiecewiseLinear: how far a number has come through each of the bins between quantiles of the data.

A linear layer behind it is piecewise linear in each number.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import MinLen

from modnet import Array, Blocks, Context, Count, Graph, Module, Parameter, Shape, Value
from modnet.errors import ShapeError
from modnet_standard.initializers.distributions import Values
from modnet_standard.layers.inputs import expected, features
from modnet_standard.quantiles import bin_edges, sampled, weighted_values

__all__ = ["PiecewiseLinear"]

_WIDEST = 3.0
"""Before there were any data the edges lie evenly between −3 and 3, where standardized numbers are."""

Bins = Annotated[
    Count | Annotated[tuple[Count, ...], MinLen(1)], expected("a whole number from 1, or a tuple of one per column")
]


class PiecewiseLinear(Module):
    """Piecewise-linear encoding: yⱼₜ = (xⱼ − eₜ₋₁) / (eₜ − eₜ₋₁), at least 0 and at most 1, for bins with edges e.

    So y is 1 in the bins below x, 0 in those above and a share between; the first bin goes on below 0, the last one
    above 1. The edges of a column are taken from the rows to train on, before training, and do not change any more:
    quantiles of its values, and values that more than one in `bins` rows hold, for which the other rows give the
    quantiles. The derivative is ∂J/∂xⱼ = dyⱼₜ / (eₜ − eₜ₋₁) of the bin that x is in, the upper one at an edge.

    A column with fewer values than bins has an edge at each, and then the bins that there are get divided evenly until
    there are as many as asked for. The paper has fewer bins instead. A constant column gets bins around its value. A
    row of weight w counts as w rows.

    Parameters
    ----------
    bins : int or tuple of int
        Number of bins of every column, or one per column, ≥ 1.
    sample : int
        How many rows the quantiles are taken of, ≥ 1: all of them up to this number, and a random sample of it where
        there are more.

    Raises
    ------
    ShapeError
        If there is not one number of bins per column.

    References
    ----------
    Gorishniy, Rubachev & Babenko (2022), On embeddings for numerical features in tabular deep learning, NeurIPS 35, eq.
    1 and sec. 3.2.1; the default number of bins is that of the authors' package rtdl_num_embeddings.

    Examples
    --------
    >>> from modnet.layers import PiecewiseLinear
    >>> PiecewiseLinear(8).output_shape((3,)), PiecewiseLinear((8, 1, 4)).output_shape((3,))
    ((24,), (13,))
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    adapts: ClassVar[bool] = True
    fixed: ClassVar[bool] = True

    bins: Bins = 48
    sample: Count = 2**18

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return several bins, a single one, and as many as there are columns of their own number."""
        return (cls(4), cls(1), cls((3, 1, 2, 4, 2)))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, sum of bins)."""
        return (*input_shape[:-1], sum(self._counts(input_shape)))

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the state: the lower edges of the bins, and 1 / (eₜ − eₜ₋₁), column after column."""
        counts = self._counts(input_shape)
        left = [edge for bins in counts for edge in np.linspace(-_WIDEST, _WIDEST, bins + 1)[:-1].tolist()]
        first = {"left": left, "factor": [bins / (2 * _WIDEST) for bins in counts for _ in range(bins)]}
        return {
            name: Parameter((1, sum(counts)), Values(tuple(values)), trainable=False, regularized=False)
            for name, values in first.items()
        }

    def adapt(self, ctx: Context, blocks: Blocks) -> None:
        """Take the edges from the values of a sample of the rows."""
        x, weight = sampled(blocks, self.sample)
        counts, start = self._counts(ctx.input_shape), 0
        for column, bins in zip(x.T, counts, strict=True):
            edges = _divided(bin_edges(*weighted_values(column, weight), bins), bins)
            ctx.s.left[0, start : start + bins] = edges[:-1]
            ctx.s.factor[0, start : start + bins] = 1 / np.diff(edges)
            start += bins

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return (x − eₜ₋₁) / (eₜ − eₜ₋₁), at least 0 and at most 1, the first and the last bin open."""
        column, _, least, most = _columns(self._counts(ctx.input_shape), x.dtype)
        y: Array = np.take(x, column, axis=-1, out=ctx.out, mode="clip")  # NumPy buffers `out` in other modes
        np.subtract(y, ctx.s.left, out=y)
        np.multiply(y, ctx.s.factor, out=y)
        np.minimum(y, most, out=y)
        return np.maximum(y, least, out=y)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        column, _, least, most = _columns(self._counts(graph.input_shape), graph.dtype)
        return ((x.take(column) - graph.s.left) * graph.s.factor).clip(least, most)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return Σₜ dyₜ / (eₜ − eₜ₋₁) over the one bin that x is in."""
        column, starts, least, most = _columns(self._counts(ctx.input_shape), dy.dtype)
        above = (np.take(ctx.x, column, axis=-1) >= ctx.s.left) | np.isneginf(least)
        inside = above.copy()
        inside[..., :-1] &= ~above[..., 1:] | np.isposinf(most[:-1])
        dx: Array = np.add.reduceat(inside * ctx.s.factor * dy, starts, axis=-1, out=ctx.dx)
        return dx

    def _counts(self, input_shape: Shape) -> tuple[int, ...]:
        """Return the number of bins of each column."""
        n = features(input_shape)
        if isinstance(self.bins, int):
            return (self.bins,) * n
        if len(self.bins) != n:
            raise ShapeError(f"expected {len(self.bins)} columns, one per number in bins, got {n}")
        return self.bins


@lru_cache(maxsize=16)
def _columns(counts: tuple[int, ...], dtype: "np.dtype[Any]") -> tuple[Array, Array, Array, Array]:
    """Return the column of each bin, where the bins of each column start, and the least and the most that a bin gives.

    That is 0 and 1, but for the open ends.
    """
    stops = np.cumsum(counts)
    least, most = np.zeros(stops[-1], dtype), np.ones(stops[-1], dtype)
    least[stops - counts], most[stops - 1] = -np.inf, np.inf
    found = np.repeat(np.arange(len(counts)), counts), stops - counts, least, most
    for array in found:
        array.flags.writeable = False
    return found


def _divided(edges: Array, bins: int) -> Array:
    """Return bins + 1 edges of which no two are close enough for rounding: bins are divided evenly to make more.

    Examples
    --------
    >>> _divided(np.array([0.0, 1.0, 2.0]), 4).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    if not len(edges):
        edges = np.array([-_WIDEST, _WIDEST], edges.dtype)
    # How far an edge has to lie above one for the bins in between, even divided, to be more than rounding.
    rounding = 2 * (bins + 1) * float(np.finfo(edges.dtype).eps)
    gaps = rounding * np.abs(edges) + 1e-9 * (edges[-1] - edges[0]) + 1e-20
    distinct = [edges[0]]
    for edge, gap in zip(edges, gaps, strict=True):
        if edge - distinct[-1] > gap:
            distinct.append(edge)
    if len(distinct) == bins + 1:
        return edges
    if len(distinct) == 1:
        around = 0.5 * max(1.0, float(np.abs(distinct[0])))
        distinct = [distinct[0] - around, distinct[0] + around]
    at = np.linspace(0, len(distinct) - 1, bins + 1)
    divided: Array = np.interp(at, np.arange(len(distinct)), distinct).astype(edges.dtype)
    return divided

"""PiecewiseLinear: how far a number has come through each of the bins between quantiles of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import model_validator

from modnet import Activation, Array, Blocks, Context, Count, Initializer, Module, Parameter, Shape, Slot, default
from modnet.activations import ReLU
from modnet.base import Links
from modnet_tabular.arrays import features
from modnet_tabular.column_dense import ColumnDense

_WIDEST = 3.0
"""Before there were any data the edges lie evenly between −3 and 3, where standardized numbers are."""


class PiecewiseLinear(Module):
    """Piecewise-linear encoding: yⱼₜ = (xⱼ − eₜ₋₁) / (eₜ − eₜ₋₁), at least 0 and at most 1, for bins with edges e.

    So y is 1 in the bins below x, 0 in those above and a share between; the first bin goes on below 0, the last one
    above 1, and a linear layer behind it is piecewise linear in each feature. The edges of a feature are quantiles of
    its values in the rows to train on; they are taken before training and do not change any more. The derivative is
    ∂J/∂xⱼ = dyⱼₜ / (eₜ − eₜ₋₁) of the bin that x is in, the upper one at an edge.

    Quantiles that fall together, as those of whole numbers do, make one edge, and then the bins that there are get
    divided evenly until there are `bins` of them. The paper has fewer bins instead; here all features have as many
    columns. A constant feature gets bins around its value. A row of weight w counts as w rows.

    Parameters
    ----------
    bins : int
        Number of bins per feature, ≥ 1.
    units : int, optional
        Length of a linear embedding of each feature's bins, by `column_dense`; None: the bins themselves.
    activation : Module, optional
        Applied to those embeddings.
    sample : int
        How many rows the quantiles are taken of, ≥ 1: all of them up to this number, and a random sample of it where
        there are more.

    Raises
    ------
    InvalidSpecError
        If there is an activation but no units.
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Gorishniy, Rubachev & Babenko (2022), On embeddings for numerical features in tabular deep learning, NeurIPS 35, eq.
    1 and sec. 3.2.1; defaults as in the authors' package rtdl_num_embeddings. Vitter (1985), Random sampling with a
    reservoir, ACM Transactions on Mathematical Software 11, algorithm R.

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet_tabular import PiecewiseLinear
    >>> PiecewiseLinear(8).output_shape((3,)), Network([PiecewiseLinear(8, units=5)], (3,)).output_shape
    ((24,), (15,))
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    adapts: ClassVar[bool] = True

    bins: Count = 48
    units: Count | None = None
    activation: Slot[Activation | Module | None] = default(None)
    sample: Count = 2**18

    @model_validator(mode="after")
    def _an_activation_of_something(self) -> Self:
        if self.activation is not None and self.units is None:
            raise ValueError("activation is that of embeddings, which need units")
        return self

    @property
    def fixed(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether there are no embeddings."""
        return self.units is None

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return several bins, a single one, embeddings, and quantiles of few rows."""
        return (cls(4), cls(1), cls(4, 3, ReLU()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (d · bins,) for d features, or (d · units,)."""
        return (features(input_shape) * (self.units or self.bins),)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the state: edges, shape (d, bins + 1)."""
        shape = features(input_shape), self.bins + 1
        return {"edges": Parameter(shape, _Even(), trainable=False, regularized=False)}

    def links(self) -> Links:
        """Return the encoding, and the embeddings behind it."""
        if self.units is None:
            return (("", self),)
        embedding = ColumnDense(self.units, inputs=self.bins, activation=self.activation)
        return (("", replace(self, units=None, activation=None)), ("embedding", embedding))

    def adapt(self, ctx: Context, blocks: Blocks) -> None:
        """Take the edges from the quantiles of a sample of the rows."""
        x, weight = _sample(blocks, self.sample)
        ctx.s.edges[...] = _edges(x.T, weight, self.bins)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return (x − eₜ₋₁) / (eₜ − eₜ₋₁), at least 0 and at most 1, the first and the last bin open."""
        left, factor = self._left_and_factor(ctx)
        d = x.shape[-1]
        y: Array = np.empty((len(x), d * self.bins), x.dtype) if ctx.out is None else ctx.out
        np.subtract(x[..., np.newaxis], left, out=y.reshape(*x.shape, self.bins))
        np.multiply(y, factor.ravel(), out=y)
        least, most = _bounds(d, self.bins, y.dtype)
        np.minimum(y, most, out=y)
        return np.maximum(y, least, out=y)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return Σₜ dyₜ / (eₜ − eₜ₋₁) over the one bin that x is in."""
        left, factor = self._left_and_factor(ctx)
        x = ctx.x[..., np.newaxis]
        above = x >= left
        above[..., 0] = True
        inside = above.copy()
        inside[..., :-1] &= ~above[..., 1:]
        slope = inside * factor
        dx: Array = np.sum(slope * dy.reshape(slope.shape), axis=-1, out=ctx.dx)
        return dx

    @staticmethod
    def _left_and_factor(ctx: Context) -> tuple[Array, Array]:
        """Return eₜ₋₁ and 1 / (eₜ − eₜ₋₁), shape (d, bins)."""
        edges = ctx.s.edges
        return edges[:, :-1], 1 / np.diff(edges)


class _Even(Initializer):
    """Even steps from −3 to 3 along the last axis."""

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return the steps; `rng` is left alone."""
        return np.broadcast_to(np.linspace(-_WIDEST, _WIDEST, shape[-1]), shape).copy()


def _sample(blocks: Blocks, size: int) -> tuple[Array, Array]:
    """Return rows, shape (m, d), and their weights, shape (1, m): all that come, or so many of them at random.

    Row i, counted from 1, goes to place i; beyond the sample to one of i places at random, and is left out if that is
    beyond it. So every row is in the sample with the same probability.
    """
    rng, seen = np.random.default_rng(0), 0
    rows: list[Array] = []
    weights: list[Array] = []
    for x, weight in blocks:
        weight = np.ones(len(x), x.dtype) if weight is None else weight
        room = max(0, size - seen)
        rows.append(x[:room].copy())
        weights.append(weight[:room].copy())
        if len(x) > room:
            rows, weights = [np.concatenate(rows)], [np.concatenate(weights)]
            place = rng.integers(np.arange(seen + room, seen + len(x)) + 1)
            kept = place < size
            rows[0][place[kept]], weights[0][place[kept]] = x[room:][kept], weight[room:][kept]
        seen += len(x)
    return np.concatenate(rows), np.concatenate(weights)[np.newaxis]


@lru_cache(maxsize=16)
def _bounds(d: int, bins: int, dtype: "np.dtype[Any]") -> tuple[Array, Array]:
    """Return the least and the most that a bin gives, shape (d · bins,): 0 and 1, but for the open ends."""
    least, most = np.zeros((d, bins), dtype), np.ones((d, bins), dtype)
    least[:, 0], most[:, -1] = -np.inf, np.inf
    least.flags.writeable = most.flags.writeable = False
    return least.ravel(), most.ravel()


def _edges(values: Array, weight: Array, bins: int) -> Array:
    """Return bins + 1 edges that differ, for every line of values: their quantiles.

    Examples
    --------
    >>> _edges(np.array([[0.0, 9.0, 1.0, 2.0], [0.0, 0.0, 3.0, 0.0]]), np.ones((1, 4)), 3)
    array([[0., 1., 2., 9.],
           [0., 1., 2., 3.]])
    """
    edges = _quantiles(values, weight, bins)
    close = (np.diff(edges) <= _gaps(edges)[..., 1:]).any(axis=-1)
    for line in np.flatnonzero(close):
        edges[line] = _divided(edges[line])
    return edges


def _quantiles(values: Array, weight: Array, parts: int) -> Array:
    """Return the least and, for t = 1 … parts, the least value up to which there are t/parts of all weight.

    Examples
    --------
    >>> values = np.array([[3.0, 1.0, 2.0]])
    >>> _quantiles(values, np.ones((1, 3)), 2), _quantiles(values, np.array([[2.0, 1.0, 1.0]]), 4)
    (array([[1., 2., 3.]]), array([[1., 1., 2., 3., 3.]]))
    """
    n, t = values.shape[-1], np.arange(parts + 1)
    if (weight == weight[..., :1]).all():
        quantiles: Array = np.sort(values)[..., np.maximum(-(-t * n // parts) - 1, 0)]
        return quantiles
    order = np.argsort(values)
    values = np.take_along_axis(values, order, axis=-1)
    total = np.cumsum(np.take_along_axis(np.broadcast_to(weight, values.shape), order, axis=-1), axis=-1, dtype=float)
    quantiles = np.empty((len(values), parts + 1), values.dtype)
    for line, sums in enumerate(total):
        quantiles[line] = values[line][np.searchsorted(sums / sums[-1], t / parts - 1e-9)]
    return quantiles


def _gaps(edges: Array) -> Array:
    """Return how far an edge has to lie above one for the bins in between, even divided, to be more than rounding."""
    rounding = 2 * edges.shape[-1] * float(np.finfo(edges.dtype).eps)
    gaps: Array = rounding * np.abs(edges) + 1e-9 * (edges[..., -1:] - edges[..., :1]) + 1e-20
    return gaps


def _divided(edges: Array) -> Array:
    """Return as many edges as there are, of which no two are the same: bins are divided evenly instead."""
    distinct = [edges[0]]
    for edge, gap in zip(edges, _gaps(edges), strict=True):
        if edge - distinct[-1] > gap:
            distinct.append(edge)
    if len(distinct) == 1:
        around = 0.5 * max(1.0, float(np.abs(distinct[0])))
        distinct = [distinct[0] - around, distinct[0] + around]
    at = np.linspace(0, len(distinct) - 1, len(edges))
    divided: Array = np.interp(at, np.arange(len(distinct)), distinct).astype(edges.dtype)
    return divided

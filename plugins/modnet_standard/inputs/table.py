"""The standard inputs: any table becomes numbers near zero, whatever is in its columns.

What does not learn is one fixed link, which runs once on the rows to train on; categories of many values are embedded.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from modnet import Array, Blocks, Context, Count, Graph, Inputs, Module, Parameter, Shape, Slot, Value, default
from modnet.base import Column, Links, TableShape, shape_through
from modnet_standard.activations.functions import Identity
from modnet_standard.initializers.distributions import Ones, Zeros
from modnet_standard.layers.codes import Embedding
from modnet_standard.layers.columns import Columns
from modnet_standard.layers.composites import Parallel
from modnet_standard.layers.piecewise_linear import PiecewiseLinear
from modnet_standard.layers.standardize import Standardize
from modnet_standard.quantiles import bin_edges, quantiles, sampled, weighted_values

__all__ = ["Table"]

FEW_ROWS = 400
"""Up to how many rows "auto" takes numbers scaled and no bins."""

MOST_BINS, ALL_BINS, LEAST_BINS = 24, 512, 4
"""Of a column, of all columns, and of a column where there are any."""

RARE = 2
"""A category is rare if its rows weigh less than so many of the lightest one."""

_FAR = 1e4
"""Quartile ranges from the median beyond which all numbers are the same: far inside what can be squared."""


class Table(Inputs):
    """Columns of any kind as numbers near zero: any table goes in as it is.

    - Numbers x become z / √(1 + (z/3)²) with z = (x − median) / (quartile range), then what `numbers` makes of them.
      A missing one is the median, and has a column of its own that says so if there were any in training.
    - Truth values and categories of two values become ±1; what is missing or unknown is 0.
    - Categories up to `one_hot` become a column each, an unknown one zeros; a missing one counts as a category if there
      were any in training.
    - Categories beyond that have learnt rows of `units` numbers. Those that are rare share a row, which an unknown one
      gets as well.

    All of it but the learnt rows is centred by its mean over the rows to train on. Statistics are weighted: a row of
    weight k counts as k rows. Sparse rows, and rows of several axes, pass as they are.

    Parameters
    ----------
    numbers : Module, "auto" or None
        What follows the scaled numbers: any layer, such as `PiecewiseLinear`; None: nothing. "auto": nothing up to 400
        rows; from there on the numbers with their piecewise-linear bins beside them, at most 24 a column and 512 in
        all.
    one_hot : int
        The most categories that get a column each, ≥ 1.
    units : int
        Length of the learnt rows of columns with more categories, ≥ 1.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37, sec. 3 (robust scaling, smooth clipping, one-hot and embedded categories). Gorishniy, Rubachev &
    Babenko (2022), On embeddings for numerical features in tabular deep learning, NeurIPS 35 (bins).

    Examples
    --------
    >>> import pandas
    >>> from modnet import ModNetRegressor
    >>> X = pandas.DataFrame({"town": ["Ulm", "Bonn", "Ulm", "Rome"], "rooms": [2, 3, None, 5]})
    >>> model = ModNetRegressor(layers=(8,), max_iter=5, random_state=0).fit(X, [200_000, 310_000, 250_000, 480_000])
    >>> model.network_.links[0].output_shape.names
    ['rooms', 'rooms missing', 'town 0', 'town 1', 'town 2']
    """

    takes_sparse: ClassVar[bool] = True
    takes_codes: ClassVar[bool] = True
    takes_missing: ClassVar[bool] = True

    numbers: Slot[Module | Literal["auto"] | None] = default("auto")
    one_hot: Count = 32
    units: Count = 8

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return n rows of five numbers, some of them missing."""
        rows = rng.normal(size=(n, 5))
        rows[rng.random(rows.shape) < 0.1] = np.nan
        return rows

    def choose(self, shape: Shape, x: Any, weight: Array | None) -> "Self | None":
        """Return it with what follows the numbers; None where rows pass as they are."""
        if not isinstance(x, np.ndarray) or len(shape) != 1:
            return None
        if self.numbers != "auto":
            return self
        numbers = _plan(columns_of(shape), self.one_hot).numbers
        bins: Any = _bins(x, numbers, weight) if len(x) > FEW_ROWS and numbers.size else ()
        if bins and len(set(bins)) == 1:
            bins = bins[0]
        return type(self)(Parallel((Identity(), PiecewiseLinear(bins))) if bins else None, self.one_hot, self.units)

    def links(self, shape: Shape) -> Links:
        """Return the encoding, what follows the numbers, and the embedding; "auto", not chosen yet, is nothing."""
        if len(shape) != 1:
            return ()
        plan = _plan(columns_of(shape), self.one_hot)
        links: list[tuple[str, Module]] = [("", Encode(self.one_hot, centred=not isinstance(self.numbers, Module)))]
        if isinstance(self.numbers, Module) and plan.numbers.size:
            links.append(("numbers", Numbers(self.numbers)))
        if plan.many.size:
            links.append(("embedding", Embedding(self.units, handle_unknown="missing", remainder="passthrough")))
        return links


class Plan(NamedTuple):
    """Where the columns go: positions of those that are numbers, have a gap, are binary, have few or many categories.

    `few` has an element for each one-hot column; `code` is what it stands for, and `counts` are the categories of each
    column of many, missing ones included. `few_missing` and `many_missing` are the codes of what is missing, −1 if that
    is unknown.
    """

    numbers: Array
    gaps: Array
    binary: Array
    few: Array
    code: Array
    few_missing: Array
    many: Array
    counts: Array
    many_missing: Array
    output: tuple[Column, ...]


def columns_of(shape: Shape) -> tuple[Column, ...]:
    """Return the columns of rows: those of a table, or as many numbers."""
    return shape.columns if isinstance(shape, TableShape) else tuple(Column(str(i)) for i in range(shape[-1]))


@lru_cache(maxsize=64)
def _plan(columns: tuple[Column, ...], one_hot: int) -> Plan:
    binary = [i for i, each in enumerate(columns) if each.dtype == "bool" or each.categories == 2]
    sizes = {i: each.categories + each.missing for i, each in enumerate(columns) if each.categories and i not in binary}
    numbers = [i for i in range(len(columns)) if i not in sizes and i not in binary]
    gaps = [i for i, each in enumerate(columns) if each.missing and i not in sizes]
    few = [(i, code) for i, size in sizes.items() if size <= one_hot for code in range(size)]
    many = [i for i, size in sizes.items() if size > one_hot]
    missing = {i: size - 1 if columns[i].missing else -1 for i, size in sizes.items()}
    # A column of categories has another name here: by its own, layers behind would read codes as numbers.
    names = [*(f"{columns[i].name} missing" for i in gaps), *(f"{columns[i].name} 1" for i in binary)]
    names += [f"{columns[i].name} {'missing' if code == missing[i] else code}" for i, code in few]
    output = [
        *(Column(columns[i].name) for i in numbers),
        *(Column(name, "bool") for name in names),
        *(Column(columns[i].name, "category", sizes[i]) for i in many),
    ]
    index = (numbers, gaps, binary, [i for i, _ in few], [code for _, code in few], [missing[i] for i, _ in few])
    of_many = many, [sizes[i] for i in many], [missing[i] for i in many]
    arrays = (np.array(each, np.intp) for each in (*index, *of_many))
    return Plan._make([*arrays, tuple(output)])


class Encode(Module):
    """The part of a table's encoding that does not learn: [numbers | missing | ±1 | one-hot | codes of many].

    Parameters
    ----------
    one_hot : int
        See `Table`.
    centred : bool
        Whether the numbers are centred here, as what nothing follows is.

    Examples
    --------
    >>> rows = TableShape([Column("size", missing=True), Column("town", "category", 3), Column("zone", "category", 40)])
    >>> Encode().output_shape(rows).names
    ['size', 'size missing', 'town 0', 'town 1', 'town 2', 'zone']
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_sparse: ClassVar[bool] = True
    takes_codes: ClassVar[bool] = True
    takes_missing: ClassVar[bool] = True
    adapts: ClassVar[bool] = True
    fixed: ClassVar[bool] = True

    one_hot: Count = 32
    centred: bool = True

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of a table, with codes as categories behind all other columns."""
        return TableShape(_plan(columns_of(input_shape), self.one_hot).output)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the state: median (a sum of two: float32 cannot hold all), 1 / range, means, what is common."""
        plan = _plan(columns_of(input_shape), self.one_hot)
        a, width, codes = len(plan.numbers), len(plan.output), int(plan.counts.sum())
        first = {"median": (a, Zeros()), "rest": (a, Zeros()), "factor": (a, Ones()), "mean": (width, Zeros())}
        return {
            name: Parameter((1, n), values, trainable=False, regularized=False)
            for name, (n, values) in {**first, "common": (codes, Ones())}.items()
        }

    def adapt(self, ctx: Context, blocks: Blocks) -> None:
        """Take medians and quartile ranges, see which categories are common, and take the means of what comes out."""
        plan = _plan(columns_of(ctx.input_shape), self.one_hot)
        x, weight = sampled(blocks, min(2**18, 2**25 // ctx.input_shape[-1]))
        for j, column in enumerate(plan.numbers):
            median, factor = _median_and_factor(x[:, column], weight)
            ctx.s.median[0, j], ctx.s.factor[0, j] = median, factor
            ctx.s.rest[0, j] = median - float(ctx.s.median[0, j])
        total = [
            np.bincount(codes[codes >= 0], weight[codes >= 0], count)
            for codes, count in zip(_codes(x, plan).T, plan.counts, strict=True)
        ]
        ctx.s.common[...] = np.concatenate([*total, []]) >= RARE * weight.min() * (1 - 1e-9)
        ctx.s.mean[...] = 0
        k, share, mean = ctx.s.mean.size - len(plan.many), weight / weight.sum(dtype=float), np.zeros(ctx.s.mean.size)
        for rows in _slices(len(x)):
            y = np.empty((len(x[rows]), mean.size), ctx.s.mean.dtype)
            mean += share[rows] @ self.encoded(ctx, x[rows], y).astype(float)
        ctx.s.mean[0, :k] = mean[:k]
        if not self.centred:
            ctx.s.mean[0, : len(plan.numbers)] = 0

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the columns, centred."""
        x = x if isinstance(x, np.ndarray) else x.toarray()
        y = np.empty((len(x), ctx.s.mean.size), ctx.s.mean.dtype) if ctx.out is None else ctx.out
        return self.encoded(ctx, x, y)

    def encoded(self, ctx: Context, x: Array, y: Array) -> Array:
        """Write the columns of x into y, and return it."""
        plan = _plan(columns_of(ctx.input_shape), self.one_hot)
        stops = np.cumsum([len(each) for each in (plan.numbers, plan.gaps, plan.binary, plan.few, plan.many)])
        numbers, gaps, binary, few, many = np.split(y, stops[:-1], axis=1)
        z = self._scaled(ctx, x, plan)
        np.divide(z, np.sqrt(1 + np.square(z / 3)), out=numbers)
        np.nan_to_num(numbers, copy=False)  # what is missing is the median; nothing else is no number here
        np.isnan(x[:, plan.gaps], out=gaps, casting="unsafe")
        codes = x[:, plan.binary]
        np.subtract(codes * 2, 1, out=binary, casting="same_kind")
        binary[~((codes == 0) | (codes == 1))] = 0
        here = x[:, plan.few]
        np.equal(np.where(np.isnan(here), plan.few_missing, here), plan.code, out=few, casting="unsafe")
        if plan.many.size:
            codes, starts = _codes(x, plan), np.cumsum(plan.counts) - plan.counts
            many[...] = np.where(ctx.s.common[0, np.maximum(codes, 0) + starts] > 0, codes, -1)
        y -= ctx.s.mean
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write the columns, centred."""
        plan = _plan(columns_of(graph.input_shape), self.one_hot)
        parts = []
        if plan.numbers.size:
            given = x.take(plan.numbers)
            z = (given - (graph.s.median.astype(x.dtype) + graph.s.rest.astype(x.dtype))) * graph.s.factor.astype(
                x.dtype
            )
            z = z.clip(-_FAR, _FAR)
            parts.append(graph.where(graph.op("IsNaN", given), 0.0, z / (1 + (z / 3) * (z / 3)).sqrt()))
        if plan.gaps.size:
            parts.append(graph.op("IsNaN", x.take(plan.gaps)))
        if plan.binary.size:
            codes = x.take(plan.binary)
            parts.append(graph.where(graph.op("Or", codes.equal(0.0), codes.equal(1.0)), codes * 2 - 1, 0.0))
        if plan.few.size:
            here = x.take(plan.few)
            here = graph.where(graph.op("IsNaN", here), plan.few_missing.astype(float), here)
            parts.append(here.equal(plan.code.astype(float)))
        if plan.many.size:
            codes, starts = x.take(plan.many), np.cumsum(plan.counts) - plan.counts
            codes = graph.where(graph.op("IsNaN", codes), plan.many_missing.astype(float), codes)
            known = (codes >= 0) & (codes < plan.counts.astype(float))
            codes = graph.where(known, graph.op("Floor", codes), -1.0)
            places = (codes.clip(0.0) + starts.astype(float)).astype(np.int64)
            common = graph.op("Gather", graph.s.common.reshape(-1), places)
            parts.append(graph.where(common > 0, codes, -1.0))
        return graph.concat([part.astype(graph.dtype) for part in parts]) - graph.s.mean

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy / (range (1 + (z/3)²)^(3/2)) for the numbers, and 0 for what has no derivative."""
        plan = _plan(columns_of(ctx.input_shape), self.one_hot)
        dx = np.zeros(ctx.x.shape, dy.dtype) if ctx.dx is None else ctx.dx
        dx.fill(0)
        z = np.nan_to_num(self._scaled(ctx, ctx.x, plan), nan=np.inf)
        dx[:, plan.numbers] = dy[:, : len(plan.numbers)] * ctx.s.factor / (1 + np.square(z / 3)) ** 1.5
        return dx

    def _scaled(self, ctx: Context, x: Array, plan: Plan) -> Array:
        """Return z = (x − median) / range, in the precision of x, and bounded."""
        z: Array = x[:, plan.numbers] - (ctx.s.median.astype(x.dtype) + ctx.s.rest)
        z *= ctx.s.factor
        return np.clip(z, -_FAR, _FAR, out=z)


class Numbers(Module):
    """A layer for the numbers of a table: y = [f(numbers), the other columns].

    Parameters
    ----------
    layer : Module
        f; centred by its mean, if it is fixed.

    Examples
    --------
    >>> Numbers(PiecewiseLinear(3)).output_shape(TableShape([Column("rooms"), Column("garden", "bool")])).names
    ['numbers 0', 'numbers 1', 'numbers 2', 'garden']
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    layer: Slot[Module]

    @property
    def fixed(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether the layer is."""
        return self.layer.fixed

    def chains(self) -> Sequence[Links]:
        """Return the layer on the numbers, centred if it is fixed."""
        centre = (("centre", Standardize(scale=False)),) if self.layer.fixed else ()
        return ((("columns", Columns(dtype="number")), ("layer", self.layer), *centre),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of a table: what the layer makes, and the others."""
        (made,) = shape_through(self.chains()[0], input_shape)
        others = [each for each in columns_of(input_shape) if each.dtype != "number"]
        return TableShape([*(Column(f"numbers {i}") for i in range(made)), *others])

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [f(numbers), others]."""
        made, others = ctx.children[0].forward(x), _others(ctx.input_shape)
        y: Array = np.concatenate([made, x[:, others]], axis=1, out=ctx.out)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        others = _others(graph.input_shape)
        return graph.concat([graph.children[0](x), *([x.take(others)] if others else [])])

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of the layer."""
        ctx.children[0].grad_params(np.ascontiguousarray(dy[:, : dy.shape[1] - len(_others(ctx.input_shape))]))

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return the gradient through the layer, and dy of the others."""
        others = _others(ctx.input_shape)
        dx: Array = np.array(ctx.children[0].grad_input())
        dx[:, others] = dy[:, dy.shape[1] - len(others) :]
        return dx


def _others(shape: Shape) -> list[int]:
    return [i for i, each in enumerate(columns_of(shape)) if each.dtype != "number"]


def _codes(x: Array, plan: Plan) -> Array:
    """Return the codes of columns of many categories as whole numbers, shape (n, k): −1 where it is none of theirs."""
    codes = x[:, plan.many]
    codes = np.where(np.isnan(codes), plan.many_missing, codes)
    found: Array = np.where((codes >= 0) & (codes < plan.counts), codes, -1).astype(np.intp)
    return found


def _median_and_factor(x: Array, weight: Array) -> tuple[float, float]:
    """Return the median and one over the quartile range; where that is 0, over half the range; 0 if that is, too."""
    values, weight = weighted_values(x, weight)
    if not len(values):
        return 0.0, 0.0
    low, median, high = (float(each) for each in quantiles(values, weight, np.array([0.25, 0.5, 0.75])))
    with np.errstate(over="ignore"):
        spread = high - low if high > low else (float(values[-1]) - float(values[0])) / 2
    return median, 1 / spread if np.isfinite(spread) and spread > 1e-30 else 0.0


def _bins(x: Array, numbers: Array, weight: Array | None) -> tuple[int, ...]:
    """Return the numbers of bins of columns: the most per column such that those there are do not exceed the limit."""
    blocks = ((x[rows][:, numbers], None if weight is None else weight[rows]) for rows in _slices(len(x)))
    sample, weight = sampled(blocks, min(2**18, 2**25 // numbers.size))
    # Most tables need no second look, and sorted columns are not kept for it: together they take three times the rows.
    for many in ([MOST_BINS], range(MOST_BINS - 1, max(LEAST_BINS, ALL_BINS // numbers.size) - 1, -1)):
        of_columns = []
        for column in sample.T:
            values = weighted_values(column, weight)
            of_columns.append([max(1, len(bin_edges(*values, most)) - 1) for most in many])
        for found in zip(*of_columns, strict=True):
            if sum(found) <= ALL_BINS:
                return found
    return ()


def _slices(n: int) -> Iterator[slice]:
    """Yield blocks of n rows, so that what is made of them takes little memory."""
    return (slice(start, start + 4096) for start in range(0, n, 4096))

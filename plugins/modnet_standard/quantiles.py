"""Quantiles of the rows that arrive block by block, with weights: those of the inverted distribution function.

A row of weight k counts as k rows, and every quantile is a value that is there.
"""

import numpy as np

from modnet import Array, Blocks
from modnet_standard.arrays import by_rows


def sampled(blocks: Blocks, size: int) -> tuple[Array, Array]:
    """Return rows, shape (m, d), and their weights, shape (m,): all that come, or `size` of them at random.

    Row i, counted from 1, goes to place i; beyond the sample to one of i places at random, and is left out if that is
    beyond it. So every row is in the sample with the same probability (Vitter 1985, Random sampling with a reservoir,
    ACM Transactions on Mathematical Software 11, algorithm R). Positions of rows of several axes count as rows.
    """
    rng, seen = np.random.default_rng(0), 0
    rows: list[Array] = []
    weights: list[Array] = []
    for x, weight in blocks:
        weight = np.ones(len(x), x.dtype) if weight is None else weight
        if x.ndim > 2:
            x, weight = by_rows(x), np.repeat(weight, by_rows(x).shape[0] // len(x))
        room = max(0, size - seen)
        rows.append(x[:room].copy())
        weights.append(weight[:room].copy())
        if len(x) > room:
            rows, weights = [np.concatenate(rows)], [np.concatenate(weights)]
            place = rng.integers(np.arange(seen + room, seen + len(x)) + 1)
            kept = place < size
            rows[0][place[kept]], weights[0][place[kept]] = x[room:][kept], weight[room:][kept]
        seen += len(x)
    return np.concatenate(rows), np.concatenate(weights)


def weighted_values(values: Array, weight: Array) -> tuple[Array, Array]:
    """Return the values that are there, ascending, and the weight of each in float64; NaN counts as not there.

    Examples
    --------
    >>> weighted_values(np.array([3.0, 1.0, 3.0, np.nan]), np.array([1.0, 2.0, 1.0, 9.0]))
    (array([1., 3.]), array([2., 2.]))
    """
    there = ~np.isnan(values)
    if not there.all():
        values, weight = values[there], weight[there]
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weight[order]
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.zeros(0, int)
    return values[first], np.add.reduceat(weight, first, dtype=float) if len(first) else np.zeros(0)


def quantiles(values: Array, weight: Array, levels: Array) -> Array:
    """Return, for levels in [0, 1], the least value up to which there is that share of all weight.

    Parameters
    ----------
    values, weight : ndarray, shape (m,)
        As from `weighted_values`, at least one.
    levels : ndarray, shape (k,)

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 3.0]), np.ones(3), np.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    share = np.cumsum(weight)
    found: Array = values[np.minimum(np.searchsorted(share / share[-1], levels - 1e-9), len(values) - 1)]
    return found


def bin_edges(values: Array, weight: Array, bins: int) -> Array:
    """Return at most bins + 1 edges, ascending, of which no two are the same: quantiles, and values that are frequent.

    A value that more than one in `bins` rows hold is an edge, and the other rows give the quantiles.

    Parameters
    ----------
    values, weight : ndarray, shape (m,)
        As from `weighted_values`.
    bins : int

    Examples
    --------
    >>> bin_edges(np.arange(9.0), np.ones(9), 4).tolist(), bin_edges(np.array([0.0, 5.0]), np.ones(2), 4).tolist()
    ([0.0, 2.0, 4.0, 6.0, 8.0], [0.0, 5.0])
    >>> bin_edges(np.arange(9.0), np.array([20.0, 1, 1, 1, 1, 1, 1, 1, 1]), 4).tolist()
    [0.0, 1.0, 3.0, 6.0, 8.0]
    """
    if len(values) <= bins + 1:
        return values
    frequent = weight * bins > weight.sum()
    edges, others = values[frequent], ~frequent
    left = max(2, bins + 1 - len(edges))
    found = quantiles(values[others], weight[others], np.linspace(0, 1, left)) if others.any() else edges
    return np.unique(np.concatenate([edges, found]))

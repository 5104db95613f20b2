"""How members become one prediction: the mean of their probabilities, at a temperature that rows held out decide.

Nothing else stands between the members' own predictions and an ensemble's.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from modnet import Array, Graph, Value

LEAST = 1e-4
"""The least probability that a member may give: one that is sure and wrong does not outvote the others."""

COLDEST, HOTTEST = 0.4, 2.5

PENALTY = 20.0
"""What ln²T costs, in log-likelihood of rows: some hundred rows are needed to move T far from 1."""


def combined(members: Sequence[Array], temperature: float = 1.0) -> Array:
    """Return the probabilities of an ensemble: p ∝ (mean of pₘ)^(1/T), pₘ at least 1e-4 before it is normalized.

    Parameters
    ----------
    members : sequence of ndarray, shape (…, k)
        What each member gives to k classes; sums over the last axis are 1.
    temperature : float
        T > 0; above 1 the ensemble is less sure than its members' mean, below 1 surer.

    Returns
    -------
    ndarray of float64, shape (…, k)

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML, sec. 4.2 (temperature).

    Examples
    --------
    >>> combined([np.array([[0.9, 0.1]]), np.array([[0.7, 0.3]])]).round(3)
    array([[0.8, 0.2]])
    >>> combined([np.array([[0.9, 0.1]]), np.array([[0.7, 0.3]])], 2.0).round(3)
    array([[0.667, 0.333]])
    """
    p = np.mean([_normalized(np.maximum(each.astype(float), LEAST)) for each in members], axis=0)
    return _normalized(p ** (1 / temperature))


def combined_written(graph: Graph, members: Sequence[Value], temperature: float) -> Value:
    """Write `combined` into a graph of ONNX."""
    normalized = [(p := each.astype(np.float64).clip(LEAST)) / p.sum() for each in members]
    p = graph.op("Pow", mean_written(graph, normalized), 1 / temperature)
    return p / p.sum()


def mean_written(graph: Graph, values: Sequence[Value]) -> Value:
    """Write the mean of values of one shape."""
    return graph.op("Sum", *values) / len(values)  # onnxruntime has its Mean in float32 alone


def temperature_for(p: Array, codes: Array, weight: Array) -> float:
    """Return the T in [0.4, 2.5] that minimises −Σ w log p_T(y) + 20 ln²T, where p_T ∝ p^(1/T).

    Parameters
    ----------
    p : ndarray, shape (n, k)
        Probabilities of rows that were not learnt from.
    codes : ndarray of int, shape (n,)
        The class of each row.
    weight : ndarray, shape (n,)
        Of the rows; a row of weight k counts k times.

    Examples
    --------
    >>> p = np.array([[0.99, 0.01]] * 200)
    >>> right, half = np.zeros(200, int), np.arange(200) % 2
    >>> temperature_for(p, right, np.ones(200)) < 1, round(temperature_for(p, half, np.ones(200)), 2)
    (True, 2.5)
    """
    log_p, rows = np.log(np.maximum(p, np.finfo(float).tiny)), np.arange(len(codes))

    def cost(log_t: float) -> float:
        scaled = log_p / np.exp(log_t)
        likely = scaled[rows, codes] - np.logaddexp.reduce(scaled, axis=1)
        return float(PENALTY * log_t**2 - weight @ likely)

    bounds = np.log(COLDEST), np.log(HOTTEST)
    return float(np.exp(minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))


def mean_where_given(parts: Sequence[Array], rows: Sequence[Array], n: int) -> Array:
    """Return, of parts that are about some of n rows each, the mean for each row; NaN where none is about it.

    Examples
    --------
    >>> mean_where_given([np.array([1.0, 2.0]), np.array([4.0])], [np.array([0, 2]), np.array([2])], 3)
    array([ 1., nan,  3.])
    """
    total, count = np.zeros((n, *parts[0].shape[1:])), np.zeros(n)
    for part, index in zip(parts, rows, strict=True):
        total[index] += part
        count[index] += 1
    with np.errstate(invalid="ignore"):
        mean: Array = total / count.reshape(-1, *(1,) * (total.ndim - 1))
    return mean


def _normalized(p: Array) -> Array:
    total: Array = p / p.sum(axis=-1, keepdims=True)
    return total

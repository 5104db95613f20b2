"""Predicting: the raw output of a fitted estimator's network, from which each estimator makes its predictions."""

from collections.abc import Iterator
from typing import Any

from sklearn.utils.validation import check_is_fitted

from modnet.base import Array
from modnet.estimators.parameters import chosen_accelerator
from modnet.estimators.preparation import rows_of
from modnet.network import Network
from modnet.network.accelerating import accelerated


def raw_output(estimator: Any, X: Any) -> Array:
    """Return the network's raw output for X: shape (n, width of the output layer), dtype of θ."""
    network, rows = _network_and_rows(estimator, X)
    return network.predict(estimator.theta_, estimator.state_, rows)


def raw_blocks(estimator: Any, X: Any) -> Iterator[Array]:
    """Yield the network's raw output for X, a block of rows at a time; a block is valid until the next."""
    network, rows = _network_and_rows(estimator, X)
    return network.predict_blocks(estimator.theta_, estimator.state_, rows)


def _network_and_rows(estimator: Any, X: Any) -> tuple[Network, Any]:
    check_is_fitted(estimator)
    rows = rows_of(estimator, X)
    return accelerated(estimator.network_, chosen_accelerator(estimator), estimator.theta_.dtype), rows

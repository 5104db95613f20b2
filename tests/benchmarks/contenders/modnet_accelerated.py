"""modnet with the accelerator that is installed."""

from benchmarks.contenders import Fit, Step
from benchmarks.contenders.modnet_estimator import prepared, searching, streaming
from benchmarks.problem import Problem
from benchmarks.searching import Searched, Table


def prepare(problem: Problem) -> Fit:
    """Return the estimator's whole fit."""
    return prepared(problem, accelerator="auto")


def stream(problem: Problem, rows: int) -> Step:
    """Return `partial_fit`."""
    return streaming(problem, rows, accelerator="auto")


def searched(table: Table, epochs: int) -> Searched:
    """Return the estimator whose parameters are searched."""
    return searching(table, epochs, accelerator="auto")

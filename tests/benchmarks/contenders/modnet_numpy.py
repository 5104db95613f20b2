"""modnet on its NumPy engine."""

from benchmarks.contenders import Fit, Step
from benchmarks.contenders.modnet_estimator import prepared, searching, streaming
from benchmarks.problem import Problem
from benchmarks.searching import Searched, Table


def prepare(problem: Problem) -> Fit:
    """Return the estimator's whole fit."""
    return prepared(problem, accelerator=None)


def stream(problem: Problem, rows: int) -> Step:
    """Return `partial_fit`."""
    return streaming(problem, rows, accelerator=None)


def searched(table: Table, epochs: int) -> Searched:
    """Return the estimator whose parameters are searched."""
    return searching(table, epochs, accelerator=None)

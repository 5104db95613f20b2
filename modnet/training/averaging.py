"""Averaging: the mean of θ over steps (EMA) or epochs (SWA), which predicts in place of the θ that training moves.

Between epochs the network's vectors hold the mean, so validation, callbacks and the finished model all see it; while an
epoch runs they hold the θ in training.
"""

from modnet.base import Array, Average, OptimizerState


def swap(average: Average | None, theta: Array, state: Array) -> None:
    """Exchange the mean and the point in training, in place; without an average there is nothing to do."""
    if average is not None:
        for vector, other in ((theta, average.theta), (state, average.state)):
            vector[...], other[...] = other.copy(), vector.copy()


def include(optimizer_state: OptimizerState, theta: Array, state: Array, ema: float | None) -> None:
    """Take a point into the mean: mean ← mean + w (θ − mean) with w = 1 − ema, or 1 / count for the plain mean.

    The state (running means and the like) is averaged in the same way, so that it belongs to the mean of θ.
    """
    average = optimizer_state.average
    if average is None:
        optimizer_state.average = Average(theta.copy(), state.copy())
        return
    average.count += 1
    w = 1 / average.count if ema is None else 1 - ema
    for mean, vector in ((average.theta, theta), (average.state, state)):
        mean *= 1 - w
        mean += w * vector

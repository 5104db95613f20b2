"""When to stop: after too many epochs in a row that brought no progress."""

import math


class Patience:
    """Counts epochs without progress.

    The rule is that of sklearn.neural_network: an epoch is progress if its loss lies more than `tol` below the best
    so far, and training stops when more than `limit` epochs in a row were none.

    Attributes
    ----------
    best : float
        The lowest loss so far; inf before the first.
    waited : int
        Epochs since the last progress.
    """

    def __init__(self, tol: float, limit: int) -> None:
        self._tol, self._limit = tol, limit
        self.best = math.inf
        self.waited = 0

    def update(self, loss: float) -> bool:
        """Take note of an epoch; return whether its loss is the lowest so far."""
        self.waited = self.waited + 1 if loss > self.best - self._tol else 0
        improved = loss < self.best
        if improved:
            self.best = loss
        return improved

    @property
    def exhausted(self) -> bool:
        """Whether to stop."""
        return self.waited > self._limit

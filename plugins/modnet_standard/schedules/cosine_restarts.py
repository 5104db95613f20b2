"""CosineRestarts: cosine annealing that starts again, each time for longer if wanted."""

import math
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Count, Progress
from modnet_standard.schedules.timed import TimedSchedule


class CosineRestarts(TimedSchedule):
    """Cosine annealing with restarts: η = η₁ + ½ (η₀ − η₁)(1 + cos(π t/T)), t counted from the start of each period.

    Parameters
    ----------
    period : int
        T of the first period, ≥ 1.
    multiplier : int
        How many times longer each period is than the one before, ≥ 1.
    min_rate : float
        η₁, ≥ 0.
    unit : {"epoch", "step"}
        What t and T are counted in.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR, eq. 5;
    torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import CosineRestarts
    >>> schedule = CosineRestarts(10, multiplier=2)
    >>> [round(schedule.rate(0.1, Progress(epoch=epoch)), 4) for epoch in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.1, 0.05, 0.1]
    """

    period: Count
    multiplier: Count = 1
    min_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return periods of one length, and longer and longer ones."""
        return cls(4), cls(3, 2, 0.001, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₁ + ½ (η₀ − η₁)(1 + cos(π t/T))."""
        t, T = self.time(progress), self.period
        if self.multiplier == 1:
            t %= T
        while t >= T:
            t, T = t - T, T * self.multiplier
        return self.min_rate + 0.5 * (learning_rate - self.min_rate) * (1 + math.cos(math.pi * t / T))

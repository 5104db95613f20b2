"""Cosine: the learning rate falls slowly, then fast, then slowly, along half a wave."""

import math
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Count, Progress
from modnet_standard.schedules.timed import TimedSchedule


class Cosine(TimedSchedule):
    """Cosine annealing: η = η₁ + ½ (η₀ − η₁)(1 + cos(π t/T)), and η₁ from T on.

    Parameters
    ----------
    total : int, optional
        T, ≥ 1; None: all of the planned training.
    min_rate : float
        η₁, ≥ 0.
    unit : {"epoch", "step"}
        What t and T are counted in.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR, eq. 5, without restarts.
    torch.optim.lr_scheduler.CosineAnnealingLR, which climbs again after T.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Cosine
    >>> [round(Cosine().rate(0.1, Progress(epoch=epoch, epochs=20)), 4) for epoch in (0, 5, 10, 15, 20)]
    [0.1, 0.0854, 0.05, 0.0146, 0.0]
    """

    total: Count | None = None
    min_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return half a wave to the end of the plan, and one of some steps."""
        return cls(), cls(30, 0.001, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₁ + ½ (η₀ − η₁)(1 + cos(π t/T))."""
        total = self.total or self.planned(progress)
        wave = math.cos(math.pi * min(self.time(progress), total) / total)
        return self.min_rate + 0.5 * (learning_rate - self.min_rate) * (1 + wave)

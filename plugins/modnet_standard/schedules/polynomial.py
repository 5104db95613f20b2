"""Polynomial: the learning rate falls to its end along a line, or a power of one."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Count, Progress
from modnet_standard.schedules.timed import TimedSchedule


class Polynomial(TimedSchedule):
    """Polynomial decay: η = η₁ + (η₀ − η₁)(1 − t/T)^power, and η₁ from T on; a line by default.

    Parameters
    ----------
    total : int, optional
        T, ≥ 1; None: all of the planned training.
    power : float
        > 0; 1 is a line.
    end_rate : float
        η₁, ≥ 0.
    unit : {"epoch", "step"}
        What t and T are counted in.

    References
    ----------
    torch.optim.lr_scheduler.PolynomialLR.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Polynomial
    >>> [Polynomial().rate(0.1, Progress(epoch=epoch, epochs=20)) for epoch in (0, 10, 20)]
    [0.1, 0.05, 0.0]
    """

    total: Count | None = None
    power: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    end_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a line to the end of the plan, and a parabola of some steps."""
        return cls(), cls(30, 2.0, 0.001, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₁ + (η₀ − η₁)(1 − t/T)^power."""
        total = self.total or self.planned(progress)
        left = 1 - min(self.time(progress), total) / total
        return self.end_rate + (learning_rate - self.end_rate) * float(left**self.power)

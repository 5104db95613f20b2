"""MultiStep: the learning rate falls by a factor at given times."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, field_validator

from modnet import Count, Progress
from modnet_standard.schedules.timed import TimedSchedule


class MultiStep(TimedSchedule):
    """Stairs of given lengths: η = η₀ · gamma^k, k of the milestones being behind us.

    Parameters
    ----------
    milestones : tuple of int
        The epochs (or steps) from which on the rate is lower, each ≥ 1, in ascending order.
    gamma : float
        Factor at each milestone, in (0, 1].
    unit : {"epoch", "step"}
        What `milestones` are counted in.

    Raises
    ------
    InvalidSpecError
        If the milestones are not in ascending order.

    References
    ----------
    torch.optim.lr_scheduler.MultiStepLR.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import MultiStep
    >>> [MultiStep((10, 15), gamma=0.5).rate(0.1, Progress(epoch=epoch)) for epoch in (9, 10, 15, 99)]
    [0.1, 0.05, 0.025, 0.025]
    """

    milestones: Annotated[tuple[Count, ...], Field(min_length=1)]
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1

    @field_validator("milestones")
    @classmethod
    def _ascending(cls, milestones: tuple[int, ...]) -> tuple[int, ...]:
        if list(milestones) != sorted(milestones):
            raise ValueError("should be in ascending order")
        return milestones

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return milestones in epochs, and in steps."""
        return cls((2, 5, 11)), cls((7, 8), 0.5, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ · gamma^k."""
        return learning_rate * self.gamma ** bisect_right(self.milestones, self.time(progress))

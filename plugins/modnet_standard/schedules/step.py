"""Step: the learning rate falls by a factor at regular intervals."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Count, Progress
from modnet_standard.schedules.timed import TimedSchedule


class Step(TimedSchedule):
    """Stairs: η = η₀ · gamma^⌊t / step_size⌋, t being the epochs (or steps) behind us.

    Parameters
    ----------
    step_size : int
        Length of a stair, ≥ 1.
    gamma : float
        Factor from stair to stair, in (0, 1].
    unit : {"epoch", "step"}
        What t and `step_size` are counted in.

    References
    ----------
    torch.optim.lr_scheduler.StepLR.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Step
    >>> [Step(10, gamma=0.5).rate(0.1, Progress(epoch=epoch)) for epoch in (0, 9, 10, 20)]
    [0.1, 0.1, 0.05, 0.025]
    """

    step_size: Count
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return stairs of epochs, and of steps."""
        return cls(3), cls(5, 0.5, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ · gamma^⌊t / step_size⌋."""
        return learning_rate * self.gamma ** (self.time(progress) // self.step_size)

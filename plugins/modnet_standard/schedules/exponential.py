"""Exponential: the learning rate falls by a factor in each epoch."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from modnet import Progress
from modnet_standard.schedules.timed import TimedSchedule


class Exponential(TimedSchedule):
    """Exponential decay: η = η₀ · gamma^t, t being the epochs (or steps) behind us.

    Parameters
    ----------
    gamma : float
        Factor from epoch to epoch, in (0, 1].
    unit : {"epoch", "step"}
        What t is counted in.

    References
    ----------
    torch.optim.lr_scheduler.ExponentialLR.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Exponential
    >>> Exponential(0.5).rate(0.1, Progress(epoch=2))
    0.025
    """

    gamma: Annotated[float, Field(gt=0, le=1)]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a decay per epoch, and one per step."""
        return cls(0.9), cls(0.99, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ · gamma^t."""
        return learning_rate * self.gamma ** self.time(progress)

"""WarmUp: the learning rate climbs to its size, and then another schedule takes over.

The other schedule sees only the progress made since.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field

from modnet import AnySchedule, Count, Progress
from modnet_standard.schedules.cosine import Cosine, OneCycle
from modnet_standard.schedules.decays import TimedSchedule
from modnet_standard.schedules.plateau import Adaptive


class WarmUp(TimedSchedule):
    """Linear warm-up: η = η₀ (s + (1 − s) t/T) for t < T, s being `start_factor`; then what another schedule says.

    The other schedule sees the progress since T: it starts at its own beginning, and its plan is what is left.

    Parameters
    ----------
    length : int
        T, ≥ 1.
    start_factor : float
        s, in (0, 1].
    then : Schedule, optional
        What follows; None: η₀.
    unit : {"epoch", "step"}
        What t and T are counted in. A warm-up of steps may end within an epoch, which is then the first for a schedule
        that counts epochs.

    References
    ----------
    Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour, arXiv:1706.02677, sec. 2.2;
    torch.optim.lr_scheduler.LinearLR.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import WarmUp
    >>> schedule = WarmUp(4, start_factor=0.5, then="cosine")
    >>> [round(schedule.rate(0.1, Progress(epoch=epoch, epochs=24)), 4) for epoch in (0, 2, 4, 14, 24)]
    [0.05, 0.075, 0.1, 0.05, 0.0]
    """

    length: Count = 5
    start_factor: Annotated[float, Field(gt=0, le=1)] = 1 / 3
    then: AnySchedule | None = None

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it alone, and in front of schedules of epochs and of steps."""
        return cls(), cls(2, then=Cosine()), cls(7, 0.1, OneCycle(), unit="step"), cls(then=Adaptive())

    @property
    def lowest(self) -> float:
        """That of the schedule behind it."""
        return super().lowest if self.then is None else self.then.lowest

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ (s + (1 − s) t/T), or what follows."""
        t = self.time(progress)
        if t < self.length:
            return learning_rate * (self.start_factor + (1 - self.start_factor) * t / self.length)
        return learning_rate if self.then is None else self.then.rate(learning_rate, self._since(progress))

    def _since(self, progress: Progress) -> Progress:
        """Return the progress made after the warm-up."""
        per_epoch = progress.steps_per_epoch
        epochs, steps = self.length, self.length * per_epoch
        if self.unit == "step":
            epochs, steps = self.length // per_epoch, self.length
        epoch = max(progress.epoch - epochs, 0)
        return replace(
            progress,
            step=max(progress.step - steps, 0),  # epochs may once have had fewer steps than now
            epoch=epoch,
            rows=progress.rows * epoch // max(progress.epoch, 1),
            epochs=max(progress.epochs - epochs, 1),
            losses=progress.losses[epochs:],
        )

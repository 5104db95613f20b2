"""What schedules share that follow the clock: whether it counts epochs or steps, and how far the plan goes."""

from typing import Literal

from pydantic import Field

from modnet import Progress, Schedule


class TimedSchedule(Schedule):
    """A rate that depends on how much time has passed, and on nothing else.

    Attributes
    ----------
    unit : {"epoch", "step"}
        What time is counted in. In steps the rate changes within an epoch, too.
    """

    unit: Literal["epoch", "step"] = Field(default="epoch", kw_only=True)

    def time(self, progress: Progress) -> int:
        """Return t: the epochs or steps behind us."""
        return progress.epoch if self.unit == "epoch" else progress.step

    def planned(self, progress: Progress) -> int:
        """Return T: the epochs or steps of the whole training, as planned."""
        return progress.epochs if self.unit == "epoch" else progress.epochs * progress.steps_per_epoch

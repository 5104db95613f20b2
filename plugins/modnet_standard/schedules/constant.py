"""Constant: the learning rate that does not change."""

from modnet import Progress, Schedule


class Constant(Schedule):
    """The optimizer's own learning rate, at every step.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Constant
    >>> Constant().rate(0.1, Progress(step=1000))
    0.1
    """

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return `learning_rate`."""
        return learning_rate

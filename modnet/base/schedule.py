"""A schedule is the learning rate as a function of the progress of training."""

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Sequence

from modnet.component import Component


@dataclasses.dataclass
class Progress:
    """How far training has come.

    Parameters
    ----------
    step, epoch : int
        Steps and epochs behind us, from 0.
    rows : int
        Rows seen in the epochs behind us.
    plateaus : int
        How often progress had ended by the rule that stops training, and the schedule asked to go on.
    steps_per_epoch : float
        Steps that an epoch takes, on average.
    epochs : int
        What is planned; behind a warm-up that ended within an epoch, what is left of it, so many steps on average.
    losses : sequence of float
        What is watched, lower being better, for each epoch behind us: the training loss, or with early stopping the
        validation loss or the negative score.
    """

    step: int = 0
    epoch: int = 0
    rows: int = 0
    plateaus: int = 0
    steps_per_epoch: float = 1
    epochs: int = 1
    losses: Sequence[float] = ()


class Schedule(Component, kind="schedule"):
    """A learning rate that depends on the progress of training, and on nothing else."""

    @property
    def lowest(self) -> float:
        """When progress ends, training goes on at the next rate if the present one is above this; inf lets it stop."""
        return math.inf

    @property
    def ends(self) -> bool:
        """Whether it comes down to its last rate at the end of the planned training, which then runs to that end."""
        return False

    @abstractmethod
    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return the rate of the next step.

        Parameters
        ----------
        learning_rate : float
            The optimizer's own, > 0.
        progress : Progress
            How far training has come.

        Returns
        -------
        float
            ≥ 0.
        """

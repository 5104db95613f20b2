"""Schedules that never climb: they go by time, by the rows seen, or by how training progresses.

Time is counted in epochs or steps; the rate goes down where the loss has stopped falling.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from modnet import Converted, Count, Progress, Schedule

__all__ = ["Adaptive", "Constant", "Exponential", "InverseScaling", "MultiStep", "Plateau", "Polynomial", "Step"]


class TimedSchedule(Schedule):
    """A rate that depends on how much time has passed, and on nothing else.

    Parameters
    ----------
    unit : {"epoch", "step"}
        What time is counted in. In steps the rate changes within an epoch, too.
    """

    unit: Literal["epoch", "step"] = Field(default="epoch", kw_only=True)

    def time(self, progress: Progress) -> int:
        """Return t, the time that has passed.

        Parameters
        ----------
        progress : Progress
            How far training has come.

        Returns
        -------
        int
            The epochs or steps behind us.
        """
        return progress.epoch if self.unit == "epoch" else progress.step

    def planned(self, progress: Progress) -> int:
        """Return T, the time of the whole training, as planned.

        Parameters
        ----------
        progress : Progress
            How far training has come.

        Returns
        -------
        int
            Epochs or steps.
        """
        return progress.epochs if self.unit == "epoch" else round(progress.epochs * progress.steps_per_epoch)


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

    milestones: Converted[Annotated[tuple[Count, ...], Field(min_length=1)], Sequence[int]]
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


class Polynomial(TimedSchedule):
    """Polynomial decay: η = η₁ + (η₀ − η₁)(1 − t/T)^power, and η₁ from T on; a line by default.

    Parameters
    ----------
    total : int, optional
        T, ≥ 1; None: all of the planned training.
    power : float
        > 0; 1 is a line.
    end_rate : float
        Last rate η₁, ≥ 0.
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

    @property
    def ends(self) -> bool:
        """With the plan, unless it has a length of its own."""
        return self.total is None

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₁ + (η₀ − η₁)(1 − t/T)^power."""
        total = self.total or self.planned(progress)
        left = 1 - min(self.time(progress), total) / total
        return self.end_rate + (learning_rate - self.end_rate) * float(left**self.power)


class InverseScaling(Schedule):
    """Inverse scaling: η = η₀ / (1 + t)^power, t being the rows of the epochs behind us; it changes between them.

    Parameters
    ----------
    power : float
        ≥ 0; by Robbins and Monro's conditions more than 0.5 and at most 1.

    References
    ----------
    Robbins & Monro (1951), A stochastic approximation method, Ann. Math. Statist. 22; ``learning_rate="invscaling"`` in
    sklearn.neural_network.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import InverseScaling
    >>> InverseScaling().rate(0.1, Progress(rows=99))
    0.01
    """

    power: Annotated[float, Field(ge=0)] = 0.5

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ / (1 + t)^power."""
        return float(learning_rate / (1 + progress.rows) ** self.power)


class Plateau(Schedule):
    """A decay on plateaus: η = max(η₀ · factor^k, min_rate) after k of them.

    A plateau is more than `patience` epochs in a row without a better loss.
    What is watched is the training loss, or with early stopping the validation loss or the negative score. k is at
    least how often progress has ended by the rule that stops training (`n_iter_no_change` epochs in a row without an
    improvement of `tol`): training goes on at a lower rate then, and stops when progress ends at `min_rate`.

    Parameters
    ----------
    factor : float
        What the rate is multiplied by, in (0, 1).
    patience : int
        How many epochs in a row may pass without a better loss, ≥ 0.
    threshold : float
        Share of the best loss by which a better one has to be lower, in [0, 1).
    cooldown : int
        Epochs after a plateau that do not count, ≥ 0.
    min_rate : float
        The smallest rate, ≥ 0; it never raises η₀.

    References
    ----------
    torch.optim.lr_scheduler.ReduceLROnPlateau, whose smallest rate is 0 by default; 1e-6 is scikit-learn's for
    ``learning_rate="adaptive"``.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Plateau
    >>> schedule = Plateau(factor=0.5, patience=1)
    >>> [schedule.rate(0.1, Progress(losses=losses)) for losses in ([], [3, 2, 2], [3, 2, 2, 2], [3, 2, 2, 2, 1])]
    [0.1, 0.1, 0.05, 0.05]
    """

    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=0)] = 10
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.0001
    cooldown: Annotated[int, Field(ge=0)] = 0
    min_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-6

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it patient, and impatient with a cooldown."""
        return cls(), cls(0.5, 1, 0.01, 2, 0.0)

    @property
    def lowest(self) -> float:
        """The smallest rate: above it there is something left to try."""
        return self.min_rate

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return max(η₀ · factor^k, min_rate)."""
        seen = _plateaus(_Losses(progress.losses), self.patience, self.threshold, self.cooldown)
        k = max(seen, progress.plateaus)  # both may have noticed the same plateau: hence not the sum
        return max(learning_rate * self.factor**k, min(self.min_rate, learning_rate))


class _Losses(tuple[float, ...]):
    """Losses as the key of a cache: hashed by the last one only, since hashing them all takes as long as counting."""

    def __hash__(self) -> int:
        """Return a hash that equal losses share."""
        return hash((len(self), self[-1:]))


@lru_cache(maxsize=64)
def _plateaus(losses: _Losses, patience: int, threshold: float, cooldown: int) -> int:
    """Return how many there were; from a cache, since each step asks, but losses change between epochs only."""
    best, waited, rest, k = float("inf"), 0, 0, 0
    for loss in losses:
        if loss < min(best * (1 - threshold), best * (1 + threshold)):  # the second where losses are negative
            best, waited = loss, 0
        else:
            waited += 1
        if rest > 0:
            rest, waited = rest - 1, 0
        if waited > patience:
            k, rest, waited = k + 1, cooldown, 0
    return k


class Adaptive(Schedule):
    """The adaptive rate of scikit-learn: η = η₀ / factor^p, p being how often progress has ended.

    Training stops when it ends at η ≤ 1e-6.
    Progress ends by the rule that would stop training otherwise: `n_iter_no_change` epochs in a row without an
    improvement of `tol`.

    Parameters
    ----------
    factor : float
        What the rate is divided by, > 1.

    References
    ----------
    ``learning_rate="adaptive"`` in sklearn.neural_network.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Adaptive
    >>> Adaptive().rate(0.1, Progress(plateaus=1))
    0.02
    """

    factor: Annotated[float, Field(gt=1)] = 5.0

    @property
    def lowest(self) -> float:
        """1e-6, as in scikit-learn."""
        return 1e-6

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ / factor^p."""
        return float(learning_rate / self.factor**progress.plateaus)

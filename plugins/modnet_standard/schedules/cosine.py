"""Schedules along half a cosine wave, and a warm-up in front of any schedule.

The waves follow the clock; what comes after a warm-up sees only the progress made since.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field

from modnet import Count, Progress, Schedule, Slot, Unit, default
from modnet_standard.schedules.decays import Adaptive, TimedSchedule

__all__ = ["Cosine", "CosineRestarts", "Coslog", "FlatCosine", "OneCycle", "WarmUp"]


class Cosine(TimedSchedule):
    """Cosine annealing: η = η₁ + ½ (η₀ − η₁)(1 + cos(π t/T)), and η₁ from T on.

    Parameters
    ----------
    total : int, optional
        T, ≥ 1; None: all of the planned training.
    min_rate : float
        Last rate η₁, ≥ 0.
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

    @property
    def ends(self) -> bool:
        """With the plan, unless it has a length of its own."""
        return self.total is None

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₁ + ½ (η₀ − η₁)(1 + cos(π t/T))."""
        total = self.total or self.planned(progress)
        wave = math.cos(math.pi * min(self.time(progress), total) / total)
        return self.min_rate + 0.5 * (learning_rate - self.min_rate) * (1 + wave)


class FlatCosine(TimedSchedule):
    """Flat, then a cosine: η₀ for a share s of the planned training, then ½ η₀ (1 + cos(π (t/T − s)/(1 − s))).

    Parameters
    ----------
    share : float
        Share s of the training, in [0, 1).
    unit : {"epoch", "step"}
        What t and T are counted in; here steps by default.

    References
    ----------
    Howard & Gugger (2020), fastai: a layered API for deep learning, Information 11; ``fit_flat_cos`` in fastai.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import FlatCosine
    >>> schedule = FlatCosine(0.5)
    >>> [round(schedule.rate(0.1, Progress(step=step, epochs=20)), 4) for step in (0, 10, 15, 20)]
    [0.1, 0.1, 0.05, 0.0]
    """

    share: Annotated[float, Field(ge=0, lt=1)] = 0.75
    unit: Literal["epoch", "step"] = Field(default="step", kw_only=True)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it by steps and by epochs."""
        return cls(), cls(0.2, unit="epoch")

    @property
    def ends(self) -> bool:
        """With the plan."""
        return True

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀, or ½ η₀ (1 + cos(π (t/T − s)/(1 − s)))."""
        gone = min(self.time(progress) / self.planned(progress), 1.0)
        return 0.5 * learning_rate * (1 + math.cos(math.pi * max(gone - self.share, 0.0) / (1 - self.share)))


class Coslog(TimedSchedule):
    """Cosine waves, each about twice as long as the one before: η = ½ η₀ (1 − cos(2π log₂(1 + (2ᵏ − 1) t/T))).

    Each of the k waves begins and ends at 0; behind T it stays there.

    Parameters
    ----------
    waves : int
        Their number k, ≥ 1.
    unit : {"epoch", "step"}
        What t and T, the planned training, are counted in; here steps by default: at t = 0 nothing moves.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS, sec. 3 (``coslog_4``).

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Coslog
    >>> [round(Coslog(2).rate(0.1, Progress(step=step, epochs=30)), 4) for step in (0, 4, 10, 20, 30)]
    [0.0, 0.0998, 0.0, 0.093, 0.0]
    """

    waves: Count = 4
    unit: Literal["epoch", "step"] = Field(default="step", kw_only=True)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it by steps and by epochs."""
        return cls(), cls(2, unit="epoch")

    @property
    def ends(self) -> bool:
        """With the plan."""
        return True

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return ½ η₀ (1 − cos(2π log₂(1 + (2ᵏ − 1) t/T)))."""
        gone = min(self.time(progress) / self.planned(progress), 1.0)
        return 0.5 * learning_rate * (1 - math.cos(2 * math.pi * math.log2(1 + (2**self.waves - 1) * gone)))


class CosineRestarts(TimedSchedule):
    """Cosine annealing with restarts: η = η₁ + ½ (η₀ − η₁)(1 + cos(π t/T)), t counted from the start of each period.

    Parameters
    ----------
    period : int
        T of the first period, ≥ 1.
    multiplier : int
        How many times longer each period is than the one before, ≥ 1.
    min_rate : float
        Last rate η₁, ≥ 0.
    unit : {"epoch", "step"}
        What t and T are counted in.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR, eq. 5;
    torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import CosineRestarts
    >>> schedule = CosineRestarts(10, multiplier=2)
    >>> [round(schedule.rate(0.1, Progress(epoch=epoch)), 4) for epoch in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.1, 0.05, 0.1]
    """

    period: Count
    multiplier: Count = 1
    min_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return periods of one length, and longer and longer ones."""
        return cls(4), cls(3, 2, 0.001, unit="step")

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₁ + ½ (η₀ − η₁)(1 + cos(π t/T))."""
        t, T = self.time(progress), self.period
        if self.multiplier == 1:
            t %= T
        while t >= T:
            t, T = t - T, T * self.multiplier
        return self.min_rate + 0.5 * (learning_rate - self.min_rate) * (1 + math.cos(math.pi * t / T))


class OneCycle(TimedSchedule):
    """One cycle: from η₀/div_factor up to η₀ in pct_start of the time, then down to η₀/(div_factor · final_div_factor).

    The optimizer's learning rate is the largest. Both ways are half a cosine wave, or a line.

    Parameters
    ----------
    total : int, optional
        Length of the cycle, ≥ 1; None: all of the planned training.
    pct_start : float
        Share of the cycle that the rate climbs in, in [0, 1].
    div_factor : float
        How many times smaller the first rate is than the largest, ≥ 1.
    final_div_factor : float
        How many times smaller the last rate is than the first, ≥ 1.
    anneal_strategy : {"cosine", "linear"}
        The way between them.
    unit : {"epoch", "step"}
        What time is counted in; here steps by default.

    References
    ----------
    Smith & Topin (2019), Super-convergence: very fast training of neural networks using large learning rates, SPIE
    11006; torch.optim.lr_scheduler.OneCycleLR, with two phases and without a cycle of the momentum.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import OneCycle
    >>> schedule = OneCycle(101, anneal_strategy="linear", pct_start=21 / 101)
    >>> [round(schedule.rate(0.1, Progress(step=step)), 6) for step in (0, 10, 20, 60, 100)]
    [0.004, 0.052, 0.1, 0.05, 0.0]
    """

    total: Count | None = None
    pct_start: Unit = 0.3
    div_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 25.0
    final_div_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1e4
    anneal_strategy: Literal["cosine", "linear"] = "cosine"
    unit: Literal["epoch", "step"] = Field(default="step", kw_only=True)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both ways, over the planned steps and over some epochs."""
        return cls(), cls(15, 0.25, anneal_strategy="linear", unit="epoch")

    @property
    def ends(self) -> bool:
        """With the plan, unless it has a length of its own."""
        return self.total is None

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return the rate on the way up, or on the way down."""
        last = (self.total or self.planned(progress)) - 1
        top = self.pct_start * (last + 1) - 1  # in PyTorch's count the rate at t = 0 is part of the climb
        t = min(self.time(progress), last)
        first = learning_rate / self.div_factor
        if t < top:
            return self._between(first, learning_rate, t / top)
        down = (t - top) / (last - top) if last > top else 0.0
        return self._between(learning_rate, first / self.final_div_factor, down)

    def _between(self, start: float, end: float, share: float) -> float:
        """Return the rate after a share of the way from start to end."""
        gone = share if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2
        return start * (1 - gone) + end * gone


class WarmUp(TimedSchedule):
    """Linear warm-up: η = η₀ (s + (1 − s) t/T) for t < T, s being `start_factor`; then what another schedule says.

    The other schedule sees the progress since T: it starts at its own beginning, and its plan is what is left.

    Parameters
    ----------
    length : int
        T, ≥ 1.
    start_factor : float
        First share s of the rate, in (0, 1].
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
    then: Slot[Schedule | None] = default(None)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it alone, and in front of schedules of epochs and of steps."""
        return cls(), cls(2, then=Cosine()), cls(7, 0.1, OneCycle(), unit="step"), cls(then=Adaptive())

    @property
    def lowest(self) -> float:
        """That of the schedule behind it."""
        return super().lowest if self.then is None else self.then.lowest

    @property
    def ends(self) -> bool:
        """As the schedule behind it."""
        return self.then is not None and self.then.ends

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ (s + (1 − s) t/T), or what follows."""
        t = self.time(progress)
        if t < self.length:
            return learning_rate * (self.start_factor + (1 - self.start_factor) * t / self.length)
        return learning_rate if self.then is None else self.then.rate(learning_rate, self._since(progress))

    def _since(self, progress: Progress) -> Progress:
        """Return the progress made after the warm-up."""
        per_epoch = progress.steps_per_epoch
        epochs, steps = self.length, round(self.length * per_epoch)
        if self.unit == "step":
            epochs, steps = int(self.length // per_epoch), self.length
        epoch, left = max(progress.epoch - epochs, 0), max(progress.epochs - epochs, 1)
        steps_left = round(progress.epochs * per_epoch) - steps
        return replace(
            progress,
            step=max(progress.step - steps, 0),  # epochs may once have had fewer steps than now
            epoch=epoch,
            rows=progress.rows * epoch // max(progress.epoch, 1),
            epochs=left,
            steps_per_epoch=steps_left / left if steps_left > 0 else per_epoch,
            losses=progress.losses[epochs:],
        )

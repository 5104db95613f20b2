"""The contracts of initializers, schedules and constraints."""

import copy
import math
from dataclasses import asdict

import numpy as np

from modnet.base import Constraint, Initializer, Progress, Schedule
from modnet.testing.failure import expect, expect_same
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules, undisturbed

INITIALIZERS, SCHEDULES, CONSTRAINTS = Rules(), Rules(), Rules()
# Initializers

_SHAPES = ((4, 3), (1, 3), (3, 1), (3,), (2, 3, 4), (1, 1))


@INITIALIZERS.add()
def samples_have_the_shape_asked_for(initializer: Initializer) -> None:
    """`sample` returns finite float64 of the shape asked for, with one axis or several.

    Usually: np.full or np.eye of another shape, or float32: what is drawn is rounded where θ is float32
    """
    for shape in _SHAPES:
        values = initializer.sample(np.random.default_rng(0), shape)
        expect(isinstance(values, np.ndarray), f"sample should return an array, got {type(values).__name__}")
        expect(values.shape == shape, f"sample(rng, {shape}) has shape {values.shape}")
        expect(values.dtype == np.float64, f"sample(rng, {shape}) has dtype {values.dtype}, not float64")
        expect(np.isfinite(values).all(), f"sample(rng, {shape}) is {values.tolist()}")


@INITIALIZERS.add()
def the_seed_decides(initializer: Initializer) -> None:
    """The same seed gives the same values, and the only source of randomness is the rng.

    Usually: numpy.random, or a generator made in `sample`: draw from the rng that is given
    """
    rng = np.random.default_rng(0)
    start = copy.deepcopy(rng.bit_generator.state)
    with undisturbed(initializer):
        values = initializer.sample(rng, (20, 20))
    again = initializer.sample(np.random.default_rng(0), (20, 20))
    expect_same("a sample", again, values, "with one seed", "with the same seed before")
    different = len(np.unique(values))
    expect(
        rng.bit_generator.state != start or different <= 20,
        f"{different} different numbers in shape (20, 20), but nothing was drawn from the rng",
    )


@INITIALIZERS.add()
def every_sample_is_an_array_of_its_own(initializer: Initializer) -> None:
    """What `sample` returns belongs to the caller, who may write to it.

    Usually: one array, kept and returned each time
    """
    one, other = (initializer.sample(np.random.default_rng(0), (4, 3)) for _ in range(2))
    expect(one.flags.writeable, "the array is read-only: return a copy")
    expect(not np.shares_memory(one, other), "two samples share their memory: return a fresh array")


# Schedules


def _progress(step: int, *, steps_per_epoch: int, epochs: int, losses: str, plateaus: int = 0) -> Progress:
    epoch = step // steps_per_epoch
    watched = {
        "falling": [1 / (n + 1) for n in range(epoch)],
        "flat": [1.0] * epoch,
        "rising": [*map(float, range(epoch))],
    }
    plan = {"steps_per_epoch": steps_per_epoch, "epochs": epochs}
    return Progress(step=step, epoch=epoch, rows=32 * step, plateaus=plateaus, losses=watched[losses], **plan)


POINTS = (
    *(_progress(n, steps_per_epoch=10, epochs=20, losses="falling") for n in (0, 1, 9, 10, 57, 100, 199, 200, 500)),
    *(_progress(n, steps_per_epoch=10, epochs=20, losses="flat", plateaus=n // 50) for n in (50, 100, 199, 1000)),
    *(_progress(n, steps_per_epoch=3, epochs=50, losses="rising") for n in (7, 70, 149)),
    *(_progress(n, steps_per_epoch=1, epochs=1, losses="flat") for n in (0, 1, 2)),
)
"""Points of trainings: planned ones, some that go on beyond the plan, and one that ends with its first step."""


@SCHEDULES.add()
def rates_are_finite_and_not_negative(schedule: Schedule) -> None:
    """`rate` is a finite float ≥ 0 at every point of a training, also behind the end of its plan.

    Usually: a rate that goes on falling behind the end of the plan, or np.float64: return float(…)
    """
    for progress in POINTS:
        rate = schedule.rate(0.1, progress)
        expect(type(rate) is float, f"rate should be a float, got {type(rate).__name__} at {_point(progress)}")
        expect(0 <= rate < math.inf, f"rate(0.1, …) is {rate} at {_point(progress)}")
    expect(isinstance(schedule.lowest, float), f"lowest should be a float, got {type(schedule.lowest).__name__}")


@SCHEDULES.add()
def rates_depend_on_the_progress_alone(schedule: Schedule) -> None:
    """The rate depends on the progress and on nothing else: in any order, any number of times; it changes nothing.

    Usually: a count or a best loss kept on the schedule: work it out from progress.step, epoch and losses
    """
    with undisturbed(schedule):
        forwards = [schedule.rate(0.1, progress) for progress in POINTS]
        for progress, rate in zip(reversed(POINTS), reversed(forwards), strict=True):
            before = copy.deepcopy(asdict(progress))
            again = schedule.rate(0.1, progress)
            expect(again == rate, f"rate is {rate} and, asked in another order, {again} at {_point(progress)}")
            expect(asdict(progress) == before, f"the progress was changed: {_point(progress)}")


def _point(progress: Progress) -> str:
    text = f"step {progress.step}, epoch {progress.epoch} of {progress.epochs}, plateaus {progress.plateaus}"
    return f"{text}, {progress.steps_per_epoch} steps per epoch"


# Constraints


def _weights() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = [scale * rng.normal(size=shape) for scale in (0.01, 1.0, 10.0) for shape in ((4, 3), (1, 3), (2, 4, 3))]
    zeros = rng.normal(size=(4, 3))
    zeros[:, 1] = 0
    every = (*drawn, zeros, np.full((4, 3), 1e4), np.full((4, 3), -1e4), np.empty((0, 3)))
    return [each.astype(dtype) for dtype in FLOATS for each in every]


@CONSTRAINTS.add()
def it_projects_in_place(constraint: Constraint) -> None:
    """`project` changes W itself, returns nothing and leaves finite numbers, in float32 and float64.

    Usually: `W = …`, which binds a new array to the name: write W[...] = …, or out=W
    """
    changed = False
    for W in _weights():
        before = W.copy()
        with undisturbed(constraint):
            returned = constraint.project(W)
        expect(returned is None, f"project should return None, got {type(returned).__name__}")
        expect(np.isfinite(W).all(), f"project made {W.tolist()} of {before.tolist()}")
        changed |= not np.array_equal(W, before)
    expect(changed, "project changed none of the weights that it was tried on")


@CONSTRAINTS.add()
def what_is_allowed_stays_as_it_is(constraint: Constraint) -> None:
    """Values that are allowed do not change; so a second projection changes nothing, to the last bit.

    Usually: a step towards the allowed values (W *= 0.9) in place of one into them, or a bound that rounding misses
    """
    for W in _weights():
        constraint.project(W)
        once = W.copy()
        constraint.project(W)
        expect_same("W", W, once, "projected twice", "projected once")


@CONSTRAINTS.add()
def matrices_are_projected_each_by_itself(constraint: Constraint) -> None:
    """Matrices along a leading axis are projected each by itself.

    Usually: axes counted from the front: columns are axis −1, rows axis −2
    """
    W = np.random.default_rng(0).normal(scale=2, size=(3, 4, 2))
    alone = W.copy()
    constraint.project(W)
    for index, one in enumerate(alone):
        constraint.project(one)
        expect_same("W", W[index], one, f"as matrix {index} of 3", "by itself", rtol=1e-13)

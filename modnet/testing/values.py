"""The contracts of functions of numbers: initializers, schedules, constraints, and activations.

Of activations, `f` and `df` are called by themselves here; what holds for all modules holds for them as well.
"""

import copy
import math
from dataclasses import asdict
from functools import partial
from typing import NamedTuple, Self

import numpy as np

from modnet.base import Activation, Array, Constraint, Initializer, Progress, Schedule
from modnet.testing.comparing import check_gradient, expect, expect_same, shown
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules, for_cases, undisturbed

INITIALIZERS, SCHEDULES, CONSTRAINTS, ACTIVATIONS = Rules(), Rules(), Rules(), Rules()

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
    text = f"{different} different numbers in shape (20, 20), but nothing was drawn from the rng"
    expect(rng.bit_generator.state != start or different <= 20, text)


@INITIALIZERS.add()
def every_sample_is_an_array_of_its_own(initializer: Initializer) -> None:
    """What `sample` returns belongs to the caller, who may write to it.

    Usually: one array, kept and returned each time
    """
    one, other = (initializer.sample(np.random.default_rng(0), (4, 3)) for _ in range(2))
    expect(one.flags.writeable, "the array is read-only: return a copy")
    expect(not np.shares_memory(one, other), "two samples share their memory: return a fresh array")


# Schedules


def _progress(step: int, per_epoch: int, epochs: int, power: int, plateaus: int = 0) -> Progress:
    """Return the progress where losses are 1, 2, 3, … to a power: they fall, stay or rise."""
    epoch = step // per_epoch
    plan = {"steps_per_epoch": per_epoch, "epochs": epochs, "epoch": epoch, "rows": 32 * step}
    return Progress(step=step, losses=[float(n + 1) ** power for n in range(epoch)], plateaus=plateaus, **plan)


POINTS = (
    *(_progress(step, 10, 20, -1) for step in (0, 1, 9, 10, 57, 100, 199, 200, 500)),
    *(_progress(step, 10, 20, 0, plateaus=step // 50) for step in (50, 100, 199, 1000)),
    *(_progress(step, 3, 50, 1) for step in (7, 70, 149)),
    *(_progress(step, 1, 1, 0) for step in (0, 1, 2)),
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


@SCHEDULES.add()
def the_rate_goes_by_that_of_the_optimizer(schedule: Schedule) -> None:
    """Another learning rate of the optimizer gives other rates.

    Usually: `learning_rate` left out: a factor is returned in place of learning_rate times it
    """
    one, other = ([schedule.rate(each, progress) for progress in POINTS] for each in (0.1, 0.2))
    expect(one != other, f"rates are {one[0]:.6g}, … for a learning rate of 0.1, and the same for 0.2")


@SCHEDULES.add()
def a_schedule_that_ends_is_at_its_last_rate_then(schedule: Schedule) -> None:
    """If `ends`, the end of the plan is the lowest point of the way there, below the highest, and the last.

    Usually: `ends` of a schedule that has a length of its own, or goes on falling: leave it False
    """
    expect(type(schedule.ends) is bool, f"ends should be a bool, got {schedule.ends!r}")
    for per_epoch, epochs in ((10, 20), (3, 50)) if schedule.ends else ():
        planned = per_epoch * epochs
        *way, end, later = (
            schedule.rate(0.1, _progress(step, per_epoch, epochs, -1)) for step in (*range(planned + 1), 2 * planned)
        )
        found = f"rates of a plan of {epochs} epochs lie in [{min(way):.3g}, {max(way):.3g}]"
        expect(end <= min(way) + 1e-12 and end < max(way), f"{found}, and the last is {end:.3g}")
        expect(abs(later - end) < 1e-12, f"behind the end of the plan the rate goes on from {end:.3g} to {later:.3g}")


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


# Activations

_KINKS = np.arange(-16, 17) / 2
_BESIDE = np.sort(np.concatenate([_KINKS - 1e-3, _KINKS + 1e-3])).reshape(11, 6)
"""Both sides of every multiple of a half from −8 to 8: where functions that are made of pieces are joined."""


def derivative(activation: Activation, z: Array, a: Array, da: Array, out: Array | None = None) -> Array:
    """Return dz; what the class does not read is None, as in a network."""
    reads = activation.reads
    return activation.df(z if "x" in reads else None, a if "y" in reads else None, da, out=out)


class _Arrays(NamedTuple):
    """What an activation is tried on: z, and the gradient of its output."""

    activation: Activation
    z: Array
    da: Array

    @classmethod
    def of(cls, activation: Activation, rows: int = 4, features: int = 3) -> Self:
        """Return normal numbers."""
        z, da = np.random.default_rng(0).normal(size=(2, 4, 3))
        return cls(activation, z[:rows, :features], da[:rows, :features])

    @classmethod
    def beside_kinks(cls, activation: Activation, at: tuple[int, int] | None = None) -> Self:
        """Return both sides of all kinks, or one of them alone."""
        row, column = (slice(None), slice(None)) if at is None else (slice(index, index + 1) for index in at)
        da = np.random.default_rng(0).uniform(0.5, 1.5, _BESIDE.shape)
        return cls(activation, _BESIDE[row, column], da[row, column])

    def example(self) -> str:
        """Return both as a failed check shows them."""
        return shown({"z": self.z, "da": self.da})


_SMALLER = [{"rows": rows, "features": features} for rows, features in ((1, 1), (1, 2), (2, 1))]
_FOR_ARRAYS = for_cases(_Arrays.of, lambda activation: {}, lambda activation, case: _SMALLER)
_FOR_KINKS = for_cases(
    _Arrays.beside_kinks,
    lambda activation: {},
    lambda activation, case: [{"at": at} for at in sorted(np.ndindex(_BESIDE.shape), key=lambda at: abs(_BESIDE[at]))],
)


@ACTIVATIONS.add(_FOR_KINKS)
def the_derivative_is_right_on_both_sides_of_kinks(arrays: _Arrays) -> None:
    """The derivative dz = da ∘ σ'(z) is right to 1e-6 at ±1e-3 beside every multiple of a half from −8 to 8.

    Usually: the derivative of one piece used on the other side of a kink, or a threshold that differs in f and df
    """
    activation, z, da = arrays
    check_gradient(lambda z: da * activation.f(z), z, derivative(activation, z, activation.f(z), da), subject="dz")


@ACTIVATIONS.add(_FOR_ARRAYS)
def out_is_written_and_returned(arrays: _Arrays) -> None:
    """As in NumPy, `f` and `df` write into `out`, whatever it holds, and return it; the result is that without it.

    Usually: `out` not passed on to the last ufunc: np.exp(z, out=out), or `out[...] = …; return out`
    """
    activation, z, da = arrays
    a = activation.f(z)
    for name, call in (("f", partial(activation.f, z)), ("df", partial(derivative, activation, z, a, da))):
        expected = call()
        out = np.full_like(expected, np.nan)
        expect(call(out=out) is out, f"{name}(…, out=out) returned another array than out")
        expect_same(f"what {name} returns", out, expected, "with out", "without")


@ACTIVATIONS.add(_FOR_ARRAYS, applies=lambda activation: "x" not in activation.reads)
def z_may_be_overwritten(arrays: _Arrays) -> None:
    """Where `reads` leaves out "x", `out` of `f` may be z itself.

    Usually: z looked at again after the first write to out; or reads should name 'x'
    """
    place, f = arrays.z.copy(), arrays.activation.f
    expect_same("f(z)", f(place, out=place), f(arrays.z), "with out=z", "without")


@ACTIVATIONS.add()
def any_shape_will_do(activation: Activation) -> None:
    """`f` and `df` take arrays with any leading axes, and keep shape and dtype.

    Usually: an axis given by number from the front: features are axis −1, and other axes are none of its business
    """
    rng = np.random.default_rng(0)
    for dtype in FLOATS:
        z, da = rng.normal(size=(2, 3, 2, 4)).astype(dtype)
        a = activation.f(z)
        dz = derivative(activation, z, a, da)
        for name, array in (("f", a), ("df", dz)):
            expect(array.dtype == dtype, f"{name} made dtype {array.dtype} of {np.dtype(dtype)}")
            expect(array.shape == z.shape, f"{name} made shape {array.shape} of {z.shape}")
        close = 8 * float(np.finfo(dtype).eps)
        for index in np.ndindex(3, 2):
            d_alone = derivative(activation, z[index], a[index], da[index])
            for name, alone, among in (("f", activation.f(z[index]), a[index]), ("df", d_alone, dz[index])):
                expect_same(name, alone, among, "of one row", "of it among others", rtol=close, atol=close)


@ACTIVATIONS.add(applies=lambda activation: activation.formulas() is not None)
def formulas_say_what_f_and_df_say(activation: Activation) -> None:
    """The formulas of one number give what `f` and `df` give, to 1e-9; so accelerators may compile them.

    Usually: formulas of another branch, or of another convention for z and a
    """
    formulas = activation.formulas()
    assert formulas is not None
    value, slope = formulas
    z = _BESIDE.ravel()
    a = activation.f(z)
    dz = derivative(activation, z, a, np.ones_like(z))
    values = np.array([value(each) for each in z.tolist()])
    slopes = np.array([slope(each, value(each)) for each in z.tolist()])
    for name, found, expected in (("σ(z)", values, a), ("σ'(z)", slopes, dz)):
        expect_same(name, found, expected, "by the formula", "by the class", rtol=1e-9, atol=1e-12)

"""Initializers, schedules and constraints with one slip each, and the checks that find them."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Constraint, Initializer, Schedule
from modnet.constraints import MaxNorm
from modnet.initializers import Constant, GlorotUniform, Identity, Values
from modnet.schedules import OneCycle, Plateau

# Initializers


class WrongShape(Initializer):
    """Always a matrix."""

    def sample(self, rng, shape):
        return rng.normal(size=(shape[-1], shape[-1]))


class Float32(Initializer):
    """Rounded too early."""

    def sample(self, rng, shape):
        return rng.normal(size=shape).astype(np.float32)


class OwnGenerator(Initializer):
    """Makes a generator of its own, the same each time."""

    def sample(self, rng, shape):
        return np.random.default_rng(0).normal(size=shape)


class GlobalNumbers(Initializer):
    """Draws from numpy.random."""

    def sample(self, rng, shape):
        return np.random.normal(size=shape)  # noqa: NPY002


class ReadOnly(Initializer):
    """Returns a view that nobody can write to."""

    def sample(self, rng, shape):
        return np.broadcast_to(0.5, shape)


class SameAgain(Initializer):
    """Keeps what it drew, and returns it again."""

    drawn: ClassVar[dict] = {}

    def sample(self, rng, shape):
        if shape not in self.drawn:
            self.drawn[shape] = np.full(shape, 0.5)
        return self.drawn[shape]


class Infinite(Initializer):
    """Divides by the fan less one."""

    def sample(self, rng, shape):
        with np.errstate(all="ignore"):
            return rng.uniform(size=shape) / np.float64(shape[-1] - 1)


# Schedules


class Remembers(Schedule):
    """Lowers the rate each time it is asked."""

    asked: ClassVar[list] = []

    def rate(self, learning_rate, progress):
        self.asked.append(progress.step)
        return learning_rate / len(self.asked)


class BelowZero(Schedule):
    """Falls on behind the end of the plan."""

    def rate(self, learning_rate, progress):
        return learning_rate * (1 - progress.epoch / progress.epochs)


class Blows(Schedule):
    """Divides by the epochs that are left."""

    def rate(self, learning_rate, progress):
        left = progress.epochs - progress.epoch
        return learning_rate / left if left else float("inf")


class FactorAlone(Schedule):
    """Returns the factor without the rate."""

    def rate(self, learning_rate, progress):
        return 0.9**progress.epoch


class NumpyRate(Schedule):
    """Returns a number of NumPy's."""

    def rate(self, learning_rate, progress):
        return np.float64(learning_rate)


class ChangesProgress(Schedule):
    """Counts in the progress."""

    def rate(self, learning_rate, progress):
        progress.plateaus += 1
        return learning_rate


class EndsTooEarly(Schedule):
    """Is at its last rate after three epochs, but not at the end of the plan."""

    ends = True

    def rate(self, learning_rate, progress):
        return learning_rate / (1 + progress.epoch) if progress.epoch < 3 else learning_rate


class GoesOnFalling(Schedule):
    """Falls on behind the end of the plan, where it says that it ends."""

    ends = True

    def rate(self, learning_rate, progress):
        return float(learning_rate * 0.9**progress.epoch)


class EndsFlat(Schedule):
    """Says that it ends, and never changes."""

    ends = True

    def rate(self, learning_rate, progress):
        return learning_rate


# Constraints


class Shrinks(Constraint):
    """Goes towards the allowed values, not into them."""

    def project(self, W):
        W *= 0.9


class Rebinds(Constraint):
    """Binds a new array to the name."""

    def project(self, W):
        W = np.maximum(W, 0)


class Returns(Constraint):
    """Returns what it should leave in place."""

    def project(self, W):
        return np.maximum(W, 0, out=W)


class DividesByZero(Constraint):
    """Brings columns to length 1, also those that have none."""

    def project(self, W):
        W /= np.sqrt(np.square(W).sum(axis=-2, keepdims=True))


class FrontAxis(Constraint):
    """No column's sum of absolute values above 1, with columns along axis 0."""

    def project(self, W):
        total = np.abs(W).sum(axis=0, keepdims=True)
        W /= np.maximum(np.nextafter(total, np.inf, dtype=W.dtype), 1)


ENDLESS = (EndsTooEarly, GoesOnFalling, EndsFlat)

BROKEN = [
    (WrongShape(), {"samples_have_the_shape_asked_for"}, set()),
    (Float32(), {"samples_have_the_shape_asked_for"}, set()),
    (OwnGenerator(), {"the_seed_decides"}, set()),
    (GlobalNumbers(), {"the_seed_decides"}, set()),
    (ReadOnly(), {"every_sample_is_an_array_of_its_own"}, set()),
    (SameAgain(), {"every_sample_is_an_array_of_its_own", "the_seed_decides"}, set()),
    (Infinite(), {"samples_have_the_shape_asked_for"}, set()),
    (Remembers(), {"rates_depend_on_the_progress_alone"}, set()),
    (BelowZero(), {"rates_are_finite_and_not_negative"}, set()),
    (Blows(), {"rates_are_finite_and_not_negative"}, set()),
    (NumpyRate(), {"rates_are_finite_and_not_negative"}, set()),
    (FactorAlone(), {"the_rate_goes_by_that_of_the_optimizer"}, set()),
    (ChangesProgress(), {"rates_depend_on_the_progress_alone"}, set()),
    *((each(), {"a_schedule_that_ends_is_at_its_last_rate_then"}, set()) for each in ENDLESS),
    (Shrinks(), {"what_is_allowed_stays_as_it_is"}, set()),
    (Rebinds(), {"it_projects_in_place"}, set()),
    (Returns(), {"it_projects_in_place"}, set()),
    (DividesByZero(), {"it_projects_in_place"}, {"what_is_allowed_stays_as_it_is"}),
    (FrontAxis(), {"matrices_are_projected_each_by_itself"}, {"what_is_allowed_stays_as_it_is"}),
]


@pytest.mark.parametrize(("component", "by", "also"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, component, by, also):
    found = set(failures(component))
    assert by <= found <= by | also


RIGHT = [GlorotUniform(), Values((0.5,)), Constant(0.1), Identity(), OneCycle(), Plateau(), MaxNorm()]


@pytest.mark.parametrize("component", RIGHT, ids=repr)
def test_what_is_right_passes(failures, component):
    assert failures(component) == {}

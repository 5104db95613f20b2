"""Optimizers and solvers with one slip each, and the checks that find them."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Optimizer, OptimizerState, Solver
from modnet.optimizers import LBFGS, SGD, Adam

FALLS = {"the_loss_falls", "float32_walks_as_float64"}


class Plain(Optimizer):
    """Θ ← θ − η g, as it should be; others change a line."""

    def init(self, theta, layout):
        return OptimizerState(self.learning_rate, layout)

    def step(self, theta, grad, state):
        state.step += 1
        grad *= state.learning_rate
        theta -= grad


class Rebinds(Plain):
    """Binds a new θ to the name."""

    def step(self, theta, grad, state):
        state.step += 1
        theta = theta - state.learning_rate * grad


class Returns(Plain):
    """Returns the new θ, as a function of another house would."""

    def step(self, theta, grad, state):
        super().step(theta, grad, state)
        return theta


class KeepsGrad(Plain):
    """Keeps the gradient as its momentum."""

    def step(self, theta, grad, state):
        super().step(theta, grad, state)
        state.vectors["last"] = grad


class StateIsTheta(Plain):
    """Starts its mean of θ as θ itself."""

    def init(self, theta, layout):
        return OptimizerState(self.learning_rate, layout, vectors={"mean": theta})


class OwnMemory(Plain):
    """Keeps its momentum on the class."""

    velocity: ClassVar[dict] = {}

    def step(self, theta, grad, state):
        state.step += 1
        v = self.velocity[theta.size] = 0.9 * self.velocity.get(theta.size, 0) + grad
        theta -= (state.learning_rate * v).astype(theta.dtype)


class CountsNothing(Plain):
    """Does not count its steps."""

    def step(self, theta, grad, state):
        theta -= state.learning_rate * grad


class OwnRate(Plain):
    """Goes by its own learning rate, whatever the schedule says."""

    def init(self, theta, layout):
        return OptimizerState(self.learning_rate, layout)

    def step(self, theta, grad, state):
        state.step += 1
        theta -= self.learning_rate * grad


class Climbs(Plain):
    """Θ ← θ + η g."""

    def step(self, theta, grad, state):
        state.step += 1
        theta += state.learning_rate * grad


class Divides(Plain):
    """Steps of one length: g / |g|, which is NaN for zero."""

    def step(self, theta, grad, state):
        state.step += 1
        theta -= state.learning_rate * grad / np.abs(grad)


class Float64State(Plain):
    """Its vectors are float64, whatever θ is."""

    def init(self, theta, layout):
        return OptimizerState(self.learning_rate, layout, vectors={"scratch": np.zeros(theta.shape)})

    def step(self, theta, grad, state):
        state.step += 1
        theta -= (state.learning_rate * grad).astype(theta.dtype)


class NoStart(Plain):
    """Starts at another rate than its own."""

    def init(self, theta, layout):
        return OptimizerState(2 * self.learning_rate, layout)


class Jitters(Plain):
    """Adds noise of numpy.random's to the step."""

    def step(self, theta, grad, state):
        super().step(theta, grad, state)
        theta += (1e-9 * np.random.normal(size=theta.shape)).astype(theta.dtype)  # noqa: NPY002


BROKEN = [
    (Rebinds(), {"theta_is_changed_in_place_and_keeps_its_dtype"}, FALLS),
    (Returns(), {"theta_is_changed_in_place_and_keeps_its_dtype"}, set()),
    (KeepsGrad(), {"the_state_has_memory_of_its_own"}, set()),
    (StateIsTheta(), {"the_state_has_memory_of_its_own"}, set()),
    (OwnMemory(), {"all_that_is_remembered_is_in_the_state", "two_runs_do_not_meet"}, None),
    (CountsNothing(), {"steps_are_counted"}, set()),
    (OwnRate(), {"the_rate_of_a_step_is_the_one_in_the_state"}, set()),
    (Climbs(), {"the_loss_falls"}, set()),
    (Divides(), {"steps_stay_finite"}, {"theta_is_changed_in_place_and_keeps_its_dtype"}),
    (Float64State(), {"theta_is_changed_in_place_and_keeps_its_dtype"}, set()),
    (
        NoStart(),
        {"init_makes_a_state_and_leaves_theta_alone"},
        {"the_rate_of_a_step_is_the_one_in_the_state"},
    ),
    (Jitters(), {"all_that_is_remembered_is_in_the_state"}, None),
]


class Descent(Solver):
    """Steps of a tenth along −∇J, as it should be; others change a line."""

    def minimize(self, objective, theta, *, max_iter, tol, after):
        for _ in range(100 * max_iter if max_iter > 100 else max_iter):
            _, grad = objective(theta.astype(np.float64))
            if np.abs(grad).max() <= max(tol, 1e-6 if theta.dtype == np.float64 else 1e-5):
                return True
            theta -= (0.3 * grad).astype(theta.dtype)
            if after(theta, objective(theta.astype(np.float64))[0]):
                break
        return False


class LeavesTheta(Descent):
    """Leaves the result in an array of its own."""

    def minimize(self, objective, theta, **options):
        return super().minimize(objective, theta.copy(), **options)


class TellsNobody(Descent):
    """Does not call `after`."""

    def minimize(self, objective, theta, *, after, **options):
        return super().minimize(objective, theta, after=lambda theta, J: False, **options)


class GoesOn(Descent):
    """Does not look at what `after` returns."""

    def minimize(self, objective, theta, *, after, **options):
        return super().minimize(objective, theta, after=lambda theta, J: bool(after(theta, J) and 0), **options)


class Wanders(Descent):
    """Starts somewhere."""

    def minimize(self, objective, theta, **options):
        theta += np.random.default_rng().normal(size=theta.shape).astype(theta.dtype)
        return super().minimize(objective, theta, **options)


BROKEN_SOLVERS = [
    (LeavesTheta(), {"it_finds_the_minimum"}),
    (TellsNobody(), {"it_tells_of_every_iteration_and_stops_when_told"}),
    (GoesOn(), {"it_tells_of_every_iteration_and_stops_when_told"}),
    (Wanders(), {"it_takes_the_same_way_again", "it_finds_the_minimum"}),
]


@pytest.mark.parametrize(("optimizer", "by", "also"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, optimizer, by, also):
    found = set(failures(optimizer))
    assert by <= found
    if also is not None:
        assert found <= by | also


@pytest.mark.parametrize(("solver", "by"), BROKEN_SOLVERS, ids=[type(each[0]).__name__ for each in BROKEN_SOLVERS])
def test_a_slip_of_a_solver_is_caught(failures, solver, by):
    assert set(failures(solver)) == by


@pytest.mark.parametrize("optimizer", [Plain(), SGD(momentum=0.9), Adam(), LBFGS(), Descent()], ids=repr)
def test_what_is_right_passes(failures, optimizer):
    assert failures(optimizer) == {}

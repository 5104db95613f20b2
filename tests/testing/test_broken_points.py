"""Optimizers whose θ in training does not predict, with one slip each, and the checks that find them."""

from typing import ClassVar

import numpy as np
import pytest
from support.optimizers import Muon, ScheduleFreeAdamW

from modnet import Layout, Optimizer, OptimizerState

DECAY = "what_others_change_in_theta_stays"
FROZEN = "what_is_frozen_keeps_its_bits"


class Averaged(Optimizer):
    """Steps of z, whose running mean x predicts, as it should be; others change a line."""

    own_points: ClassVar[bool] = True
    slip: ClassVar[str] = ""

    def init(self, theta, layout):
        vectors = {"z": theta.copy(), "x": theta.copy()}
        return OptimizerState(self.learning_rate, layout, vectors=vectors)

    def step(self, theta, grad, state):
        state.step += 1
        z, x = state.vectors["z"], state.vectors["x"]
        weights = slice(0, state.layout.regularized)
        grad[weights] += self.weight_decay * theta[weights]
        z -= state.learning_rate * state.layout.rates * grad
        x += 0.3 * (z - x)
        theta[...] = z

    def predicts(self, theta, state):
        return state.vectors["x"]


class ForgetsDecay(Averaged):
    """Shrinks nothing."""

    def step(self, theta, grad, state):
        grad[: state.layout.regularized] -= self.weight_decay * theta[: state.layout.regularized]
        super().step(theta, grad, state)


class ShrinksAll(Averaged):
    """Shrinks biases, too."""

    def step(self, theta, grad, state):
        grad[state.layout.regularized :] += self.weight_decay * theta[state.layout.regularized :]
        super().step(theta, grad, state)


class ForgetsRates(Averaged):
    """Goes by one rate, whatever the groups say."""

    def step(self, theta, grad, state):
        state.step += 1
        grad[: state.layout.regularized] += self.weight_decay * theta[: state.layout.regularized]
        state.vectors["z"] -= state.learning_rate * grad
        state.vectors["x"] += 0.3 * (state.vectors["z"] - state.vectors["x"])
        theta[...] = state.vectors["z"]


class Mixes(Averaged):
    """Mixes two points that are equal where layers are frozen, and rounds."""

    def step(self, theta, grad, state):
        before = state.vectors["x"].copy()
        super().step(theta, grad, state)
        state.vectors["x"][...] = 0.7000001 * before + 0.2999999 * state.vectors["z"]


class PredictsStart(Averaged):
    """Publishes where it began."""

    def init(self, theta, layout):
        state = super().init(theta, layout)
        state.vectors["start"] = theta.copy()
        return state

    def predicts(self, theta, state):
        return state.vectors["start"]


class PredictsInPlace(Averaged):
    """Turns z into what predicts, as a mode for evaluation would."""

    def predicts(self, theta, state):
        state.vectors["z"] += 0.5 * (state.vectors["x"] - state.vectors["z"])
        return state.vectors["z"]


class PredictsFloat64(Averaged):
    """Publishes another shape than θ's."""

    def predicts(self, theta, state):
        return state.vectors["x"][np.newaxis]


class SaysNothing(Averaged):
    """Has points of its own, and does not say so."""

    own_points: ClassVar[bool] = False


class WritesStart(Averaged):
    """Makes θ its own in `init`."""

    def init(self, theta, layout):
        theta *= 0.5
        return super().init(theta, layout)


class OtherLayout(Averaged):
    """Keeps another layout than it was given."""

    def init(self, theta, layout):
        return super().init(theta, Layout.flat(theta.size))


INIT, LOOKS = "init_makes_a_state_and_leaves_theta_alone", "predicts_only_looks"
OTHER_WAY, FACTOR = "the_opposite_gradient_leads_the_other_way", "a_factor_is_another_learning_rate"
BROKEN = [
    (ForgetsDecay(), {DECAY}),
    (ShrinksAll(), {DECAY}),
    (ForgetsRates(), {FROZEN, FACTOR}),
    (Mixes(), {FROZEN}),
    (PredictsStart(), {OTHER_WAY, "the_loss_falls", FROZEN}),
    (PredictsInPlace(), {LOOKS}),
    (PredictsFloat64(), {LOOKS}),
    (SaysNothing(), {DECAY}),
    (WritesStart(), {INIT}),
    (OtherLayout(), {INIT}),
]


@pytest.mark.parametrize(("optimizer", "by"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, optimizer, by):
    found = failures(optimizer)
    print({name: str(error) for name, error in found.items()})
    assert by <= set(found)


@pytest.mark.parametrize("optimizer", [Averaged(), ScheduleFreeAdamW(), Muon()], ids=repr)
def test_what_is_right_passes(failures, optimizer):
    assert failures(optimizer) == {}

"""Curves: what is a rise, a jump, and no more than noise."""

import numpy as np
import pytest

from modnet.diagnosis.model import overfitting, rising_loss

FALLING = [*np.exp(-np.linspace(0, 5, 50))]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_falling_loss_is_fine_at_any_scale(scale: float):
    assert not list(rising_loss([scale * each for each in FALLING], 0.1))


def test_a_loss_that_trembles_where_it_has_settled_is_fine():
    noise = 0.02 * np.random.default_rng(0).random(50)
    assert not list(rising_loss([*(np.array(FALLING) + noise)], 0.1))


def test_a_loss_that_rises_again_is_a_problem():
    (finding,) = rising_loss([*FALLING, 0.1, 0.2, 0.4], 0.1)
    assert finding.severity == "problem"
    assert "lowest in epoch 50 (0.00674) and rose to 0.4 since" in finding.found
    assert finding.remedy.startswith("learning rate: 0.1, try 0.01")


def test_a_loss_that_rises_from_the_start_is_a_problem():
    (finding,) = rising_loss([1.0, 1.5, 2.0, 4.0, 8.0], 0.1)
    assert "lowest in epoch 1" in finding.found


def test_a_loss_that_jumps_is_a_note():
    (finding,) = rising_loss([2.0, *([1.0, 1.6] * 10), 1.0], 0.1)
    assert finding.severity == "note"
    assert "jumps" in finding.found


def test_a_loss_below_zero_may_go_on_falling():
    assert not list(rising_loss([1.0, 0.3, -0.5, -1.2, -2.0, -2.1], 0.1))


def test_a_loss_that_is_not_finite_is_a_problem_after_any_epoch():
    (finding,) = rising_loss([1.0, np.nan], None)
    assert finding.severity == "problem"


@pytest.mark.parametrize("curve", [[], [1.0], [1.0, 2.0]])
def test_few_epochs_make_no_curve(curve: list[float]):
    assert not list(rising_loss(curve, 0.1))


def test_a_solver_has_no_learning_rate_to_be_too_high():
    assert not list(rising_loss([*FALLING, 0.1, 0.2, 0.4], None))


def test_a_validation_loss_that_settles_above_the_training_loss_is_fine():
    assert not list(overfitting(FALLING, [each + 0.2 for each in FALLING], kept_best=False))


def test_a_rising_validation_loss_is_fine_if_the_best_weights_were_put_back():
    rising = [1.0, 0.5, 0.6, 0.9, 1.2]
    assert not list(overfitting(FALLING[:5], rising, kept_best=True))
    assert [finding.check for finding in overfitting(FALLING[:5], rising, kept_best=False)] == ["overfitting"]

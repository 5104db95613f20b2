"""Training in two stages: what the scout and the cool-down are, each held against an ordinary training."""

import math

import numpy as np
import pytest

from modnet.errors import NonFiniteError
from modnet.layers import Dense
from modnet.optimizers import SGD, Adam
from modnet.schedules import Cosine, WarmUp
from modnet.training import Data, train_in_stages

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
T = np.tanh(X @ RNG.normal(size=(3, 2))) + 0.3 * RNG.normal(size=(60, 2))
WHOLE = Data(X, T)
FIRST, HELD_OUT = WHOLE.rows(slice(0, 45)), WHOLE.rows(slice(45, 60))
LAYERS = [Dense(30, "tanh"), Dense(2)]
SETTINGS = {"batch_size": 10, "tol": 0, "n_iter_no_change": 5, "alpha": 0}


def staged(prepared, *, optimizer=None, whole=WHOLE, held_out=HELD_OUT, hooks=None, **settings):
    """Train in two stages; return the trainer and the history."""
    settings = {**SETTINGS, "max_iter": 200, "early_stopping": True, **settings}
    trainer = prepared(LAYERS, FIRST, optimizer=optimizer or Adam(0.02), **settings)
    return trainer, train_in_stages(trainer, FIRST, held_out, whole, **(hooks or {}))


@pytest.mark.parametrize("optimizer", [Adam, SGD, lambda rate, **more: Adam(rate, ema=0.9, **more)])
def test_the_stages_are_two_ordinary_trainings(prepared, optimizer):
    trainer, history = staged(prepared, optimizer=optimizer(0.02))
    scout = prepared(
        LAYERS,
        FIRST,
        optimizer=optimizer(0.02, schedule=WarmUp(6, 1 / 6, unit="step")),  # 1.2 epochs of five steps
        early_stopping=True,
        max_iter=100,
        **SETTINGS,
    )
    before = scout.fit(FIRST, HELD_OUT)
    assert history.best_epoch == before.best_epoch < len(before.losses) - 1
    assert history.validation_losses == before.validation_losses
    cooling = prepared(
        LAYERS,
        WHOLE,
        optimizer=optimizer(0.02, schedule=Cosine(unit="step")),
        theta=scout.theta,
        max_iter=before.best_epoch + 1,
        **SETTINGS,
    )
    cooling.shuffle_rng = scout.shuffle_rng
    after = cooling.fit(WHOLE)
    np.testing.assert_array_equal(trainer.theta, cooling.theta)
    assert history.losses == before.losses + after.losses
    assert history.learning_rates == before.learning_rates + after.learning_rates


@pytest.mark.parametrize("cooldown", [0.1, 0.5, 1, 2.5])
def test_the_cool_down_is_a_share_of_the_best_epoch_and_goes_through_all_rows(prepared, cooldown: float):
    trainer, history = staged(prepared, cooldown=cooldown)
    scout = len(history.validation_losses)
    cool = max(1, round(cooldown * (history.best_epoch + 1)))
    assert len(history.losses) == scout + cool
    assert trainer.progress.rows == 45 * scout + 60 * cool


@pytest.mark.parametrize("max_iter", range(1, 14))
@pytest.mark.parametrize("cooldown", [0.3, 1, 4])
def test_max_iter_bounds_both_stages_together(prepared, max_iter: int, cooldown: float):
    _, history = staged(prepared, max_iter=max_iter, cooldown=cooldown)
    assert len(history.validation_losses) == max(1, int(max_iter / (1 + cooldown)))
    assert len(history.validation_losses) + (max_iter > 1) <= len(history.losses) <= max_iter


def test_of_equal_epochs_the_last_is_the_best(prepared):
    _, history = staged(prepared, max_iter=30, hooks={"score": lambda: 0.5})
    assert history.best_epoch == 14
    trainer = prepared(LAYERS, FIRST, early_stopping=True, max_iter=4, **SETTINGS)
    trainer.fit(FIRST, HELD_OUT, score=lambda: 0.5)
    until = prepared(LAYERS, FIRST, max_iter=4, **SETTINGS)
    until.fit(FIRST)
    np.testing.assert_array_equal(trainer.theta, until.theta)


def test_a_given_set_is_watched_in_both_stages_and_never_learnt_from(prepared):
    one, other = (
        staged(prepared, whole=FIRST, held_out=Data(X[45:], t), hooks={"score": lambda: 1.0}, max_iter=20)
        for t in (T[45:], T[:15])
    )
    assert [len(curve) for curve in (one[1].validation_losses, one[1].validation_scores, one[1].losses)] == [20] * 3
    assert one[1].validation_losses != other[1].validation_losses
    np.testing.assert_array_equal(one[0].theta, other[0].theta)


@pytest.mark.parametrize("stage", ["scout", "cool-down"])
def test_a_callback_stops_training_in_either_stage(prepared, stage: str):
    scout = len(staged(prepared, max_iter=40)[1].validation_losses)
    last = 3 if stage == "scout" else scout + 2
    begun = []
    hooks = {"on_begin": lambda: begun.append(None), "on_epoch": lambda history: len(history.losses) == last}
    trainer, history = staged(prepared, max_iter=40, hooks=hooks)
    assert history.stopped
    assert len(history.losses) == len(begun) == last
    if stage == "scout":
        assert trainer.evaluate(HELD_OUT) == min(history.validation_losses)


def test_a_cool_down_that_diverges_says_in_which_epoch_of_both_stages(prepared):
    scout = len(staged(prepared, max_iter=20)[1].validation_losses)
    with pytest.raises(NonFiniteError, match=rf"in epoch {scout + 1}, step {5 * scout + 1},"):
        staged(prepared, max_iter=20, whole=Data(X, T * 1e200))


def test_one_step_per_epoch_needs_no_warm_up(prepared):
    _, history = staged(prepared, batch_size=100, max_iter=6)
    rates = [0.02] * 3 + [0.01 * (1 + math.cos(math.pi * t / 3)) for t in range(3)]
    assert history.learning_rates == pytest.approx(rates)

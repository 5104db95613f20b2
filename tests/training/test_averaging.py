"""EMA and SWA: the mean that predicts is the mean of the points that training went through, and training goes on."""

import copy

import numpy as np
import pytest

from modnet import ModNetRegressor
from modnet.errors import InvalidSpecError
from modnet.layers import Dense
from modnet.optimizers import SGD, Adam
from modnet.training import Data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
T = X @ RNG.normal(size=(3, 2)) + RNG.normal(size=(40, 2))
DATA = Data(X, T)
PLAN = {"batch_size": 10, "max_iter": 8, "tol": 0}


def path(prepared, optimizer, epochs):
    """Return θ after each step of a training without averaging, and the trainer."""
    points = []

    class Noting(type(optimizer)):
        def step(self, theta, grad, state):
            super().step(theta, grad, state)
            points.append(theta.copy())

    trainer = prepared([Dense(2)], DATA, optimizer=Noting(optimizer.learning_rate), **PLAN)
    for _ in range(epochs):
        trainer.epoch(DATA)
    return np.array(points), trainer


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_ema_is_the_running_mean_of_the_points_after_each_step(prepared, decay):
    points, _ = path(prepared, Adam(0.05), epochs=3)
    mean = points[0]
    for point in points[1:]:
        mean = decay * mean + (1 - decay) * point
    trainer = prepared([Dense(2)], DATA, optimizer=Adam(0.05, ema=decay), **PLAN)
    for _ in range(3):
        trainer.epoch(DATA)
    np.testing.assert_allclose(trainer.theta, mean, rtol=1e-12)


def test_swa_is_the_mean_of_the_ends_of_the_later_epochs(prepared):
    points, _ = path(prepared, SGD(0.2), epochs=8)
    ends = points[3::4]  # four steps an epoch
    trainer = prepared([Dense(2)], DATA, optimizer=SGD(0.2, swa=0.5), **PLAN)
    for epoch in range(8):
        trainer.epoch(DATA)
        expected = ends[epoch] if epoch < 4 else ends[4 : epoch + 1].mean(axis=0)
        np.testing.assert_allclose(trainer.theta, expected, rtol=1e-12)


@pytest.mark.parametrize("setting", [{"ema": 0.9}, {"swa": 0.0}], ids=str)
def test_training_goes_on_from_its_own_point_not_from_the_mean(prepared, setting):
    points, plain = path(prepared, SGD(0.2), epochs=4)
    averaged = prepared([Dense(2)], DATA, optimizer=SGD(0.2, **setting), **PLAN)
    losses = [averaged.epoch(DATA) for _ in range(4)]
    np.testing.assert_array_equal(averaged.optimizer_state.moving, points[-1])
    again = prepared([Dense(2)], DATA, optimizer=SGD(0.2), **PLAN)
    assert losses == [again.epoch(DATA) for _ in range(4)]
    assert plain.theta is not averaged.theta


def test_the_validation_loss_and_the_best_weights_are_those_of_the_mean(prepared):
    held_out = Data(X[:10], T[:10])
    trainer = prepared([Dense(2)], DATA, optimizer=SGD(0.5, ema=0.9), early_stopping=True, **PLAN)
    history = trainer.fit(DATA, held_out)
    assert trainer.evaluate(held_out) == min(history.validation_losses)
    assert trainer.optimizer_state.average is None


def test_the_mean_of_a_noisy_walk_is_better_than_its_end(prepared):
    exact = np.linalg.lstsq(np.hstack([X, np.ones((40, 1))]), T)[0].ravel()
    settings = {"batch_size": 1, "max_iter": 30, "tol": 0, "alpha": 0}
    ends = {}
    for name, optimizer in {"plain": SGD(0.1), "swa": SGD(0.1, swa=0.3)}.items():
        trainer = prepared([Dense(2)], DATA, optimizer=optimizer, **settings)
        trainer.fit(DATA)
        ends[name] = np.linalg.norm(trainer.theta - exact)
    assert ends["swa"] < 0.5 * ends["plain"]


def test_partial_fit_carries_the_mean_and_the_point_along():
    model = ModNetRegressor((4,), optimizer=Adam(0.01, ema=0.9), random_state=0)
    whole = copy.deepcopy(model)
    for _ in range(3):
        model.partial_fit(X, T)
    assert model.optimizer_state_.averaged == 3
    assert np.any(model.optimizer_state_.moving != model.theta_)
    for _ in range(2):
        whole.partial_fit(X, T)
    whole = copy.deepcopy(whole).partial_fit(X, T)
    np.testing.assert_array_equal(whole.theta_, model.theta_)


def test_two_means_are_one_too_many():
    with pytest.raises(InvalidSpecError, match="ema and swa are two means"):
        SGD(ema=0.9, swa=0.5)

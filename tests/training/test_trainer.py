"""The training loop on problems whose answer is known, and what it promises about seeds, weights and dtypes."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge

from modnet import Module, Schedule
from modnet.activations import Tanh
from modnet.errors import ShapeError
from modnet.layers import Dense, Dropout, Residual
from modnet.losses import CrossEntropy, SquaredError
from modnet.optimizers import SGD, Adam
from modnet.testing import check_gradient
from modnet.training import Data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
T = X @ RNG.normal(size=(3, 2)) + RNG.normal(size=(1, 2)) + 0.3 * RNG.normal(size=(60, 2))
WEIGHT = RNG.uniform(0.2, 3, 60)
LONG = {"max_iter": 4000, "n_iter_no_change": 4000, "tol": 0, "batch_size": 60}
DEEP = [Dense(6, "tanh"), Residual([Dense(6), Dropout(0.3)]), Dense(2)]


def affine(X):
    return np.hstack([X, np.ones((len(X), 1))])


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("optimizer", "atol"),
    [(SGD(0.2, 0.9), 1e-10), (SGD(0.2, 0.9, True), 1e-10), (Adam(0.03), 1e-3)],  # Adam at a fixed rate keeps trembling
    ids=repr,
)
def test_a_linear_network_finds_the_least_squares_solution(optimizer, atol, weight, prepared):
    root = np.sqrt(np.ones(60) if weight is None else weight)[:, np.newaxis]
    expected, *_ = np.linalg.lstsq(root * affine(X), root * T)
    trainer = prepared([Dense(2)], Data(X, T, weight), optimizer=optimizer, alpha=0, **LONG)
    trainer.fit(Data(X, T, weight))
    np.testing.assert_allclose(trainer.theta.reshape(4, 2), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_decay_makes_it_ridge_regression_with_a_free_intercept(weight, prepared):
    ridge = Ridge(alpha=5.0).fit(X, T, sample_weight=weight)
    trainer = prepared([Dense(2)], Data(X, T, weight), optimizer=SGD(0.2, 0.9), alpha=5.0, **LONG)
    trainer.fit(Data(X, T, weight))
    np.testing.assert_allclose(trainer.theta[:6].reshape(3, 2), ridge.coef_.T, rtol=1e-8)
    np.testing.assert_allclose(trainer.theta[6:], ridge.intercept_, rtol=1e-8)


def test_cross_entropy_with_decay_makes_it_logistic_regression(prepared):
    t = (T[:, 0] > T[:, 1]).astype(float)
    expected = LogisticRegression(C=0.5, tol=1e-10).fit(X, t)
    data = Data(X, t[:, np.newaxis])
    trainer = prepared([Dense(1)], data, loss=CrossEntropy("sigmoid"), optimizer=SGD(0.5, 0.9), alpha=2.0, **LONG)
    trainer.fit(data)
    np.testing.assert_allclose(trainer.theta, [*expected.coef_[0], *expected.intercept_], rtol=1e-5)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_a_step_goes_along_the_gradient_of_the_whole_objective(alpha, weight, prepared):
    data = Data(X, T, weight)

    def step(theta):
        """Return the objective at θ, and its gradient: what one step of size 1 takes away."""
        trainer = prepared(DEEP, data, theta=theta.copy(), alpha=alpha, batch_size=60, optimizer=SGD(1.0))
        return trainer.epoch(data), theta - trainer.theta

    theta = prepared(DEEP, data).theta
    theta += 0.1 * np.random.default_rng(5).normal(size=theta.size)
    check_gradient(lambda theta: step(theta)[0], theta, step(theta)[1], subject="∇J")


def test_biases_are_not_decayed(prepared):
    data = Data(X, T)
    trainers = [prepared(DEEP, data, alpha=alpha, batch_size=60) for alpha in (0.0, 60.0)]
    for trainer in trainers:
        trainer.theta += 0.1
        trainer.epoch(data)
    plain, regularized = (trainer.network.parameters(trainer.theta) for trainer in trainers)
    for name, value in plain.items():
        assert np.array_equal(value, regularized[name]) == name.endswith(".b")


def test_the_loss_of_an_epoch_is_the_mean_over_all_rows(prepared):
    data = Data(X, T, WEIGHT)
    trainer = prepared([Dense(2)], data, alpha=0, batch_size=7, optimizer=SGD(1e-300))  # θ does not move
    assert trainer.epoch(data) == pytest.approx(trainer.evaluate(data), rel=1e-12)


def test_the_objective_of_a_batch_has_the_decay_in_it(prepared):
    data = Data(X, T, WEIGHT)
    trainer = prepared([Dense(2)], data, alpha=3.0, batch_size=60, optimizer=SGD(1e-300))
    W = trainer.theta[:6]
    assert trainer.epoch(data) == pytest.approx(trainer.evaluate(data) + 0.5 * 3 * (W @ W) / WEIGHT.sum(), rel=1e-12)


def test_training_ends_when_progress_does(prepared):
    history = prepared([Dense(2)], Data(X, T), tol=0.01, n_iter_no_change=3).fit(Data(X, T))
    assert history.converged
    assert history.losses[-4] > history.losses[-5] - 0.01
    assert history.best_epoch == np.argmin(history.losses)
    assert len(history.losses) == len(history.learning_rates) < 200


def test_training_ends_after_max_iter(prepared):
    history = prepared([Dense(2)], Data(X, T), max_iter=3, tol=0).fit(Data(X, T))
    assert len(history.losses) == 3
    assert not history.converged
    assert history.validation_losses == []


# Validation


def overfitting(prepared, **settings):
    """Train a wide network on ten noisy rows, far beyond its best epoch."""
    data, validation = Data(X[:10], T[:10]), Data(X[10:], T[10:])
    trainer = prepared(
        [Dense(50, "tanh"), Dense(2)],
        data,
        optimizer=Adam(0.03),
        max_iter=60,
        n_iter_no_change=60,
        alpha=0,
        early_stopping=True,
        **settings,
    )
    return trainer, validation, trainer.fit(data, validation)


def test_early_stopping_restores_the_best_epoch(prepared):
    trainer, validation, history = overfitting(prepared)
    curve = history.validation_losses
    assert history.best_epoch == np.argmin(curve) < len(curve) - 1
    assert trainer.evaluate(validation) == min(curve) < curve[-1]


def test_the_restored_weights_are_those_that_training_to_that_epoch_gives(prepared):
    trainer, _, history = overfitting(prepared)
    again = prepared([Dense(50, "tanh"), Dense(2)], Data(X[:10], T[:10]), optimizer=Adam(0.03), alpha=0)
    for _ in range(history.best_epoch + 1):
        again.epoch(Data(X[:10], T[:10]))
    np.testing.assert_array_equal(trainer.theta, again.theta)


def test_validation_stops_training_when_it_brings_no_progress(prepared):
    data, validation = Data(X[:10], T[:10]), Data(X[10:], T[10:])
    trainer = prepared([Dense(50, "tanh"), Dense(2)], data, optimizer=Adam(0.03), n_iter_no_change=5)
    history = trainer.fit(data, validation)
    assert history.converged
    assert len(history.validation_losses) == len(history.losses) < 200


def test_validation_draws_no_noise_and_changes_nothing(prepared):
    data = Data(X, T)
    trainer = prepared(DEEP, data)
    before = trainer.theta.copy()
    assert trainer.evaluate(data) == trainer.evaluate(data)
    np.testing.assert_array_equal(trainer.theta, before)


# Seeds


def trained(prepared, seeds, *, layers=DEEP, **settings):
    data = Data(X, T)
    trainer = prepared(layers, data, seeds=seeds, max_iter=3, **settings)
    trainer.fit(data)
    return trainer.theta


def test_same_seeds_give_the_same_bits(prepared):
    np.testing.assert_array_equal(
        trained(prepared, (0, 1, 2), batch_size=8), trained(prepared, (0, 1, 2), batch_size=8)
    )


@pytest.mark.parametrize("seeds", [(9, 1, 2), (0, 9, 2), (0, 1, 9)], ids=["theta", "order", "noise"])
def test_each_seed_matters(seeds, prepared):
    assert not np.array_equal(trained(prepared, (0, 1, 2), batch_size=8), trained(prepared, seeds, batch_size=8))


def test_the_order_does_not_depend_on_the_noise_nor_the_noise_on_the_order(prepared):
    without_dropout = [Dense(6, "tanh"), Dense(2)]
    first, second = (trained(prepared, (0, 1, noise), layers=without_dropout, batch_size=8) for noise in (2, 9))
    np.testing.assert_array_equal(first, second)


def test_a_single_batch_is_not_shuffled(prepared):
    np.testing.assert_array_equal(
        trained(prepared, (0, 1, 2), batch_size=60), trained(prepared, (0, 9, 2), batch_size=60)
    )


def test_without_shuffling_the_seed_of_the_order_is_not_used(prepared):
    first, second = (trained(prepared, (0, order, 2), batch_size=8, shuffle=False) for order in (1, 9))
    np.testing.assert_array_equal(first, second)


# Dtypes, progress


class Watch(Module):
    """y = x; it refuses what is not float32."""

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        assert x.dtype == ctx.out.dtype == np.float32
        return x.copy()

    def grad_input(self, ctx, dy):
        assert dy.dtype == np.float32
        return dy.copy()


@pytest.mark.parametrize("optimizer", [SGD(0.01, 0.9, True), Adam()], ids=repr)
@pytest.mark.parametrize("loss", [SquaredError(), CrossEntropy(), CrossEntropy("sigmoid")], ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_float32_stays_float32_through_everything(optimizer, loss, weighted, prepared):
    t = {"softmax": np.arange(60) % 2, "sigmoid": (T > 0).astype(np.float32)}.get(
        getattr(loss, "link", ""), T.astype(np.float32)
    )
    data = Data(X.astype(np.float32), t, WEIGHT.astype(np.float32) if weighted else None)
    layers = [Watch(), Dense(6, "sigmoid"), Watch(), *DEEP, Watch()]
    trainer = prepared(layers, data, loss=loss, optimizer=optimizer, batch_size=8, max_iter=3, alpha=0.1)
    history = trainer.fit(data, validation=data)
    assert {type(each) for each in (*history.losses, *history.validation_losses)} == {float}
    vectors = (trainer.theta, trainer.state, *trainer.optimizer_state.vectors.values())
    assert {vector.dtype for vector in vectors} == {np.dtype(np.float32)}
    assert trainer.network.predict(trainer.theta, trainer.state, data.x).dtype == np.float32


def test_schedules_see_every_step_and_what_is_planned(prepared):
    class Recorded(Schedule):
        def rate(self, learning_rate, progress):
            seen.append(
                (progress.step, progress.epoch, progress.steps_per_epoch, progress.epochs, len(progress.losses))
            )
            return learning_rate / (1 + progress.step)

    seen = []
    trainer = prepared([Dense(2)], Data(X, T), optimizer=SGD(0.1, schedule=Recorded()), batch_size=25, max_iter=3)
    history = trainer.fit(Data(X, T))
    assert seen == [(step, step // 3, 3, 3, step // 3) for step in range(9)]
    assert history.learning_rates == [0.1 / (1 + step) for step in (2, 5, 8)]


def test_reports_come_after_each_epoch(prepared):
    reports = []
    trainer = prepared([Dense(2)], Data(X, T), max_iter=3, tol=0)
    trainer.fit(Data(X, T), on_epoch=lambda history: reports.append((len(history.losses), history.seconds > 0)))
    assert reports == [(1, True), (2, True), (3, True)]


def test_training_reads_the_data_and_changes_theta_in_place(prepared):
    data = Data(X.copy(), T.copy(), WEIGHT.copy())
    for array in (data.x, data.t, data.weight):
        array.flags.writeable = False
    trainer = prepared(DEEP, data, batch_size=8, max_iter=2)
    theta, before = trainer.theta, trainer.theta.copy()
    trainer.fit(data, validation=data)
    assert trainer.theta is theta
    assert np.all(theta != before)


def test_sparse_rows_for_a_layer_that_takes_none_are_refused_before_training(prepared):
    data = Data(sparse.csr_array(np.eye(4)), np.zeros((4, 4)))
    with pytest.raises(ShapeError, match=r"layers\[0\] \(Tanh\) takes no sparse input"):
        prepared([Tanh()], data).fit(data)

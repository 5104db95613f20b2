"""Solvers and learning rates: L-BFGS where the minimum is known, its stopping, and schedules by their equations."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import scale
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor
from modnet.layers import Dropout
from modnet.neural_network import MLPRegressor
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.schedules import Adaptive, InverseScaling

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_diabetes(return_X_y=True)
X, y = scale(X), scale(y)
N = len(X)
WEIGHT = np.random.default_rng(0).uniform(0.1, 2, size=N)
# Weights, losses and α are compared with those of models that see y in its own units.
EXACT: dict[str, Any] = {
    "inputs": None,
    "optimizer": LBFGS(),
    "tol": 1e-8,
    "max_iter": 2000,
    "random_state": 0,
    "scale_target": False,
}
NET = ModNetRegressor((8,), optimizer=LBFGS(), max_iter=20, random_state=0)


# Minima that are known


def test_a_solver_that_begins_at_the_minimum_ends_there_and_says_that_nothing_was_learnt():
    points, classes = np.zeros((6, 1)), [0, 1, 2] * 2
    model = ModNetClassifier((), loss="cross_entropy", optimizer=LBFGS(), random_state=0)
    with pytest.warns(ConvergenceWarning, match="nothing was learnt"):
        model.fit(points, classes)
    assert model.loss_curve_ == []
    np.testing.assert_allclose(model.predict_proba(points), 1 / 3)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_a_linear_network_is_ridge_regression(alpha: float, weight: np.ndarray | None):
    # Both minimise ½ Σ wᵢ (ŷᵢ − yᵢ)² + ½ α ‖W‖², divided by Σ wᵢ here: the same α, the same minimum.
    model = ModNetRegressor((), alpha=alpha, **EXACT).fit(X, y, weight)
    ridge = Ridge(alpha=alpha).fit(X, y, weight)
    weights = model.network_.parameters(model.theta_)
    np.testing.assert_allclose(weights["output.W"][:, 0], ridge.coef_, atol=1e-3)
    np.testing.assert_allclose(weights["output.b"][0], ridge.intercept_, atol=1e-5)
    np.testing.assert_allclose(model.predict(X), ridge.predict(X), atol=1e-3)
    w = np.ones(N) if weight is None else weight
    minimum = 0.5 * (w @ (y - ridge.predict(X)) ** 2 + alpha * ridge.coef_ @ ridge.coef_) / w.sum()
    assert model.loss_curve_[-1] == pytest.approx(minimum, rel=1e-6)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_a_linear_network_with_poisson_loss_is_poisson_regression(weight: np.ndarray | None):
    # PoissonRegressor averages its loss before it adds ½ α ‖W‖²; here α is divided by Σ w.
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * X[:, 0] - 0.2 * X[:, 1]))
    total = N if weight is None else weight.sum()
    model = ModNetRegressor((), loss="poisson", alpha=10.0, **EXACT).fit(X, counts, weight)
    glm = PoissonRegressor(alpha=10.0 / total, tol=1e-9, max_iter=1000).fit(X, counts, weight)
    np.testing.assert_allclose(model.predict(X), glm.predict(X), rtol=1e-3)
    assert (model.predict(X) > 0).all()


def test_a_linear_network_is_logistic_regression():
    digits, codes = load_digits(return_X_y=True)
    digits, codes = digits[:300] / 16, codes[:300]
    model = ModNetClassifier((), loss="cross_entropy", alpha=1.0, **EXACT).fit(digits, codes)
    logistic = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(digits, codes)
    np.testing.assert_allclose(model.predict_proba(digits), logistic.predict_proba(digits), atol=1e-3)


def test_an_optimizer_finds_the_minimum_of_the_solver():
    settings: dict[str, Any] = {"alpha": 10.0, "max_iter": 300, "tol": 0.0, "n_iter_no_change": 300, "batch_size": N}
    descended = ModNetRegressor((), **{**CLASSIC, **settings, "optimizer": SGD(0.2, 0.8, nesterov=True)})
    with pytest.warns(ConvergenceWarning):
        descended.fit(X, y)
    solved = ModNetRegressor((), **{**EXACT, "alpha": 10.0}).fit(X, y)
    assert descended.loss_curve_[-1] == pytest.approx(solved.loss_curve_[-1], rel=1e-5)


# What a solver does and does not


def test_every_iteration_lowers_the_loss_and_is_counted():
    with pytest.warns(ConvergenceWarning):
        model = clone(NET).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 20
    assert (np.diff(model.loss_curve_) < 0).all()
    assert model.learning_rate_curve_ == []


def test_the_last_loss_is_that_of_the_weights():
    with pytest.warns(ConvergenceWarning):
        model = clone(NET).set_params(alpha=0.5).fit(X, y)
    W = model.theta_[: model.network_.layout.regularized]
    loss = 0.5 * np.mean((model.predict(X) - y) ** 2) + 0.5 * 0.5 / N * W @ W
    assert model.loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("max_iter", [1, 5])
def test_a_solver_that_runs_out_of_iterations_warns(max_iter: int):
    with pytest.warns(ConvergenceWarning, match="training stopped at max_iter ") as caught:
        model = clone(NET).set_params(max_iter=max_iter).fit(X, y)
    assert caught[0].filename == __file__
    assert model.n_iter_ == max_iter


def test_a_solver_that_runs_out_of_evaluations_warns():
    with pytest.warns(ConvergenceWarning):
        model = clone(NET).set_params(max_iter=1000, optimizer__max_fun=10).fit(X, y)
    assert model.n_iter_ <= 10


def test_convergence_is_no_warning():
    model = ModNetRegressor((), **EXACT).fit(X, y)
    assert model.n_iter_ < 2000


def test_more_history_needs_fewer_iterations():
    iterations = [ModNetRegressor((), **{**EXACT, "optimizer": LBFGS(size)}).fit(X, y).n_iter_ for size in (1, 20)]
    assert iterations[1] < iterations[0]


@quiet
def test_mini_batches_do_not_matter_to_a_solver():
    models = [
        clone(NET).set_params(batch_size=size, shuffle=shuffle) for size, shuffle in ((32, True), ("auto", False))
    ]
    thetas = [model.fit(X, y).theta_.tobytes() for model in models]
    assert thetas[0] == thetas[1]


@quiet
def test_float32_is_kept_and_learns_the_same():
    narrow, wide = clone(NET).fit(X.astype("f4"), y.astype("f4")), clone(NET).fit(X, y)
    assert narrow.theta_.dtype == narrow.predict(X).dtype == np.float32
    assert narrow.loss_curve_[-1] == pytest.approx(wide.loss_curve_[-1], rel=0.05)


@quiet
def test_the_noise_of_dropout_is_the_same_at_every_point():
    model = clone(NET).set_params(layers=(16, Dropout(0.3))).fit(X, y)
    assert (np.diff(model.loss_curve_) < 0).all()
    assert model.theta_.tobytes() == clone(model).fit(X, y).theta_.tobytes()


@quiet
def test_early_stopping_watches_the_iterations_of_a_solver():
    noise = np.random.default_rng(0).permutation(y)
    settings: dict[str, Any] = {"layers": (50,), "max_iter": 300, "n_iter_no_change": 5}
    stopped = clone(NET).set_params(early_stopping=True, validation_fraction=0.3, **settings).fit(X, noise)
    curve = stopped.validation_loss_curve_
    best = int(np.argmin(curve))
    assert len(curve) == stopped.n_iter_ < 300
    assert best < len(curve) - 1
    until = clone(stopped).set_params(max_iter=best + 1, n_iter_no_change=300).fit(X, noise)
    np.testing.assert_array_equal(stopped.theta_, until.theta_)


def test_a_solver_has_no_partial_fit_and_says_why():
    model = ModNetRegressor(optimizer="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        model.partial_fit(X, y)
    assert "a solver, which takes all data at once" in str(error.value.__cause__)
    assert hasattr(model.set_params(optimizer="adam"), "partial_fit")


def test_a_solver_goes_on_from_an_optimizer_and_back():
    model = ModNetRegressor((8,), warm_start=True, max_iter=5, random_state=0, optimizer=Adam(0.01))
    losses = []
    for optimizer in (Adam(0.01), LBFGS(), SGD(0.01)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            losses.append(model.set_params(optimizer=optimizer).fit(X, y).loss_curve_)
    assert losses[1][0] < losses[0][-1]
    assert losses[2][0] < losses[1][0]


# Schedules


@quiet
@pytest.mark.parametrize("power", [0.3, 0.5, 1.0])
def test_inverse_scaling_follows_its_equation(power: float):
    optimizer = SGD(0.1, schedule=InverseScaling(power))
    settings = {**CLASSIC, "optimizer": optimizer, "max_iter": 5, "batch_size": 50}
    model = ModNetRegressor((4,), random_state=0, **settings).fit(X, y)
    rows = N * np.arange(5)
    np.testing.assert_allclose(model.learning_rate_curve_, 0.1 / (1 + rows) ** power, rtol=1e-12)


@quiet
def test_inverse_scaling_goes_on_through_a_stream():
    model = ModNetRegressor((4,), optimizer=SGD(0.1, schedule=InverseScaling(0.5)), random_state=0)
    for rows in (100, 50, 200):
        model.partial_fit(X[:rows], y[:rows])
    np.testing.assert_allclose(model.learning_rate_curve_, 0.1 / np.sqrt(1 + np.array([0, 100, 150])), rtol=1e-12)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_adaptive_divides_the_rate_when_progress_ends_and_stops_at_the_lowest(early_stopping: bool):
    settings: dict[str, Any] = {"tol": 0.01, "n_iter_no_change": 2, "max_iter": 300, "early_stopping": early_stopping}
    model = ModNetRegressor((4,), optimizer=SGD(0.1, schedule=Adaptive(10.0)), random_state=0, **settings).fit(X, y)
    rates = np.array(model.learning_rate_curve_)
    watched = model.validation_loss_curve_ if early_stopping else model.loss_curve_
    expected, rate, best, waited = [], 0.1, np.inf, 0
    for loss in watched:
        expected.append(rate)
        waited = waited + 1 if loss > best - 0.01 else 0
        best = min(best, loss)
        if waited > 2:
            rate, waited = rate / 10, 0
    np.testing.assert_allclose(rates, expected, rtol=1e-9)
    assert rates[-1] <= 1e-6 < 10 * rates[-1] * 1.01
    assert model.n_iter_ < 300


@quiet
def test_schedules_of_the_drop_in_are_those_of_the_framework():
    drop_in = MLPRegressor(
        hidden_layer_sizes=(4,),
        solver="sgd",
        learning_rate="invscaling",
        power_t=0.3,
        learning_rate_init=0.1,
        max_iter=4,
    )
    np.testing.assert_allclose(drop_in.fit(X, y).learning_rate_curve_, 0.1 / (1 + N * np.arange(4)) ** 0.3, rtol=1e-12)


@quiet
def test_without_a_schedule_the_rate_is_constant():
    model = ModNetRegressor((4,), optimizer=Adam(0.02), early_stopping=False, max_iter=3).fit(X, y)
    assert model.learning_rate_curve_ == [0.02] * 3

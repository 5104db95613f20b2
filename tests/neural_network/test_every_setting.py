"""All combinations of solver, policy, activation, early stopping and shuffling: the numbers are scikit-learn's."""

import itertools
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import Ridge
from sklearn.preprocessing import scale

import modnet.neural_network as ours

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, CODES = load_digits(return_X_y=True)
DIGITS, CODES = DIGITS[:150] / 16, CODES[:150]
FEATURES, SCORE = load_diabetes(return_X_y=True)
FEATURES, SCORE = scale(FEATURES[:150]), scale(SCORE[:150])
DATA: dict[str, tuple[str, np.ndarray, np.ndarray]] = {
    "binary": ("MLPClassifier", DIGITS, np.where(CODES > 4, "large", "small")),
    "multiclass": ("MLPClassifier", DIGITS, CODES),
    "multilabel": ("MLPClassifier", DIGITS, np.column_stack([CODES % 2, CODES % 3 == 0, CODES > 4]).astype(int)),
    "regression": ("MLPRegressor", FEATURES, SCORE),
}
SOLVERS: dict[str, dict[str, Any]] = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd, constant": {"solver": "sgd", "learning_rate_init": 0.02},
    "sgd, invscaling": {"solver": "sgd", "learning_rate_init": 0.1, "learning_rate": "invscaling"},
    "sgd, adaptive": {"solver": "sgd", "learning_rate_init": 0.05, "learning_rate": "adaptive", "tol": 0.1},
    "lbfgs": {"solver": "lbfgs"},
}
COMMON: dict[str, Any] = {"hidden_layer_sizes": (6,), "random_state": 5, "max_iter": 6, "n_iter_no_change": 2}


def fitted(module: Any, task: str, **params: Any) -> Any:
    name, X, y = DATA[task]
    return getattr(module, name)(**{**COMMON, **params}).fit(X, y)


@pytest.mark.parametrize(
    ("task", "activation"),
    [
        ("binary", "relu"),
        ("multilabel", "tanh"),
        *itertools.product(["multiclass", "regression"], ["identity", "logistic", "tanh", "relu"]),
    ],
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_random_state_gives_the_same_model(task: str, solver: str, activation: str):
    for early_stopping, shuffle in itertools.product([False, True], repeat=2):
        params = {"activation": activation, "early_stopping": early_stopping, "shuffle": shuffle, **SOLVERS[solver]}
        expected, found = fitted(theirs, task, **params), fitted(ours, task, **params)
        for mine, their in zip(
            [*found.coefs_, *found.intercepts_], [*expected.coefs_, *expected.intercepts_], strict=True
        ):
            np.testing.assert_allclose(mine, their, rtol=1e-9, atol=1e-9, err_msg=str(params))
        np.testing.assert_allclose(found.loss_, expected.loss_, rtol=1e-9)
        assert (found.n_iter_, found.t_) == (expected.n_iter_, expected.t_)
        if solver != "lbfgs":  # which has no curve there
            np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-9)
            assert found.validation_scores_ == expected.validation_scores_ or np.allclose(
                found.validation_scores_, expected.validation_scores_, rtol=1e-9
            )
        if task != "regression":
            X = DATA[task][1]
            np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("task", DATA)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_goes_on_alike(task: str, solver: str):
    models = [fitted(module, task, warm_start=True, **SOLVERS[solver]) for module in (theirs, ours)]
    _, X, y = DATA[task]
    for model in models:
        model.set_params(max_iter=4).fit(X, y)
    np.testing.assert_allclose(models[1].coefs_[0], models[0].coefs_[0], rtol=1e-8, atol=1e-9)
    assert models[1].n_iter_ == models[0].n_iter_
    if solver != "lbfgs":
        np.testing.assert_allclose(models[1].loss_curve_, models[0].loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_is_as_patient_as_there(early_stopping: bool):
    settings: dict[str, Any] = {"max_iter": 100, "tol": 0.05, "n_iter_no_change": 5, "early_stopping": early_stopping}
    models = [fitted(module, "multiclass", warm_start=True, **settings) for module in (theirs, ours)]
    for _ in range(2):
        epochs = [model.fit(DIGITS, CODES).n_iter_ for model in models]
        assert epochs[1] == epochs[0]


def test_counts_are_learned_alike():
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * FEATURES[:, 0]))
    for solver in SOLVERS.values():
        models = [module.MLPRegressor("poisson", **{**COMMON, **solver}) for module in (theirs, ours)]
        expected, found = (model.fit(FEATURES, counts).predict(FEATURES) for model in models)
        np.testing.assert_allclose(found, expected, rtol=1e-8)
        assert models[1].out_activation_ == models[0].out_activation_ == "exp"


@pytest.mark.parametrize("state", [None, np.random.RandomState], ids=["NumPy's global", "an object"])
def test_every_source_of_randomness_is_drawn_from_alike(state: Any):
    weights = []
    for module in (theirs, ours):
        np.random.seed(7)  # noqa: NPY002
        seed = None if state is None else state(7)
        weights.append(fitted(module, "multiclass", random_state=seed, early_stopping=True).coefs_[0])
    np.testing.assert_allclose(*weights, rtol=1e-9)


def test_float32_stays_as_there():
    models = [module.MLPClassifier(**COMMON).fit(DIGITS.astype("f4"), CODES) for module in (theirs, ours)]
    for model in models:
        assert {array.dtype.name for array in [*model.coefs_, *model.intercepts_]} == {"float32"}
        assert model.predict_proba(DIGITS.astype("f4")).dtype == np.float32
    np.testing.assert_allclose(models[1].coefs_[0], models[0].coefs_[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 30.0])
def test_for_several_targets_the_solution_is_the_minimum_of_the_loss(alpha: float):
    # With a gradient k times as long as that of its data term, scikit-learn's own regressor ends at alpha / k.
    targets = FEATURES[:, :3] @ np.random.default_rng(0).normal(size=(3, 4)) + FEATURES[:, 3:7] ** 2
    model = ours.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=alpha, tol=1e-9, max_iter=1000)
    ridge = Ridge(alpha=alpha).fit(FEATURES, targets)
    model.fit(FEATURES, targets)
    np.testing.assert_allclose(model.coefs_[0], ridge.coef_.T, atol=1e-3)
    errors = targets - ridge.predict(FEATURES)
    minimum = 0.5 * ((errors**2).sum() + alpha * (ridge.coef_**2).sum()) / len(FEATURES)
    assert model.loss_ == pytest.approx(minimum, rel=1e-6)

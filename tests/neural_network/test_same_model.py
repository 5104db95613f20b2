"""modnet's MLPs beside scikit-learn's: the same random_state gives the same model, whatever the parameters."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV

import modnet.neural_network as ours

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, DIGITS = load_digits(return_X_y=True)
X = X[:250] / 16
DIGITS = DIGITS[:250]
FEATURES, SCORE = load_diabetes(return_X_y=True)
SCORE = SCORE / 100

SETTINGS: list[dict[str, Any]] = [
    {},
    {"hidden_layer_sizes": (20, 10), "batch_size": 37, "alpha": 0.1},
    {"activation": "logistic", "beta_1": 0.8, "epsilon": 1e-4},
    {"activation": "tanh", "shuffle": False},
    {"early_stopping": True, "validation_fraction": 0.2},
    {"solver": "sgd", "learning_rate_init": 0.05},
    {"solver": "sgd", "learning_rate_init": 0.05, "nesterovs_momentum": False, "momentum": 0.5},
    {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0},
    {"solver": "sgd", "learning_rate_init": 0.05, "learning_rate": "invscaling", "power_t": 0.3},
    {"solver": "sgd", "learning_rate_init": 0.2, "learning_rate": "adaptive", "tol": 0.01, "max_iter": 40},
    {"solver": "lbfgs", "hidden_layer_sizes": 8, "activation": "identity"},
]


def pair(name: str, **params: Any) -> tuple[Any, Any]:
    """Return scikit-learn's estimator and ours."""
    params = {"random_state": 3, "max_iter": 10, **params}
    return getattr(theirs, name)(**params), getattr(ours, name)(**params)


def assert_same(first: Any, second: Any, rtol: float = 1e-9) -> None:
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_", "t_"):
        assert getattr(first, name) == getattr(second, name), name
    for name in ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        if hasattr(first, name):
            expected, found = getattr(first, name), getattr(second, name)
            assert (expected is None) == (found is None), name
            if expected is not None:
                np.testing.assert_allclose(found, expected, rtol=rtol, err_msg=name)
    for name in ("coefs_", "intercepts_"):
        for expected, found in zip(getattr(first, name), getattr(second, name), strict=True):
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol, err_msg=name)


@pytest.mark.parametrize(("params", "classes"), [({}, 2), *((each, 10) for each in SETTINGS)], ids=str)
def test_classifiers_are_the_same(params: dict[str, Any], classes: int):
    y = np.array([f"class {label % classes}" for label in DIGITS])
    first, second = (model.fit(X, y) for model in pair("MLPClassifier", **params))
    # A quasi-Newton method carries roundings of its first steps on to the last.
    rtol = 1e-6 if params.get("solver") == "lbfgs" else 1e-9
    assert_same(first, second, rtol)
    np.testing.assert_allclose(second.predict_proba(X), first.predict_proba(X), rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(second.predict(X), first.predict(X))


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_regressors_are_the_same(params: dict[str, Any]):
    if "learning_rate_init" in params:
        params = {**params, "learning_rate_init": params["learning_rate_init"] / 10}
    first, second = (model.fit(FEATURES, SCORE) for model in pair("MLPRegressor", **params))
    rtol = 1e-6 if params.get("solver") == "lbfgs" else 1e-9
    assert_same(first, second, rtol)
    np.testing.assert_allclose(second.predict(FEATURES), first.predict(FEATURES), rtol=rtol)


def test_weights_and_sparse_rows_make_no_difference():
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    for rows in (X, sparse.csr_matrix(X)):
        first, second = (model.fit(rows, DIGITS, sample_weight=weight) for model in pair("MLPClassifier"))
        np.testing.assert_allclose(second.coefs_[0], first.coefs_[0], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(second.predict_proba(rows), first.predict_proba(rows), rtol=1e-9)
        first, second = (model.fit(rows, DIGITS) for model in pair("MLPClassifier"))
        assert_same(first, second)


def test_with_weights_the_loss_of_one_batch_is_the_same():
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    pairs = pair("MLPClassifier", batch_size=len(X))
    first, second = (model.fit(X, DIGITS, sample_weight=weight) for model in pairs)
    assert_same(first, second)


def test_partial_fit_goes_the_same_way():
    first, second = pair("MLPClassifier", batch_size=50)
    for _ in range(5):
        first.partial_fit(X, DIGITS, classes=np.arange(10))
        second.partial_fit(X, DIGITS, classes=np.arange(10))
    np.testing.assert_allclose(second.loss_curve_, first.loss_curve_, rtol=1e-9)
    assert second.t_ == first.t_


def test_for_several_targets_the_loss_is_the_sum_and_the_model_the_same():
    Y = np.column_stack([SCORE, SCORE**2, -SCORE])
    first, second = (model.fit(FEATURES, Y) for model in pair("MLPRegressor", alpha=0))
    np.testing.assert_allclose(second.loss_curve_, np.multiply(first.loss_curve_, 3), rtol=1e-9)
    np.testing.assert_allclose(second.predict(FEATURES), first.predict(FEATURES), rtol=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": -1},
        {"solver": "adagrad"},
        {"activation": "swish"},
        {"batch_size": 0},
        {"max_iter": 0},
        {"validation_fraction": 1.0, "early_stopping": True},
        {"hidden_layer_sizes": (5, 0)},
        {"momentum": 2},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_in_the_same_words(params: dict[str, Any]):
    messages = []
    for model in pair("MLPClassifier", **params):
        with pytest.raises(ValueError) as caught:
            model.fit(X, DIGITS)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("params", [{"max_iter": 2}, {"batch_size": 5000, "max_iter": 2}], ids=str)
def test_warnings_are_the_same(params: dict[str, Any]):
    told = []
    for model in pair("MLPClassifier", **params):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, DIGITS)
        told.append([(warning.category, str(warning.message)) for warning in caught])
    assert told[0] == told[1]
    assert told[0]


def test_lbfgs_has_no_partial_fit():
    for model in pair("MLPClassifier", solver="lbfgs"):
        assert not hasattr(model, "partial_fit")


def test_parameters_are_the_same_and_grids_run_unchanged():
    for name in ("MLPClassifier", "MLPRegressor"):
        first, second = pair(name)
        assert list(first.get_params()) == list(second.get_params())
        assert first.get_params() == second.get_params()
    grid = {"hidden_layer_sizes": [(5,), (10, 5)], "learning_rate_init": [0.01], "activation": ["tanh", "relu"]}
    searches = [GridSearchCV(model, grid, cv=2).fit(X, DIGITS) for model in pair("MLPClassifier", max_iter=5)]
    np.testing.assert_array_equal(*(search.cv_results_["mean_test_score"] for search in searches))


def test_pickles_and_clones():
    _, model = pair("MLPClassifier", solver="sgd")
    fitted = clone(model).fit(X, DIGITS)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    again.partial_fit(X, DIGITS)
    fitted.partial_fit(X, DIGITS)
    np.testing.assert_array_equal(again.coefs_[0], fitted.coefs_[0])

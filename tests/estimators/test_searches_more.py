"""Searches of every make: halving, random, Optuna's; NumPy's scalars as values; round trips of all parameters."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    ParameterGrid,
    RandomizedSearchCV,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.activations import Tanh
from modnet.layers import Dense, Dropout, Parallel, Residual, Sequential
from modnet.losses import CrossEntropy, Huber
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.schedules import Adaptive, InverseScaling

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
NET = ModNetClassifier((8, "dropout"), optimizer=Adam(0.02), max_iter=15, random_state=0)
PIPELINE = Pipeline([("scale", StandardScaler()), ("net", NET)])


# Searches


@pytest.mark.parametrize("resource", ["n_samples", "net__max_iter"])
def test_halving_spends_more_on_better_candidates(resource: str):
    grid = {"net__layers__0__units": [1, 4, 16], "net__optimizer__learning_rate": [1e-5, 0.02]}
    resources: dict[str, Any] = {"max_resources": 24, "min_resources": 6} if resource == "net__max_iter" else {}
    search = HalvingGridSearchCV(
        PIPELINE, grid, resource=resource, cv=2, factor=2, random_state=0, error_score="raise", **resources
    )
    search.fit(X, y)
    assert search.n_candidates_[0] == 6 > search.n_candidates_[-1]
    assert search.best_params_["net__optimizer__learning_rate"] == 0.02
    spent = search.cv_results_["n_resources"]
    assert spent[-1] > spent[0]
    if resource == "net__max_iter":
        assert search.best_estimator_["net"].n_iter_ == spent[-1]


def test_halving_draws_at_random_too():
    space = {"net__layers__0__units": randint(2, 20), "net__alpha": loguniform(1e-6, 1e-1)}
    search = HalvingRandomSearchCV(PIPELINE, space, n_candidates=4, cv=2, random_state=0, error_score="raise")
    assert search.fit(X, y).score(X, y) > 0.6


def test_a_randomized_search_over_lists_of_dicts():
    space = [
        {"net__optimizer": [SGD(0.1)], "net__optimizer__momentum": [0.5, 0.9], "net__optimizer__nesterov": [True]},
        {"net__optimizer": [Adam()], "net__optimizer__learning_rate": loguniform(1e-3, 1e-1)},
        {"net__layers": [(8, 8), (4, "tanh", Dropout(0.1))], "net__activation": ["relu", "tanh"]},
    ]
    search = RandomizedSearchCV(PIPELINE, space, n_iter=6, cv=2, random_state=0, error_score="raise").fit(X, y)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_the_drop_in_is_searched_like_the_original():
    grid = {"hidden_layer_sizes": [(4,), (8, 4)], "solver": ["lbfgs", "adam"], "alpha": np.logspace(-4, -2, 2)}
    search = GridSearchCV(MLPClassifier(max_iter=20, random_state=0), grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ > 0.7


@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental", "ignore:`optuna:FutureWarning")
def test_optuna_searches_nested_parameters():
    integration = pytest.importorskip("optuna_integration")
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {
        "net__layers__0__units": optuna.distributions.IntDistribution(2, 16),
        "net__layers__1__rate": optuna.distributions.FloatDistribution(0.0, 0.3),
        "net__optimizer__learning_rate": optuna.distributions.FloatDistribution(1e-3, 1e-1, log=True),
        "net__activation": optuna.distributions.CategoricalDistribution(["relu", "tanh"]),
    }
    search = integration.OptunaSearchCV(PIPELINE, space, n_trials=4, cv=2, random_state=0, error_score="raise")
    search.fit(X, y)
    assert len(search.trials_) == 4
    best = search.best_estimator_["net"]
    assert best.spec_.layers[0].units == search.best_params_["net__layers__0__units"]
    assert best.spec_.optimizer.learning_rate == search.best_params_["net__optimizer__learning_rate"]
    assert search.score(X, y) > 0.6


# Values as searches hand them out


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("layers__0__units", np.array([2, 5], np.int8)),
        ("layers", [(np.int64(3),), [np.int32(4), "tanh"]]),
        ("layers__1__rate", np.array([0.1, 0.2], np.float32)),
        ("layers__0__use_bias", np.array([True, False])),
        ("layers__0__activation", np.array(["relu", "tanh"])),
        ("activation", np.array(["relu", "tanh"])),
        ("optimizer", np.array(["sgd", "adam"])),
        ("optimizer__learning_rate", np.logspace(-3, -2, 2, dtype=np.float32)),
        ("alpha", np.array([0.0, 1.0])),
        ("max_iter", np.arange(1, 3)),
        ("batch_size", np.array([10, 20])),
        ("shuffle", np.array([True, False])),
        ("early_stopping", np.array([True, False])),
        ("class_weight", [None, "balanced"]),
    ],
)
def test_numpys_scalars_are_numbers_names_and_truths(key: str, values: Any):
    model = ModNetClassifier([Dense(6), "dropout"], max_iter=2, random_state=0)
    search = GridSearchCV(model, {key: values}, cv=2, error_score="raise", refit=True).fit(X, y)
    spec = search.best_estimator_.spec_
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_numpys_scalars_keep_float32():
    grid = {
        "optimizer__learning_rate": [np.float64(0.01)],
        "alpha": [np.float64(0.1)],
        "layers__1__rate": [np.float64(0.1)],
    }
    search = GridSearchCV(NET, grid, cv=2, error_score="raise").fit(X.astype("f4"), y)
    assert search.best_estimator_.theta_.dtype == np.float32


@pytest.mark.parametrize(
    "key",
    ["layers__0__units", "layers__0", "layers__1__rate", "optimizer__learning_rate", "max_iter", "alpha", "batch_size"],
)
@pytest.mark.parametrize("truth", [True, np.True_], ids=["Python", "NumPy"])
def test_true_is_no_number_and_becomes_the_error_score(key: str, truth: Any):
    good = NET.get_params()[key]
    search = GridSearchCV(NET, {key: [good, truth]}, cv=2, error_score=np.nan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        with pytest.warns(FitFailedWarning, match=r"2 fits failed out of a total of 4[\s\S]*got (np\.)?True"):
            search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores).tolist() == [False, True]


# Round trips


BLOCK = Residual([Dense(8, "tanh"), Dropout(0.1), {"type": "dense", "units": 4}], name="block")
ESTIMATORS: tuple[BaseEstimator, ...] = (
    ModNetClassifier(),
    ModNetClassifier([10, "dropout", BLOCK, {"type": "dense", "units": 3}], activation=None, class_weight={0: 2}),
    ModNetClassifier((), loss=CrossEntropy(), optimizer=SGD(0.1, 0.9, True, schedule=Adaptive(2))),
    ModNetClassifier("tanh", activation={"type": "tanh"}, optimizer={"type": "adam", "beta_1": 0.5}),
    ModNetRegressor((4,), optimizer=LBFGS(), loss=Huber(), output_activation=Tanh()),
    ModNetRegressor([Parallel([Sequential([BLOCK]), "tanh"]), np.int64(3)], optimizer="lbfgs"),
    ModNetRegressor(optimizer=SGD(schedule="inverse_scaling"), initial_weights={"output.b": np.ones(1)}),
    ModNetRegressor(optimizer=SGD(schedule=InverseScaling()), scoring="r2", batch_size=np.int64(3)),
    ModNetTransformer((8, Dense(2, name="code"), 8), layer="code"),
    ModNetTransformer(estimator=ModNetClassifier((4, 3)), layer=1),
    MLPClassifier((5, 2), solver="sgd", learning_rate="adaptive"),
    MLPRegressor("poisson", [3], n_iter_no_change=np.inf),
    PIPELINE,
    make_pipeline(ModNetTransformer((2,)), ModNetRegressor([BLOCK])),
    GridSearchCV(NET, {"layers__0__units": [3]}),
)


every = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: str(each)[:60])


@every
def test_deep_parameters_can_be_set_to_what_they_are(estimator: BaseEstimator):
    params = estimator.get_params(deep=True)
    whole, single = clone(estimator).set_params(**params), clone(estimator)
    for key, value in params.items():
        single.set_params(**{key: value})
    for second in (whole, single):
        assert repr(second.get_params(deep=True)) == repr(params)
        assert repr(second) == repr(estimator)


@every
def test_deep_parameters_of_a_clone_are_the_same(estimator: BaseEstimator):
    assert repr(clone(estimator).get_params(deep=True)) == repr(estimator.get_params(deep=True))


@pytest.mark.parametrize(
    "estimator",
    [each for each in ESTIMATORS if isinstance(each, ModNetClassifier | ModNetRegressor)],
    ids=str,
)
def test_a_default_estimator_takes_on_all_deep_parameters_of_another(estimator: BaseEstimator):
    second = type(estimator)().set_params(**estimator.get_params(deep=True))
    assert repr(second.get_params(deep=True)) == repr(estimator.get_params(deep=True))
    assert second.to_spec() == estimator.to_spec()


def test_every_point_of_a_grid_can_be_set_on_a_pipeline_and_read_back():
    grid = ParameterGrid(
        {
            "net__layers": [(4, 5), [Dense(6, name="trunk"), "dropout"]],
            "net__layers__0__units": [7, 8],
            "net__layers__all__use_bias": [True, False],
            "net__optimizer__beta_1": [0.5],
        }
    )
    for point in grid:
        net = clone(PIPELINE).set_params(**point)["net"]
        assert net.to_spec().layers[0].units == point["net__layers__0__units"]
        assert net.to_spec().layers[0].use_bias is point["net__layers__all__use_bias"]
        assert net.get_params()["optimizer__beta_1"] == 0.5

"""Searches over nested parameters: in pipelines, in worker processes, and past combinations that do not fit."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from modnet import Activation, ModNetClassifier
from modnet.layers import Dense, Dropout, Residual
from modnet.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)


@pytest.fixture
def pipeline() -> Pipeline:
    net = ModNetClassifier(layers=(8, "dropout"), optimizer=Adam(0.02), max_iter=20, random_state=0)
    return Pipeline([("scale", StandardScaler()), ("net", net)])


def test_a_grid_over_units_layers_and_learning_rate(pipeline: Pipeline):
    pipeline.set_params(net__loss="cross_entropy")  # of twenty epochs, what is learnt without smoothing
    before = repr(pipeline.get_params())
    grid = {
        "net__layers__0__units": [2, np.int64(16)],
        "net__layers__1__rate": [0.0, 0.2],
        "net__optimizer__learning_rate": np.array([1e-5, 0.02]),
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_["net__optimizer__learning_rate"] == 0.02
    assert search.best_score_ > 0.85
    spec = search.best_estimator_["net"].spec_
    assert spec.layers[0].units == search.best_params_["net__layers__0__units"]
    assert spec.layers[1].rate == search.best_params_["net__layers__1__rate"]
    assert repr(pipeline.get_params()) == before


def test_a_grid_over_whole_layers_and_optimizers(pipeline: Pipeline):
    layers = [(4,), [Dense(8, "tanh"), Dropout(0.1), 4], (6, Residual([{"type": "dense", "units": 6}])), ()]
    grid = {"net__layers": layers, "net__optimizer": [SGD(0.1, momentum=0.9), "adam"]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise", refit=False).fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()
    assert layers[1] == [Dense(8, "tanh"), Dropout(0.1), 4]


def test_a_list_of_grids_sets_what_belongs_together(pipeline: Pipeline):
    grids = [
        {"net__optimizer": [SGD()], "net__optimizer__momentum": [0.0, 0.9], "net__optimizer__learning_rate": [0.1]},
        {"net__optimizer": [Adam()], "net__optimizer__beta_1": [0.8]},
        {"net__layers": [(8, 4)], "net__layers__1__units": [5], "net__layers__all__activation": ["tanh"]},
    ]
    search = GridSearchCV(pipeline, grids, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    last = clone(pipeline).set_params(**search.cv_results_["params"][-1])["net"]
    assert last.to_spec().layers == (Dense(8, "tanh"), Dense(5, "tanh"))


def test_a_randomized_search_draws_from_scipys_distributions(pipeline: Pipeline):
    space = {
        "net__layers__0__units": randint(4, 32),
        "net__layers__-1__rate": [0.0, 0.1],
        "net__optimizer__learning_rate": loguniform(1e-3, 1e-1),
        "net__alpha": loguniform(1e-6, 1e-2),
    }
    search = RandomizedSearchCV(pipeline, space, n_iter=5, cv=2, random_state=0, error_score="raise").fit(X, y)
    assert search.best_estimator_["net"].theta_.dtype == np.float64
    assert type(search.best_estimator_["net"].spec_.layers[0].units) is int
    assert search.score(X, y) > 0.8


@pytest.mark.parametrize(
    "grid",
    [
        {"net__layers__0__units": [8, -1]},
        {"net__layers": [(8,), ("dens",)]},
        {"net__layers": [(8,), (8, Residual([Dense(5)]))]},
        {"net__optimizer": [Adam(0.02), SGD(1e30)]},
        {"net__optimizer__learning_rate": [0.02, -1]},
        {"net__loss": ["auto", "squared_error"]},
    ],
    ids=lambda grid: str(next(iter(grid.values()))[1]),
)
def test_a_bad_combination_scores_nan_and_the_others_go_on(pipeline: Pipeline, grid: dict):
    search = GridSearchCV(pipeline, grid, cv=2, error_score=np.nan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite")
        with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
            search.fit(X, y)
    good, bad = search.cv_results_["mean_test_score"]
    assert good > 0.5
    assert np.isnan(bad)
    assert search.best_index_ == 0


class Square(Activation):
    """A class that no distribution offers."""

    def f(self, z, *, out=None):
        return np.multiply(z, z, out=out)

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, 2 * z, out=out)


def test_worker_processes_find_the_same_as_this_one(pipeline: Pipeline):
    pipeline.set_params(net__layers=[Dense(6, Square()), Dropout(0.1)])
    scores = [cross_val_score(pipeline, X, y, cv=3, n_jobs=jobs, error_score="raise") for jobs in (1, 2)]
    np.testing.assert_array_equal(*scores)
    search = GridSearchCV(pipeline, {"net__layers__0__units": [2, 8]}, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_estimator_["net"].spec_.layers[0].activation == Square()


SEARCH = """
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from modnet import ModNetClassifier

X, y = load_iris(return_X_y=True)
grid = {"alpha": [0.0, 0.1, 0.2], "optimizer__learning_rate": [0.001, 0.01, 0.1]}
model = ModNetClassifier((4,), early_stopping=False, max_iter=2, accelerator=None)
GridSearchCV(model, grid, cv=3).fit(X, y)
"""


@pytest.mark.slow
def test_a_search_of_nine_candidates_prints_one_warning():
    finished = subprocess.run([sys.executable, "-c", SEARCH], check=True, capture_output=True, text=True)
    assert finished.stderr.count("ConvergenceWarning") == 1


def test_who_asks_for_all_warnings_of_a_search_gets_all():
    model = ModNetClassifier((4,), early_stopping=False, max_iter=2)
    for _ in range(2):
        with pytest.warns(ConvergenceWarning) as told:
            GridSearchCV(model, {"alpha": [0.0, 0.1]}, cv=2).fit(X, y)
        assert len(told) == 5
        assert len({str(each.message) for each in told}) == 1

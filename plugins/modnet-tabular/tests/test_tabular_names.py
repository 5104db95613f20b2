"""The plugin as users meet it: by name, in specs and in estimators; and every component keeps its contract."""

import numpy as np
import pytest
from modnet_tabular import PLR, BatchEnsembleDense, ColumnDense, EnsembleView
from sklearn.model_selection import GridSearchCV

from modnet import ModelSpec, ModNetRegressor
from modnet.layers import PiecewiseLinear
from modnet.registry import registry
from modnet.testing import parametrize_with_checks, registered_examples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

LAYERS = (
    {"type": "piecewise_linear", "bins": 6},
    {"type": "column_dense", "units": 3, "inputs": 6, "activation": "relu"},
    {"type": "ensemble_view", "ensemble_size": 4},
    {"type": "batch_ensemble_dense", "units": 8, "activation": "relu"},
)
MEAN = {"type": "mean_of_members", "raw": "mean"}


@parametrize_with_checks(registered_examples("modnet-tabular"))
def test_contract(check):
    check()


def test_names_lead_to_the_classes():
    spec = ModelSpec(layers=[*LAYERS, "plr"])
    kinds = (PiecewiseLinear, ColumnDense, EnsembleView, BatchEnsembleDense, PLR)
    assert tuple(map(type, spec.layers)) == kinds


def test_a_spec_with_all_of_them_comes_back_from_json_and_says_what_it_requires():
    mine = [entry for entry in registry.entries("layer") if entry.distribution == "modnet-tabular"]
    layers = [each for entry in mine for each in registry.get("layer", entry.name).examples()]
    spec = ModelSpec(layers=layers, loss="mean_of_members_loss", output=MEAN)
    again = ModelSpec.from_json(spec.to_json())
    assert again == spec
    assert again.requires["modnet-tabular"] == "0.1.0"


def test_a_grid_search_reaches_their_hyper_parameters_in_worker_processes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = np.abs(X[:, 0]) + X[:, 1]
    net = ModNetRegressor(LAYERS, output=MEAN, max_iter=120, random_state=0).set_params(optimizer__learning_rate=0.01)
    grid = {"layers__1__units": [2, 12], "layers__3__scaling": ["ones", None]}
    search = GridSearchCV(net, grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_of_them_keeps_the_dtype_and_predicts_what_it_predicts_row_by_row(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)).astype(dtype)
    model = ModNetRegressor(LAYERS, output=MEAN, max_iter=2, random_state=0).fit(X, X[:, 0])
    predicted = model.predict(X)
    assert predicted.dtype == dtype
    np.testing.assert_allclose([model.predict(X[[i]])[0] for i in range(5)], predicted[:5], rtol=1e-4, atol=1e-6)

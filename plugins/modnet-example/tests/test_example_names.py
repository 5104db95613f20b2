"""The plugin as users meet it: by name, in estimators and in specs."""

import numpy as np
import pytest
from modnet_example import RBF, Snake
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor

LAYERS = [{"type": "rbf", "units": 8, "width": 0.25}, {"type": "snake", "alpha": 2.0}]


def test_names_lead_to_the_classes():
    assert ModelSpec(layers=LAYERS).layers == (RBF(8, width=0.25), Snake(2.0))


def test_a_spec_comes_back_from_json_and_says_what_it_requires():
    spec = ModelSpec(layers=LAYERS)
    text = spec.to_json()
    assert '"type": "modnet-example:rbf"' in text
    assert '"type": "modnet-example:snake"' in text
    assert ModelSpec.from_json(text) == spec
    assert spec.requires == {"modnet-layers": spec.requires["modnet-layers"], "modnet-example": "0.1.0"}


@pytest.mark.slow
def test_rbf_tells_digits_apart():
    X, X_new, y, y_new = train_test_split(*load_digits(return_X_y=True), random_state=0)
    net = ModNetClassifier(layers=({"type": "rbf", "units": 64},), early_stopping=True, random_state=0)
    net.set_params(optimizer__learning_rate=0.01)
    assert make_pipeline(StandardScaler(), net).fit(X, y).score(X_new, y_new) > 0.9


def test_snake_goes_on_with_a_period_where_tanh_does_not():
    x = np.linspace(-3, 4, 700)[:, np.newaxis]
    y = np.sin(4 * x[:, 0])
    seen = x[:, 0] < 3
    beyond = {}
    for activation in ("tanh", {"type": "snake", "alpha": 8.0}):
        settings = {"inputs": None, "early_stopping": False, "batch_size": 200}  # a plan for columns clips what is far
        settings |= {"optimizer": {"type": "adam", "learning_rate": 0.01}, "max_iter": 2000, "n_iter_no_change": 50}
        net = ModNetRegressor((32,), activation, **settings, random_state=0).fit(x[seen], y[seen])
        beyond[str(activation)] = net.score(x[~seen], y[~seen])
    tanh, snake = beyond.values()
    assert tanh < 0 < 0.5 < snake


def test_a_grid_search_reaches_their_hyper_parameters_in_worker_processes():
    X, y = make_moons(200, noise=0.1, random_state=0)
    net = ModNetClassifier(layers=LAYERS, max_iter=500, tol=1e-3, random_state=0)
    net.set_params(optimizer__learning_rate=0.02)
    grid = {"layers__0__width": [0.2, 0.5], "layers__1__alpha": [1.0, 4.0]}
    search = GridSearchCV(net, grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.9

"""What the layers learn that others do not, in five folds: digits as images, and a series with regimes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor

EXAMPLES = Path(__file__).parents[3] / "examples"


def example(name):
    """Return an example as a module: its network and its data are what is measured."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_digits_are_read_better_as_images_than_by_a_dense_network():
    X, y = load_digits(return_X_y=True)
    images = example("images")
    net = ModNetClassifier(images.LAYERS, optimizer=images.ADAM, **images.TRAINING)
    net.set_params(inputs={"type": "reshape", "shape": (8, 8, 1)})
    for cv, least in ((StratifiedKFold(5, shuffle=True, random_state=0), 0.99), (StratifiedKFold(5), 0.975)):
        dense, convolutional = (cross_val_score(each, X, y, cv=cv) for each in (ModNetClassifier(random_state=0), net))
        assert convolutional.mean() > max(least, dense.mean() + 0.005)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_lstm_finds_regimes_that_ridge_and_a_dense_network_miss():
    series = example("series")
    X, y = series.windows(series.demand(np.random.default_rng(0))[0])
    flat, cv = X.reshape(len(X), -1), TimeSeriesSplit(5)
    ridge = cross_val_score(make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))), flat, y, cv=cv)
    dense, lstm = (
        cross_val_score(ModNetRegressor(layers, optimizer=series.ADAM, **series.TRAINING), rows, y, cv=cv)
        for layers, rows in (((64, 64), flat), (series.LAYERS, X))
    )
    assert lstm.mean() > max(ridge.mean(), dense.mean()) + 0.03
    assert lstm[-1] > 0.8

"""Small data for estimators, and models that were trained on it."""

import functools
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from support import model_files
from support.classic import CLASSIC
from support.model_files import classifier

from modnet import ModNetClassifier, ModNetRegressor
from modnet.estimators.persistence import save


@dataclass(frozen=True)
class Case:
    """An unfitted model, and data for it."""

    model: ModNetClassifier | ModNetRegressor
    X: np.ndarray
    y: np.ndarray

    def fitted(self, **params):
        """Train a model of these parameters, without a word about convergence."""
        model = type(self.model)(**{**self.model.get_params(deep=False), **params})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(self.X, self.y)


def _cases() -> dict[str, Case]:
    X, flower = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    W = np.random.default_rng(0).normal(size=(4, 3))
    settings = {**CLASSIC, "layers": (16,), "max_iter": 40, "batch_size": 32, "random_state": 0}
    settings["optimizer"] = {"type": "adam", "learning_rate": 0.02}
    classifier, regressor = ModNetClassifier(**settings), ModNetRegressor(**settings)
    return {
        "binary": Case(classifier, X[:100], np.where(flower[:100] == 1, "yes", "no")),
        "multiclass": Case(classifier, X, np.array(["setosa", "versicolor", "virginica"])[flower]),
        "multilabel": Case(classifier, X, (X @ W > 0).astype(int)),
        "regression": Case(regressor, X, np.sin(X @ W[:, 0])),
        "multi-output": Case(regressor, X, np.sin(X @ W)),
    }


CASES = _cases()


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of: binary, multiclass, multilabel, regression, multi-output."""
    return CASES[request.param]


@pytest.fixture(params=["binary", "multiclass", "multilabel"])
def classification(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def multiclass() -> Case:
    return CASES["multiclass"]


@pytest.fixture
def binary() -> Case:
    return CASES["binary"]


@pytest.fixture
def multilabel() -> Case:
    return CASES["multilabel"]


@pytest.fixture
def regression() -> Case:
    return CASES["regression"]


@pytest.fixture
def multi_output() -> Case:
    return CASES["multi-output"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.npz"


@pytest.fixture
def saved(file: Path) -> Path:
    """The file of a classifier."""
    save(_saved_model(), file)
    return file


@functools.cache
def _saved_model() -> ModNetClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier().fit(model_files.X, model_files.NAMES)

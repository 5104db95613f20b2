"""Warm start: another fit goes on from the present weights, with the same classes, features and layers."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor
from modnet.errors import NonFiniteError
from modnet.layers import Dense
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.optimizers import SGD
from modnet.schedules import InverseScaling

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CODES = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
FLOWERS = np.array(["setosa", "versicolor", "virginica"])[CODES]
COMMON: dict[str, Any] = {"warm_start": True, "max_iter": 4, "random_state": 0}
MODELS: dict[str, tuple[BaseEstimator, np.ndarray]] = {
    "classifier": (ModNetClassifier((8,), **COMMON), FLOWERS),
    "regressor": (ModNetRegressor((8,), **COMMON), np.sin(X[:, 0])),
    "labels": (ModNetClassifier((8,), **COMMON), (X[:, :2] > 0).astype(int)),
    "MLPClassifier": (MLPClassifier((8,), **COMMON), FLOWERS),
    "MLPRegressor": (MLPRegressor(hidden_layer_sizes=(8,), **COMMON), np.sin(X[:, 0])),
}


@pytest.fixture(params=MODELS)
def warm(request: pytest.FixtureRequest) -> tuple[Any, np.ndarray]:
    model, y = MODELS[request.param]
    return clone(model), y


# Going on


def test_the_loss_goes_on_where_it_was(warm: tuple[Any, np.ndarray]):
    model, y = warm
    first = model.fit(X, y).loss_curve_
    second = model.fit(X, y).loss_curve_[-4:]
    assert max(second) < min(first)
    assert second[0] < first[-1]


@pytest.mark.parametrize("params", [{}, {"batch_size": 32}, {"layers": (8, "dropout"), "batch_size": 32}], ids=str)
@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, schedule=InverseScaling())], ids=str)
def test_two_fits_are_one_twice_as_long(params: dict[str, Any], optimizer: SGD):
    # Without momentum: an optimizer with a memory starts it anew in every fit.
    model = ModNetRegressor(**{**CLASSIC, **COMMON, "layers": (8,), "optimizer": optimizer, **params})
    y = np.sin(X[:, 0])
    twice = clone(model).fit(X, y)
    curves = [*twice.loss_curve_], [*twice.learning_rate_curve_]
    twice.fit(X, y)
    once = clone(model).set_params(max_iter=8).fit(X, y)
    assert [*curves[0], *twice.loss_curve_] == once.loss_curve_
    assert [*curves[1], *twice.learning_rate_curve_] == once.learning_rate_curve_
    assert twice.theta_.tobytes() == once.theta_.tobytes()


def test_curves_are_those_of_the_last_fit():
    model = ModNetClassifier((8,), **COMMON).fit(X, FLOWERS).set_params(max_iter=7).fit(X, FLOWERS)
    assert len(model.loss_curve_) == len(model.learning_rate_curve_) == model.n_iter_ == 7


def test_the_first_fit_is_a_fit_like_any_other(warm: tuple[Any, np.ndarray]):
    model, y = warm
    cold = clone(model).set_params(warm_start=False).fit(X, y)
    assert model.fit(X, y).theta_.tobytes() == cold.theta_.tobytes()


def test_without_it_a_fit_starts_anew(warm: tuple[Any, np.ndarray]):
    model, y = warm
    first = model.fit(X, y).theta_.copy()
    model.set_params(warm_start=False).fit(X, y)
    np.testing.assert_array_equal(model.theta_, first)


def test_a_clone_starts_anew(warm: tuple[Any, np.ndarray]):
    model, y = warm
    first = model.fit(X, y).theta_.copy()
    np.testing.assert_array_equal(clone(model.fit(X, y)).fit(X, y).theta_, first)


def test_it_goes_on_from_a_stream(warm: tuple[Any, np.ndarray]):
    model, y = warm
    classes = {"classes": np.unique(y)} if y is FLOWERS else {}
    streamed = [model.partial_fit(X, y, **classes).loss_curve_[-1] for _ in range(10)]
    assert model.fit(X, y).loss_curve_[-4] < streamed[-1]


def test_early_stopping_goes_on_too():
    model = ModNetClassifier((8,), **{**COMMON, "max_iter": 20}, early_stopping=True)
    first = min(model.fit(X, FLOWERS).validation_loss_curve_)
    assert min(model.fit(X, FLOWERS).validation_loss_curve_) < first
    assert len(model.validation_loss_curve_) == 10 == model.n_iter_ - 10


def test_the_type_of_the_first_fit_stays():
    model = ModNetRegressor((8,), **COMMON).fit(X.astype("f4"), X[:, 0])
    assert model.fit(X, X[:, 0]).theta_.dtype == np.float32


# What may change


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": SGD(0.1, 0.9, nesterov=True)},
        {"optimizer": "lbfgs"},
        {"alpha": 0.1, "batch_size": 16, "shuffle": False, "tol": 0.01},
        {"loss": "cross_entropy"},
        {"layers": [Dense(8, "relu")]},
        {"early_stopping": True, "scoring": "accuracy"},
    ],
    ids=str,
)
def test_settings_may_change(params: dict[str, Any]):
    model = ModNetClassifier((8,), **COMMON).fit(X, FLOWERS)
    last = model.loss_curve_[-1]
    assert model.set_params(**params).fit(X, FLOWERS).loss_curve_[-1] < last + 0.01


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"layers": (9,)}, "layers"),
        ({"layers__0__units": 9}, "layers"),
        ({"activation": "tanh"}, "layers"),
        ({"layers": (8, "dropout")}, "layers"),
    ],
)
def test_the_architecture_may_not(params: dict[str, Any], name: str):
    model = ModNetClassifier((8,), **COMMON).fit(X, FLOWERS)
    theta = model.theta_.copy()
    with pytest.raises(ValueError, match=f"^{name} has changed since the network was made"):
        model.set_params(**params).fit(X, FLOWERS)
    np.testing.assert_array_equal(model.theta_, theta)


def test_nor_that_of_the_drop_in():
    model = MLPClassifier((8,), **COMMON).fit(X, FLOWERS)
    with pytest.raises(ValueError, match="has changed since the network was made"):
        model.set_params(hidden_layer_sizes=(9,)).fit(X, FLOWERS)


@pytest.mark.parametrize("model", [ModNetClassifier((8,), **COMMON), MLPClassifier((8,), **COMMON)], ids=repr)
@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        (["a", "b", "c"], r"\['a' 'b' 'c'\]"),
        (["setosa", "virginica"] * 2, r"\['setosa' 'virginica'\]"),
        ([0, 1, 2], ""),
    ],
)
def test_classes_may_not_change_as_scikit_learn_says_it(model: BaseEstimator, classes: list[Any], shown: str):
    model = clone(model).fit(X, FLOWERS)
    words = r"warm_start can only be used where `y` has the same classes as in the previous call to fit\. "
    words += rf"Previously got \['setosa' 'versicolor' 'virginica'\], `y` has {shown}"
    with pytest.raises(ValueError, match=words):
        model.fit(X, np.array(classes)[CODES])


def test_a_target_of_another_kind_is_refused():
    labels = (X[:, :3] > 0).astype(int)
    model = ModNetClassifier((8,), **COMMON).fit(X, FLOWERS)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        model.fit(X, labels)
    with pytest.raises(ValueError, match=r"y should have 1 target.*; got shape \(150, 2\)"):
        ModNetRegressor((8,), **COMMON).fit(X, X[:, 0]).fit(X, X[:, :2])


def test_features_may_not_change():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = ModNetClassifier((8,), **COMMON).fit(frame, FLOWERS)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        model.fit(frame[list("dcba")], FLOWERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # X has no names
        with pytest.raises(ValueError, match="X has 3 features, but ModNetClassifier is expecting 4 features"):
            model.fit(X[:, :3], FLOWERS)


# Failing


def test_a_fit_that_fails_leaves_the_weights_it_would_have_gone_on_from():
    model = ModNetRegressor((8,), **COMMON, optimizer=SGD(0.1)).fit(X, X[:, 0])
    learned = {name: value for name, value in vars(model).items() if name.endswith("_")}
    theta, twin = model.theta_.copy(), clone(model).fit(X, X[:, 0])
    with pytest.raises(NonFiniteError):
        model.set_params(optimizer__learning_rate=1e200, alpha=1.0).fit(X, X[:, 0])
    assert all(getattr(model, name) is value for name, value in learned.items())
    np.testing.assert_array_equal(model.theta_, theta)
    model.set_params(optimizer__learning_rate=0.1, alpha=0.0)
    assert model.fit(X, X[:, 0]).theta_.tobytes() == twin.fit(X, X[:, 0]).theta_.tobytes()

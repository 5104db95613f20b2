"""A fit that fails: it says why in words that help, and the estimator is exactly what it was before."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from modnet import Activation, ModNetClassifier, ModNetRegressor
from modnet.errors import ContractError, InvalidSpecError, NonFiniteError, ShapeError
from modnet.layers import Dense, Residual
from modnet.optimizers import SGD


class Forgetful(Activation):
    """Works on the two rows of the trial run and fails later."""

    def f(self, z, *, out=None):
        if len(z) > 2:
            raise ZeroDivisionError("in the middle of training")
        return z

    def df(self, z, a, da, *, out=None):
        return da


class Stretching(Forgetful):
    """Breaks the contract of its base."""

    def f(self, z, *, out=None):
        return np.hstack([z, z])


def with_nan(X):
    return np.where(np.arange(len(X))[:, np.newaxis] == 1, np.nan, X)


FAILURES = {
    "NaN in X": (ValueError, {}, with_nan, None),
    "strings in X": (ValueError, {}, lambda X: np.full(X.shape, "word"), None),
    "no rows": (ValueError, {}, lambda X: X[:0], None),
    "one axis": (ValueError, {}, lambda X: X[:, 0], None),
    "too few y": (ValueError, {}, None, lambda y: y[:-1]),
    "no y": (ValueError, {}, None, lambda y: None),
    "invalid layer": (InvalidSpecError, {"layers": (8, -3)}, None, None),
    "unknown layer": (InvalidSpecError, {"layers": ("dens",)}, None, None),
    "layer that does not fit": (ShapeError, {"layers": (8, Residual([Dense(3)]))}, None, None),
    "loss of another task": (ValueError, {"loss": "other"}, None, None),
    "broken contract": (ContractError, {"layers": (8, Stretching())}, None, None),
    "error while training": (ContractError, {"layers": (8, Forgetful())}, None, None),
    "diverging learning rate": (NonFiniteError, {"optimizer": SGD(1e200), "alpha": 1.0}, None, None),
    "bad seed": (ValueError, {"random_state": "seed"}, None, None),
}


@pytest.fixture(params=FAILURES)
def failing(request: pytest.FixtureRequest, case):
    """The error to expect, and a function that makes a model fail with it."""
    error, params, of_X, of_y = FAILURES[request.param]
    other = "squared_error" if isinstance(case.model, ModNetClassifier) else "cross_entropy"
    params = {key: other if value == "other" else value for key, value in params.items()}
    X = of_X(case.X) if of_X else case.X
    y = of_y(case.y) if of_y else case.y

    def fail(model) -> None:
        model.set_params(**params)
        with pytest.raises(error):
            model.fit(X, y)

    return fail


def test_an_unfitted_model_stays_unfitted(case, failing):
    model = clone(case.model)
    before = set(vars(model))
    failing(model)
    assert set(vars(model)) == before
    with pytest.raises(NotFittedError):
        model.predict(case.X)


def test_a_fitted_model_stays_exactly_as_it_was(case, failing):
    model = case.fitted(max_iter=3, early_stopping=True)
    learned = {name: value for name, value in vars(model).items() if name not in model.get_params(deep=False)}
    kept, predictions = joblib.hash(learned), model.predict(case.X)
    failing(model)
    after = {name: value for name, value in vars(model).items() if name not in model.get_params(deep=False)}
    assert after.keys() == learned.keys()
    assert all(after[name] is learned[name] for name in learned)
    assert joblib.hash(after) == kept
    np.testing.assert_array_equal(model.predict(case.X), predictions)


@pytest.mark.parametrize(
    "params", [{"optimizer__learning_rate": 1e200, "alpha": 1.0}, {"layers": (3,)}, {"max_iter": 0}]
)
def test_a_step_that_fails_leaves_a_model_as_it_was(case, params: dict):
    model = clone(case.model).set_params(optimizer=SGD(0.1), layers=(8, "dropout"))
    classes = {"classes": np.unique(case.y)} if case.y.ndim == 1 and isinstance(model, ModNetClassifier) else {}
    model.partial_fit(case.X, case.y, **classes)
    second = copy.deepcopy(model)
    before = model.get_params(deep=False)
    with pytest.raises(ValueError):
        model.set_params(**params).partial_fit(case.X, case.y)
    model.set_params(**before)
    changed = [
        name for name in vars(second) if pickle.dumps(getattr(model, name)) != pickle.dumps(getattr(second, name))
    ]
    assert changed == []
    model.partial_fit(case.X, case.y)
    second.partial_fit(case.X, case.y)
    assert model.theta_.tobytes() == second.theta_.tobytes()


# What it says


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"layers": (8, -3)}, r"ModNetRegressor: layers\[1\]\.units: should be greater than or equal to 1, got -3"),
        ({"layers": ("dens",)}, r"layers\[0\]: unknown layer or activation 'dens'; did you mean 'dense'\?"),
        ({"layers": [Dense]}, r"layers\[0\]: should be an instance, not the class: write Dense\(\.\.\.\)"),
        ({"layers": (8.5,)}, r"layers\[0\]\.units: .*got 8\.5"),
        ({"layers": 8}, r"layers: should be .*got 8"),
        ({"layers": (True,)}, r"layers\[0\]: .*got True"),
        ({"layers": ({"units": 3},)}, r"layers\[0\]: .*mapping with 'type'"),
        (
            {"layers": (5, Residual([Dense(3)]))},
            r"^layers\[1\] \(Residual\): body should keep the shape of its input, \(5,\), got \(3,\): end it with Dens",
        ),
        ({"loss": "cross_entropy"}, r"loss=CrossEntropy\(\) does not serve a regression target; it serves: binary, "),
        (
            {"layers": (8, Stretching(name="odd"))},
            r"^layers\[1\] \(Stretching 'odd'\), class .*\.Stretching: forward .*shape",
        ),
        (
            {"optimizer": SGD(1e200)},
            r"^the loss became (nan|inf) in epoch \d+, step \d+.*a learning rate that is too large \(1e\+200: try",
        ),
    ],
)
def test_an_error_says_where_and_what_to_do(regression, params: dict, words: str):
    with pytest.raises((ValueError, TypeError), match=words):
        ModNetRegressor(**params).fit(regression.X, regression.y)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([0.5, 1.5, 0.1], "Unknown label type: continuous"),
        ([0, np.nan, 1], "Input y contains NaN"),
    ],
)
def test_a_target_that_is_none_is_explained(y, words: str):
    with pytest.raises(ValueError, match=words):
        ModNetClassifier().fit(np.eye(3), y)


def test_a_model_that_is_not_fitted_says_so(case):
    for method in {"predict", "predict_proba", "predict_log_proba", "decision_function"} & set(dir(case.model)):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            getattr(case.model, method)(case.X)


def test_data_on_a_wild_scale_is_named_as_a_likely_cause(regression):
    model = ModNetRegressor(inputs=None, optimizer=SGD(0.1), random_state=0)
    with pytest.raises(NonFiniteError, match=r"not scaled \(here \|x\| ≤ [\d.]+e\+"):
        model.fit(regression.X * 1e30, regression.y)

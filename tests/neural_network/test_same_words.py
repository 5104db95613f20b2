"""What the drop-ins say and print is what scikit-learn's MLPs say and print: scripts that match it go on."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import DataConversionWarning

import modnet.neural_network as ours

DIGITS, CODES = load_digits(return_X_y=True)
DIGITS, CODES = DIGITS[:200] / 16, CODES[:200]
FEATURES, SCORE = load_diabetes(return_X_y=True)
FEATURES, SCORE = FEATURES[:200], SCORE[:200] / 100


def both(name: str, **params: Any) -> list[Any]:
    """scikit-learn's estimator and ours."""
    return [getattr(module, name)(**{"random_state": 3, "max_iter": 5, **params}) for module in (theirs, ours)]


def quietly(model: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """What a method returns, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(model, method)(*args, **kwargs)


def fit(model: Any) -> None:
    model.fit(DIGITS, CODES)


# Errors

CLASSES = range(10)
MISTAKES: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "not fitted": ({}, lambda model: model.predict(DIGITS)),
    "number of features": ({}, lambda model: model.fit(DIGITS, CODES).predict(DIGITS[:, :3])),
    "NaN": ({}, lambda model: model.fit(DIGITS * np.nan, CODES)),
    "one axis": ({}, lambda model: model.fit(CODES, CODES)),
    "no classes": ({}, lambda model: model.partial_fit(DIGITS, CODES)),
    "classes too few": ({}, lambda model: model.partial_fit(DIGITS, CODES, classes=[0, 1])),
    "unseen classes": (
        {},
        lambda model: model.partial_fit(DIGITS, CODES, classes=CLASSES).partial_fit(DIGITS, CODES + 1),
    ),
    "changed classes": (
        {},
        lambda model: model.partial_fit(DIGITS, CODES, classes=CLASSES).partial_fit(DIGITS, CODES, classes=[1, 2]),
    ),
    "early stopping in a stream": (
        {"early_stopping": True},
        lambda model: model.partial_fit(DIGITS, CODES, classes=CLASSES),
    ),
    "no stream": ({"solver": "lbfgs"}, lambda model: model.partial_fit(DIGITS, CODES, classes=CLASSES)),
    "warm start": ({"warm_start": True}, lambda model: model.fit(DIGITS, CODES).fit(DIGITS, CODES + 1)),
    "too few rows": ({"early_stopping": True}, lambda model: model.fit(DIGITS[:6], [0, 1] * 3)),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained_in_the_same_words(mistake: str):
    params, make = MISTAKES[mistake]
    said = []
    for model in both("MLPClassifier", **params):
        with pytest.raises((ValueError, AttributeError)) as caught:
            make(model)
        said.append((str(caught.value), str(caught.value.__cause__)))
    assert said[1] == said[0]


@pytest.mark.parametrize("params", [{"loss": "mae"}, {"loss": None}, {"power_t": -1}, {"max_fun": 0}], ids=str)
def test_a_regressors_parameters_are_refused_in_the_same_words(params: dict[str, Any]):
    said = []
    for model in both("MLPRegressor", **params):
        with pytest.raises(ValueError) as caught:
            model.fit(FEATURES, SCORE)
        said.append(str(caught.value))
    assert said[1] == said[0]


@pytest.mark.parametrize("scale", [1e200, 1e305])
def test_numbers_that_grow_beyond_bounds_are_explained_in_the_same_words(scale: float):
    said = []
    for model in both("MLPRegressor"):
        with pytest.raises(ValueError) as caught:
            quietly(model, "fit", FEATURES * scale, SCORE)
        said.append(str(caught.value))
    assert said[1] == said[0]


@pytest.mark.parametrize(
    ("params", "name"),
    [({"batch_size": True}, "batch_size"), ({"max_iter": True}, "max_iter"), ({"alpha": True}, "alpha")],
)
def test_true_is_refused_where_a_number_belongs_by_the_parameters_own_name(params: dict[str, Any], name: str):
    with pytest.raises(ValueError, match=f"^MLPClassifier: {name}: should be a (whole )?number, got True"):
        ours.MLPClassifier(**params).fit(DIGITS, CODES)


# Warnings


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_who_runs_out_of_iterations_is_told_alike(name: str, solver: str):
    said = []
    for model in both(name, solver=solver, max_iter=2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(FEATURES, CODES if name == "MLPClassifier" else SCORE)
        # What lbfgs says goes on with what SciPy and a page of scikit-learn's documentation say.
        said.append([(each.category, str(each.message).partition("iteration(s)")[0]) for each in caught])
    assert said[1] == said[0]
    assert len(said[0]) == 1


def test_a_batch_larger_than_the_data_is_clipped_with_the_same_words():
    for model in both("MLPClassifier", batch_size=10_000, tol=1e9, n_iter_no_change=1):
        with pytest.warns(
            UserWarning, match="Got `batch_size` less than 1 or larger than sample size. It is going to be"
        ):
            fit(model)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_a_column_is_flattened_with_the_same_warning(name: str):
    X, y = (DIGITS, CODES) if name == "MLPClassifier" else (FEATURES, SCORE)
    answers = []
    for model in both(name):
        with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
            model.fit(X, y[:, np.newaxis])
        answers.append(model.predict(X))
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-9)


# What is printed


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True},
        {"tol": 10.0, "n_iter_no_change": 1, "max_iter": 20},
        {"tol": 10.0, "n_iter_no_change": 1, "max_iter": 20, "early_stopping": True},
        {"tol": 10.0, "n_iter_no_change": 1, "max_iter": 40, "solver": "sgd", "learning_rate": "adaptive"},
    ],
    ids=str,
)
def test_verbose_prints_the_same_lines(params: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    printed = []
    for model in both("MLPClassifier", verbose=True, **params):
        quietly(model, "fit", DIGITS, CODES)
        printed.append(capsys.readouterr().out.splitlines())
    assert printed[1] == printed[0]
    assert printed[0][0].startswith("Iteration 1, loss = ")


def test_a_stream_prints_the_same_lines(capsys: pytest.CaptureFixture[str]):
    printed = []
    for model in both("MLPRegressor", verbose=True):
        for _ in range(3):
            quietly(model, "partial_fit", FEATURES, SCORE)
        printed.append((capsys.readouterr().out, model.n_iter_))
    assert printed[1] == printed[0]


# What is shown


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_representation_and_tags_are_the_same(name: str):
    expected, found = both(name, hidden_layer_sizes=(3,), alpha=0.5)
    assert repr(found) == repr(expected)
    tags, theirs_ = found.__sklearn_tags__(), expected.__sklearn_tags__()
    assert (tags.estimator_type, tags.input_tags) == (theirs_.estimator_type, theirs_.input_tags)


def test_attributes_are_there_after_fit_and_not_before():
    names = [
        *("classes_", "loss_", "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_", "t_"),
        *("coefs_", "intercepts_", "n_features_in_", "n_iter_", "n_layers_", "n_outputs_", "out_activation_"),
    ]
    for model in both("MLPClassifier"):
        assert [name for name in names if hasattr(model, name)] == []
        quietly(model, "fit", DIGITS, CODES)
        assert [name for name in names if not hasattr(model, name)] == []

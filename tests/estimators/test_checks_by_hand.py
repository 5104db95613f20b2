"""The checks that scikit-learn defines but leaves to its own test suite to call."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_classifier
from sklearn.datasets import make_classification
from sklearn.utils.estimator_checks import (
    check_class_weight_balanced_classifiers,
    check_classifiers_predictions,
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    estimator_checks_generator,
)
from support.distributions import run_python

from modnet import ModNetClassifier, ModNetRegressor
from modnet.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    ModNetClassifier(),
    ModNetRegressor(),
    ModNetClassifier(class_weight="balanced"),
    ModNetClassifier(optimizer="lbfgs"),
    ModNetClassifier(early_stopping=True),
    ModNetRegressor(early_stopping=True, scoring="r2"),
    MLPClassifier(),
    MLPRegressor(),
    MLPClassifier(early_stopping=True),
]
every = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
classifiers = pytest.mark.parametrize("estimator", list(filter(is_classifier, ESTIMATORS)), ids=repr)


@pytest.mark.parametrize(
    # The check calls partial_fit where there is one, so balanced classes are not among these.
    "estimator",
    [MLPClassifier(), MLPRegressor(), ModNetClassifier(early_stopping=True), ModNetRegressor(optimizer="lbfgs")],
    ids=repr,
)
def test_column_names_are_treated_as_scikit_learn_treats_them(estimator: BaseEstimator):
    check_dataframe_column_names_consistency(type(estimator).__name__, estimator)


@every
def test_data_that_cannot_be_written_to_is_neither_written_nor_needed_writeable(estimator: BaseEstimator):
    check_inplace_ensure_writeable(type(estimator).__name__, estimator)


@classifiers
@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_follow_the_decisions(estimator: BaseEstimator, n_classes: int):
    X, y = make_classification(120, 6, n_informative=4, n_classes=n_classes, random_state=0)
    check_classifiers_predictions(X, np.array(["no", "perhaps", "yes"])[y], type(estimator).__name__, estimator)


@pytest.mark.parametrize(("n_classes", "weights"), [(2, [0.95, 0.05]), (3, [0.8, 0.16, 0.04])])
def test_balanced_weights_help_rare_classes(n_classes: int, weights: list[float]):
    X, y = make_classification(
        600, 10, n_informative=4, n_classes=n_classes, weights=weights, flip_y=0.05, class_sep=0.7, random_state=2
    )
    train, rest = np.arange(400), np.arange(400, 600)
    rare, common = rest[y[rest] > 0], rest[y[rest] == 0]
    test = np.concatenate([rare, common[: len(rare)]])
    model = ModNetClassifier(layers=(), optimizer={"type": "adam", "learning_rate": 0.01})
    check_class_weight_balanced_classifiers("ModNetClassifier", model, X[train], y[train], X[test], y[test], weights)


@every
def test_sparse_data_is_among_the_checks(estimator: BaseEstimator):
    names = {check.func.__name__ for _, check in estimator_checks_generator(estimator)}
    assert {"check_estimator_sparse_tag", "check_estimator_sparse_array", "check_estimator_sparse_matrix"} <= names


def test_under_the_array_api_numpys_arrays_give_the_same_numbers():
    # SciPy reads SCIPY_ARRAY_API when it is imported, so this takes an interpreter of its own.
    code = """
import warnings
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_array_api_input_and_values as check
from modnet import ModNetClassifier, ModNetRegressor
from modnet.neural_network import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)
for cls in (ModNetClassifier, ModNetRegressor, MLPClassifier, MLPRegressor):
    early = cls(max_iter=3, early_stopping=True, validation_fraction=0.4)
    for model, dtype in ((cls(max_iter=3), "float32"), (early, "float64")):
        check(cls.__name__, model, array_namespace="numpy", dtype_name=dtype, check_sample_weight=True)
        print(cls.__name__, dtype)
"""
    assert len(run_python(code, SCIPY_ARRAY_API="1").splitlines()) == 8

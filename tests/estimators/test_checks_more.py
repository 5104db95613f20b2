"""scikit-learn's conformance checks for settings beyond the defaults: other optimizers, early stopping, dropout, ….

No failure is expected. A few checks ask what a setting is there to change; they are left out for it, with the reason.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import estimator_checks_generator

from modnet import ModNetClassifier, ModNetRegressor
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.schedules import Adaptive

# 45 s: the defaults are checked in every run, by test_sklearn_checks.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]

WEIGHTS_AS_COPIES = frozenset(
    {"check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"}
)
"""A row of weight 2 equals two rows to seven digits; not where rows are drawn, dropped or split off at random."""

PARTIAL_FIT = frozenset(
    {"check_fit_score_takes_y", "check_n_features_in_after_fitting", "check_estimators_partial_fit_n_features"}
)
"""They call `partial_fit`, which refuses balanced classes: it does not know how often they will come."""

REFITS = frozenset({"check_classifiers_multilabel_representation_invariance", "check_supervised_y_2d"})
"""They fit one object twice and want the same model; a warm start goes on from the first."""

FEW = {"layers": (10,), "activation": "tanh", "alpha": 0.1, "max_iter": 20}  # more iterations amplify rounding

SETTINGS: dict[str, tuple[type[BaseEstimator], dict[str, Any], frozenset[str]]] = {
    "classifier, lbfgs": (ModNetClassifier, {"optimizer": LBFGS(), **FEW}, frozenset()),
    "regressor, lbfgs": (ModNetRegressor, {"optimizer": LBFGS(), **FEW}, frozenset()),
    "regressor, two layers": (
        ModNetRegressor,
        {"layers": (8, 4), "optimizer": Adam(0.01)},
        frozenset(),
    ),
    "classifier, no layer": (ModNetClassifier, {"layers": (), "optimizer": "sgd", "shuffle": False}, frozenset()),
    "classifier, momentum": (
        ModNetClassifier,
        {"optimizer": SGD(0.002, momentum=0.9, nesterov=True), "max_iter": 500},
        frozenset(),
    ),
    "regressor, momentum": (
        ModNetRegressor,
        {"optimizer": SGD(0.002, momentum=0.9, nesterov=True), "max_iter": 500},
        frozenset(),
    ),
    "regressor, adaptive": (ModNetRegressor, {"optimizer": SGD(0.001, 0.9, schedule=Adaptive())}, frozenset()),
    "classifier, balanced": (ModNetClassifier, {"class_weight": "balanced"}, PARTIAL_FIT),
    "classifier, warm start": (ModNetClassifier, {"warm_start": True}, REFITS),
    "classifier, dropout": (ModNetClassifier, {"layers": (50, "tanh", "dropout")}, WEIGHTS_AS_COPIES),
    "classifier, early": (ModNetClassifier, {"early_stopping": True}, WEIGHTS_AS_COPIES),
    "regressor, early, scorer": (ModNetRegressor, {"early_stopping": True, "scoring": "r2"}, WEIGHTS_AS_COPIES),
    "MLPClassifier": (MLPClassifier, {"hidden_layer_sizes": (20, 10), "activation": "tanh"}, frozenset()),
    "MLPRegressor": (MLPRegressor, {"hidden_layer_sizes": (50,)}, frozenset()),
    "MLPClassifier, sgd": (MLPClassifier, {"solver": "sgd", "learning_rate_init": 0.1}, frozenset()),
    "MLPRegressor, lbfgs": (
        MLPRegressor,
        {"solver": "lbfgs", "hidden_layer_sizes": (10,), "max_iter": 50},
        frozenset(),
    ),
}


def checks() -> Iterator[Any]:
    """The checks of each setting, without those left out for it."""
    for setting, (cls, params, left_out) in SETTINGS.items():
        for estimator, check in estimator_checks_generator(cls(**params)):
            name = check.func.__name__
            if name not in left_out:
                variant = "".join(f", {key}" for key in check.keywords)
                yield pytest.param(estimator, check, id=f"{setting}: {name}{variant}")


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_estimators_keep_scikit_learns_conventions(estimator: BaseEstimator, check: Any):
    check(estimator)

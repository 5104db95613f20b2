"""scikit-learn's own conformance checks, without an expected failure.

Dropout, early stopping and small batches are not among the settings: a row of weight 2 has to equal two rows to seven
digits, and neither a random mask, a random validation set nor a random batch can do that.
"""

import pytest
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, parametrize_with_checks

from modnet import ModNetClassifier, ModNetRegressor
from modnet.layers import Dense, Residual
from modnet.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DEEP = (16, "tanh", Residual([{"type": "dense", "units": 16, "activation": "sigmoid"}, Dense(16)]))

SETTINGS = {
    "default": {},
    "tanh, two layers": {"layers": (8, 4), "activation": "tanh", "optimizer": Adam(0.01)},
    "mapping": {"layers": [{"type": "dense", "units": 16, "activation": "sigmoid"}], "optimizer": Adam(0.01)},
    "residual": {"layers": DEEP},
    "no hidden layer": {"layers": (), "optimizer": {"type": "adam", "learning_rate": 0.1}},
    "sgd by name": {"optimizer": "sgd", "alpha": 0.01, "shuffle": False},
    "sgd": {"optimizer": SGD(0.002, momentum=0.9, nesterov=True), "max_iter": 500},
}


@parametrize_with_checks(
    [ModNetClassifier(**each) for each in SETTINGS.values()]
    + [ModNetRegressor(**each) for name, each in SETTINGS.items() if name != "sgd by name"]
)
def test_estimators_keep_scikit_learns_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor])
def test_column_names_are_treated_as_scikit_learn_treats_them(cls: type):
    check_dataframe_column_names_consistency(cls.__name__, cls())

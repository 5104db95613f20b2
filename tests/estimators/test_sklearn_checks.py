"""scikit-learn's own conformance checks, without an expected failure.

Dropout, early stopping and small batches are not among the settings: a row of weight 2 has to equal two rows to seven
digits, and neither a random mask, a random validation set nor a random batch can do that.
"""

import pytest
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, parametrize_with_checks

from modnet import ModNetClassifier, ModNetRegressor
from modnet.layers import Dense, Residual
from modnet.optimizers import Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DEEP = (16, "tanh", Residual([{"type": "dense", "units": 16, "activation": "sigmoid"}, Dense(16)]))


@parametrize_with_checks(
    [
        ModNetClassifier(),
        ModNetRegressor(),
        ModNetClassifier(DEEP, "tanh", optimizer=Adam(0.01), max_iter=60),
        # Where X and y are centred, the bias of a linear network has rounding for its gradient, and Adam divides by it.
        ModNetRegressor((), inputs=None, optimizer={"type": "adam", "learning_rate": 0.1}, shuffle=False),
    ]
)
def test_estimators_keep_scikit_learns_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor])
def test_column_names_are_treated_as_scikit_learn_treats_them(cls: type):
    check_dataframe_column_names_consistency(cls.__name__, cls())

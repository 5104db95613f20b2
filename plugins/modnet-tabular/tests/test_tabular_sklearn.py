"""The two tabular estimators keep scikit-learn's contract, by its own checks."""

import pytest
from modnet_tabular import TabularClassifier, TabularRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

ESTIMATORS = [TabularClassifier(n_members=2), TabularRegressor(n_members=2), TabularClassifier(preset="fast")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)

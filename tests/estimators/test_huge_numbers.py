"""Numbers that are too large or too small to train with: each is named for what it is."""

import contextlib

import numpy as np
import pytest
from sklearn.datasets import load_iris

from modnet import ModNetClassifier, ModNetRegressor
from modnet.errors import NonFiniteError

X, y = load_iris(return_X_y=True)
QUICK = {"max_iter": 2, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("seed", range(10))
def test_a_fit_that_succeeds_predicts_finite_numbers(seed):
    model = ModNetClassifier((8, 8), optimizer={"type": "sgd", "learning_rate": 1e160}, max_iter=1, random_state=seed)
    with contextlib.suppress(NonFiniteError):
        model.fit(X, y)
    assert not hasattr(model, "theta_") or np.isfinite(model.predict_proba(X)).all()


def test_a_penalty_that_is_too_large_is_named():
    with pytest.raises(NonFiniteError, match=r"the penalty of the weights became inf: alpha=1e\+308 is too large"):
        ModNetClassifier(alpha=1e308, **QUICK).fit(X, y)


@pytest.mark.parametrize(("weight", "dtype"), [(1e308, "float64"), (1e-320, "float64"), (1e38, "float32")])
def test_weights_that_cannot_be_summed_or_divided_by_are_named(weight, dtype):
    with pytest.raises(
        ValueError, match=f"sample_weight holds {weight:g}.* divide them by their mean".replace("+", r"\+")
    ):
        ModNetClassifier(**QUICK).fit(X.astype(dtype), y, np.full(150, weight))


def test_a_score_that_is_no_number_is_an_error():
    with pytest.raises(NonFiniteError, match="the validation score became nan in epoch 1"):
        ModNetRegressor(early_stopping=True, scoring=lambda *_: np.nan, **QUICK).fit(X, X[:, 0])

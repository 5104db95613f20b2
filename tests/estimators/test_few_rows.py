"""Few rows, as in the folds of a search and the bags of an ensemble: one class alone, and classes of a single row."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import learning_curve

from modnet import ModNetClassifier, load, save
from modnet.neural_network import MLPClassifier

X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y]
QUICK = {"max_iter": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("cls", [ModNetClassifier, MLPClassifier])
def test_one_class_is_predicted_for_certain(cls, tmp_path):
    model = cls(**QUICK).fit(X[:50], NAMES[:50])
    assert model.classes_.tolist() == ["setosa"]
    assert set(model.predict(X)) == {"setosa"}
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((150, 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((150, 1)))
    assert model.decision_function(X).shape == (150,)
    assert model.score(X[:50], NAMES[:50]) == 1
    save(model, tmp_path / "model.npz")
    assert set(load(tmp_path / "model.npz").predict(X)) == {"setosa"}


def test_one_class_in_a_column_of_several():
    model = ModNetClassifier(**QUICK).fit(X, np.column_stack([NAMES, np.full(150, "iris")]))
    assert set(model.predict(X)[:, 1]) == {"iris"}
    assert [p.shape for p in model.predict_proba(X)] == [(150, 3), (150, 1)]


def test_small_bags_and_curves_over_sorted_labels_go_through():
    bags = BaggingClassifier(ModNetClassifier(**QUICK), 8, max_samples=2, random_state=0).fit(X, NAMES)
    assert bags.predict_proba(X).shape == (150, 3)
    _, scores, _ = learning_curve(
        ModNetClassifier(**QUICK), X, NAMES, train_sizes=[0.2, 1.0], cv=3, error_score="raise"
    )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 50, 51, 52, 53, 100], [0, 1, 2, 3, 4, 50, 100]], ids=len)
def test_the_only_row_of_a_class_is_trained_on(rows):
    model = ModNetClassifier(early_stopping=True, **QUICK).fit(X[rows], NAMES[rows])
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    weight = np.ones(150)
    weight[51:100] = 0  # which leaves one row of a class
    assert len(ModNetClassifier(early_stopping=True, **QUICK).fit(X, NAMES, weight).classes_) == 3


def test_rows_that_are_all_alone_leave_nothing_to_watch():
    with pytest.raises(ValueError, match="n_samples = 3 is too few to hold out 2 rows"):
        ModNetClassifier(early_stopping=True, **QUICK).fit(X[[0, 50, 100]], NAMES[[0, 50, 100]])

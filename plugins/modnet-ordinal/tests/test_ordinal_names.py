"""The plugin as users meet it: by name, in specs and in estimators; and every loss keeps its contract."""

import numpy as np
import pytest
from modnet_ordinal import SORD, RankedCrossEntropy, SquaredEMD
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GridSearchCV

from modnet import ModelSpec, ModNetClassifier
from modnet.testing import parametrize_with_checks, registered_examples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do


@parametrize_with_checks(registered_examples("modnet-ordinal"))
def test_contract(check):
    check()


@pytest.mark.parametrize(
    ("name", "cls"), [("squared_emd", SquaredEMD), ("sord", SORD), ("ranked_cross_entropy", RankedCrossEntropy)]
)
def test_a_spec_names_them_and_comes_back_from_json(name, cls):
    spec = ModelSpec(layers=["relu"], loss=name)
    assert type(spec.loss) is cls
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert spec.requires["modnet-ordinal"] == "0.1.0"


def grades(seed, n=600):
    """Five grades of a noisy number, for which one class more or less is a small mistake."""
    X, y = make_friedman1(n, noise=2.0, random_state=seed)
    return (X - 0.5) / 0.29, np.digitize(y, np.quantile(y, [0.2, 0.4, 0.6, 0.8]))


@pytest.mark.parametrize("loss", [SquaredEMD(), SORD(), RankedCrossEntropy()], ids=repr)
def test_a_classifier_learns_grades_and_gives_probabilities(loss):
    X, y = grades(0)
    model = ModNetClassifier((32,), loss=loss, max_iter=60, batch_size=32, random_state=0).fit(X[:400], y[:400])
    p = model.predict_proba(X[400:])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X[400:]), p.argmax(axis=1))
    assert np.abs(model.predict(X[400:]) - y[400:]).mean() < 0.85  # 1.2 is what always saying "the middle" gets


def test_soft_labels_miss_by_fewer_classes_than_cross_entropy():
    missed = {"cross_entropy": [], "sord": []}
    for seed in range(4):
        X, y = grades(seed)
        for loss, found in missed.items():
            model = ModNetClassifier((32,), loss=loss, max_iter=80, batch_size=32, random_state=seed)
            found.append(np.abs(model.fit(X[:400], y[:400]).predict(X[400:]) - y[400:]).mean())
    assert np.mean(missed["sord"]) < np.mean(missed["cross_entropy"]) - 0.03


def test_two_classes_have_no_order_to_speak_of():
    X, y = grades(0)
    with pytest.raises(ValueError, match=r"loss=SORD\(\) does not serve a binary target; it serves: multiclass"):
        ModNetClassifier(loss="sord").fit(X, y > 2)


def test_a_grid_search_chooses_among_them():
    X, y = grades(0, 400)
    net = ModNetClassifier((16,), loss="sord", max_iter=60, random_state=0)
    net.set_params(optimizer__learning_rate=0.01)
    grid = {"loss": ["squared_emd", "ranked_cross_entropy"]}
    search = GridSearchCV(net, grid, scoring="neg_mean_absolute_error", cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > -0.9  # -1.2 for always the middle

"""TabularClassifier and TabularRegressor: what members are, what they say together, and how they are used."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modnet_tabular import TabularClassifier, TabularRegressor
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import make_classification, make_friedman1, make_multilabel_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

import modnet
from modnet import ModelSpec, ModNetRegressor
from modnet.callbacks import EpochCallback
from modnet.cli import main
from modnet.errors import InvalidSpecError

SMALL = {"layers": (16,), "n_members": 2, "max_epochs": 12, "random_state": 0}
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),  # few epochs do
    pytest.mark.filterwarnings("ignore:modnet-numba is compiling"),
]

X, y = make_classification(400, 8, n_informative=5, n_classes=3, flip_y=0.2, random_state=0)
Z, t = make_friedman1(400, noise=1.0, random_state=0)


@pytest.fixture(scope="module")
def classifier() -> TabularClassifier:
    return TabularClassifier(**SMALL).fit(X, y)


@pytest.fixture(scope="module")
def regressor() -> TabularRegressor:
    return TabularRegressor(**SMALL).fit(Z, t)


# Members


@pytest.mark.parametrize(("preset", "n"), [("fast", 1), ("default", 4), ("best", 8)])
def test_a_preset_says_how_many_members_there_are(preset: str, n: int):
    model = TabularRegressor(preset=preset, max_epochs=1, layers=(4,), random_state=0).fit(Z[:50], t[:50])
    assert [type(each) for each in model.estimators_] == [ModNetRegressor] * n
    assert len({each.random_state for each in model.estimators_}) == n


def kinds(n: int, watched: bool = False, **params: Any) -> list[str]:
    """What the numbers of each member of the best preset become, on n rows."""
    rows = np.random.default_rng(0).normal(size=(n, 2))
    model = TabularRegressor(preset="best", n_members=4, max_epochs=1, random_state=0, **params)
    watched = {"X_val": rows[:50], "y_val": rows[:50, 0]} if watched else {}
    model.fit(rows, rows[:, 0], **watched)
    specs = [each.spec_ for each in model.estimators_]
    return [type(getattr(each.inputs, "numbers", each)).__name__ for each in specs]


def test_members_of_best_see_numbers_in_two_ways():
    assert kinds(401) == ["Parallel", "Parallel", "Parallel", "PBLD"]
    assert kinds(400) == ["NoneType"] * 4  # neither bins nor waves
    assert kinds(401, watched=True) == kinds(401)
    assert kinds(401, inputs="standardize") == ["ModelSpec"] * 4  # the user's inputs, in all


def test_members_hold_out_rows_of_their_own(classifier: TabularClassifier):
    first, second = classifier.held_out_rows_
    assert len(first) == len(second) == 60
    assert set(first) != set(second)


def test_below_200_rows_nothing_is_held_out_and_the_temperature_is_1():
    model = TabularClassifier(**SMALL).fit(X[:150], y[:150])
    assert (model.held_out_rows_, model.temperature_) == ([], 1.0)
    assert not hasattr(model, "held_out_prediction_")
    again = TabularClassifier(**{**SMALL, "max_epochs": 500}).fit(X[:150], y[:150])
    assert {each.n_iter_ for each in again.estimators_} == {60}


def test_time_that_is_over_begins_no_member_but_one_is_there():
    model = TabularRegressor(**{**SMALL, "n_members": 50, "max_time": 1e-9}).fit(Z, t)
    assert len(model.estimators_) == 1


# What they say together


def test_probabilities_are_the_mean_of_clipped_ones_at_the_temperature(classifier: TabularClassifier):
    each = [np.maximum(member.predict_proba(X).astype(float), 1e-4) for member in classifier.estimators_]
    mean = np.mean([p / p.sum(axis=1, keepdims=True) for p in each], axis=0)
    wanted = mean ** (1 / classifier.temperature_)
    np.testing.assert_allclose(classifier.predict_proba(X), wanted / wanted.sum(axis=1, keepdims=True), rtol=1e-12)


def test_the_temperature_makes_rows_held_out_more_likely():
    noisy = np.random.default_rng(0).permutation(y)  # nothing can be learnt, and members believe that they have
    many, few = np.repeat(X, 3, axis=0), np.repeat(noisy, 3)
    model = TabularClassifier(**{**SMALL, "max_epochs": 60}).fit(many, few)
    plain = clone(model).set_params(calibrate=False).fit(many, few)
    assert plain.temperature_ == 1
    seen = ~np.isnan(model.held_out_prediction_[:, 0])
    after, before = (log_loss(few[seen], each.held_out_prediction_[seen]) for each in (model, plain))
    assert after < before
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))


def test_what_was_held_out_is_what_members_said_before_they_learnt_it(regressor: TabularRegressor):
    found, (first, second) = regressor.held_out_prediction_, regressor.held_out_rows_
    assert set(np.flatnonzero(~np.isnan(found))) == {*first, *second}
    only = np.isin(first, second, invert=True)
    told = regressor.estimators_[0].held_out_prediction_
    np.testing.assert_array_equal(found[first[only]], np.clip(told[only], t.min(), t.max()))
    assert np.mean((found - t)[first] ** 2) > np.mean((regressor.predict(Z) - t)[first] ** 2)


def test_numbers_are_the_mean_of_members_within_the_range_of_what_was_learnt(regressor: TabularRegressor):
    far = np.vstack([Z, 50 * Z])
    each = np.clip([member.predict(far) for member in regressor.estimators_], t.min(), t.max())
    np.testing.assert_allclose(regressor.predict(far), each.mean(axis=0))
    mean, spread = regressor.predict(far, return_std=True)
    np.testing.assert_allclose((mean, spread), (each.mean(axis=0), each.std(axis=0)))


def test_standard_deviations_are_those_of_the_mixture():
    model = TabularRegressor(**SMALL, loss="gaussian_nll").fit(Z, t)
    (a, s), (b, r) = (member.predict(Z, return_std=True) for member in model.estimators_)
    _, spread = model.predict(Z, return_std=True)
    inside = (np.minimum(a, b) >= t.min()) & (np.maximum(a, b) <= t.max())
    np.testing.assert_allclose(spread[inside] ** 2, ((s**2 + r**2) / 2 + (a - b) ** 2 / 4)[inside], rtol=1e-5)


def test_quantiles_ascend_and_belong_to_their_loss(regressor: TabularRegressor):
    loss = {"type": "quantile", "quantiles": (0.1, 0.5, 0.9)}
    model = TabularRegressor(**SMALL, loss=loss).fit(Z, t)
    assert (np.diff(model.predict_quantiles(Z), axis=1) >= 0).all()
    with pytest.raises(AttributeError, match="there are no quantiles with loss='auto': use loss='quantile'"):
        regressor.predict_quantiles(Z)


# Targets and tables of any kind


def test_several_labels_and_several_columns_of_classes():
    A, labels = make_multilabel_classification(300, n_classes=3, random_state=0)
    model = TabularClassifier(**SMALL).fit(A, labels)
    assert model.predict_proba(A).shape == model.decision_function(A).shape == labels.shape
    np.testing.assert_array_equal(model.predict(A), model.predict_proba(A) > 0.5)
    text = np.where(labels[:, :2], "yes", "no")
    several = TabularClassifier(**SMALL).fit(A, text)
    assert [p.shape for p in several.predict_proba(A)] == [(300, 2), (300, 2)]
    assert set(several.predict(A).ravel()) == {"yes", "no"}
    assert several.score(A, text) == np.mean((several.predict(A) == text).all(axis=1))


def test_several_numbers(regressor: TabularRegressor):
    both = np.column_stack([t, -10 * t])
    model = TabularRegressor(**SMALL).fit(Z, both)
    assert model.predict(Z).shape == model.held_out_prediction_.shape == both.shape
    assert model.score(Z, both) > 0.5


def test_a_loss_without_probabilities_predicts_by_the_mean_of_scores():
    model = TabularClassifier(**SMALL, loss="hinge").fit(X, y)
    scores = np.mean([member.decision_function(X) for member in model.estimators_], axis=0)
    np.testing.assert_array_equal(model.predict(X), scores.argmax(axis=1))
    with pytest.raises(AttributeError, match="there are no probabilities with loss='hinge'"):
        model.predict_proba(X)


def test_frames_sparse_rows_and_arrays():
    frame = pd.DataFrame(Z, columns=list("abcdefghij")).assign(town=np.where(Z[:, 0] > 0.5, "Ulm", "Bonn"))
    frame.loc[::7, "a"] = np.nan
    model = TabularRegressor(**SMALL).fit(frame, t)
    assert list(model.feature_names_in_) == [*"abcdefghij", "town"]
    pl = pytest.importorskip("polars")
    np.testing.assert_array_equal(model.predict(pl.DataFrame(frame.to_dict("list"))), model.predict(frame))
    assert TabularRegressor(**SMALL).fit(sparse.csr_array(Z), t).score(sparse.csr_array(Z), t) > 0


def test_a_weight_counts_rows():
    weight = np.random.default_rng(0).integers(0, 3, 150)
    one = TabularClassifier(**SMALL).fit(X[:150], y[:150], weight)
    without = TabularClassifier(**SMALL).fit(X[:150][weight > 0], y[:150][weight > 0], weight[weight > 0])
    np.testing.assert_array_equal(one.predict_proba(X), without.predict_proba(X))
    heavy = TabularClassifier(**SMALL, class_weight={0: 30, 1: 1, 2: 1}).fit(X, y)
    assert np.mean(heavy.predict(X) == 0) > np.mean(y == 0)


def test_rows_to_watch_decide_the_temperature_and_nothing_is_split_off():
    model = TabularClassifier(**SMALL).fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    assert model.held_out_rows_ == []
    assert model.temperature_ != 1


# As any estimator of scikit-learn


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_members_are_the_same_however_many_at_a_time(classifier: TabularClassifier, backend: str):
    import joblib

    with joblib.parallel_backend(backend):
        again = TabularClassifier(**SMALL, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    assert again.temperature_ == classifier.temperature_


def test_a_file_holds_the_members(classifier: TabularClassifier, regressor: TabularRegressor, tmp_path: Path):
    for model, rows in ((classifier, X), (regressor, Z)):
        modnet.save(model, tmp_path / "model.npz")
        again = modnet.load(tmp_path / "model.npz")
        assert repr(again) == repr(model)
        np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
        np.testing.assert_array_equal(again.held_out_prediction_, model.held_out_prediction_)
    with pytest.raises(modnet.errors.RegistryError, match=r"modnet-tabular.* is not allowed here"):
        modnet.load(tmp_path / "model.npz", allow=[])


def test_the_command_trains_and_predicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    frame = pd.DataFrame(X[:120]).add_prefix("c").assign(kind=np.array(["a", "b", "c"])[y[:120]])
    frame.to_csv(data, index=False)
    spec = tmp_path / "spec.json"
    TabularClassifier(layers=(8,), max_epochs=3).to_spec().save(spec)
    arguments = ["--estimator", "tabular_classifier", "--target", "kind", "--out", str(model), "--quiet"]
    assert main(["train", str(data), *arguments]) == 0
    assert "TabularClassifier" in capsys.readouterr().out
    assert main(["predict", str(model), str(data), "--proba"]) == 0
    assert capsys.readouterr().out.startswith("prediction,probability_a,probability_b,probability_c\n")


def test_a_search_finds_parameters_inside():
    model = TabularRegressor(**SMALL)
    grid = {"layers__0__units": [4, 8], "inputs__one_hot": [4]}
    found = GridSearchCV(model, grid, cv=2, error_score="raise").fit(Z, t)
    assert found.best_estimator_.layers in ((4,), (8,))
    assert model.layers == (16,)


class Tasks(EpochCallback):
    """A callback that reaches members, as a progress bar does, and counts what is over."""

    max_propagation_depth = None

    def __init__(self) -> None:
        self.over: list[str] = []

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        self.over.append(context.task_name)


def test_one_callback_sees_every_epoch_of_every_member_and_scores_the_whole():
    tasks, monitor = Tasks(), ScoringMonitor(scoring="r2")
    model = TabularRegressor(**{**SMALL, "max_epochs": 3}).set_callbacks(tasks, monitor).fit(Z[:100], t[:100])
    assert tasks.over == [*["epoch"] * 3, "fit", *["epoch"] * 3, "fit", "fit"]
    assert monitor.get_logs().data[-1]["r2"] == pytest.approx(model.score(Z[:100], t[:100]))


def test_a_spec_becomes_an_ensemble():
    spec = ModelSpec(layers=[{"type": "dense", "units": 8}], loss="huber")
    model = TabularRegressor.from_spec(spec, n_members=2)
    assert (model.to_spec().layers, model.to_spec().loss) == (spec.layers, spec.loss)
    refused = ModelSpec(layers=[{"type": "dense", "units": 8}], training={"alpha": 0.5})
    with pytest.raises(InvalidSpecError, match=r"TabularRegressor: alpha: .* no parameter for 0\.5"):
        TabularRegressor.from_spec(refused)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"preset": "quick"}, "preset: should be 'fast', 'default', 'best', got 'quick'"),
        ({"n_members": 0}, "n_members: should be a whole number from 1, or None, got 0"),
        ({"max_time": 0}, "max_time: should be a number of seconds above 0, or None, got 0"),
        ({"calibrate": "no"}, "calibrate: should be True or False, got 'no'"),
        ({"max_epochs": 0}, "max_epochs: should be greater than or equal to 1, got 0"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(bad: dict, message: str):
    model = TabularRegressor(**SMALL).fit(Z[:50], t[:50])
    before = vars(model).copy()
    with pytest.raises(InvalidSpecError, match=f"^TabularRegressor: {message}$"):
        model.set_params(**bad).fit(Z, t)
    assert {name: each for name, each in vars(model).items() if name not in bad} == {
        name: each for name, each in before.items() if name not in bad
    }


def test_it_is_shown_with_its_members(classifier: TabularClassifier):
    assert "2 × ModNetClassifier" in classifier._repr_html_()
    assert "estimators_[1].output" in repr(classifier.summary())
    assert "estimators_[2]" not in repr(classifier.summary())
    drawn = TabularRegressor(preset="best")._repr_html_()
    assert "6 × ModNetRegressor" in drawn  # with bins
    assert "2 × ModNetRegressor" in drawn  # with waves


def test_an_unknown_argument_is_told_the_one_that_means_the_same():
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_iter': write max_epochs=3"):
        TabularClassifier(max_iter=3)


def test_what_members_refuse_is_refused_in_the_name_of_the_ensemble(
    classifier: TabularClassifier, regressor: TabularRegressor
):
    quantiles = TabularRegressor(**SMALL, loss="quantile").fit(Z[:50], t[:50])
    hinge = TabularClassifier(**SMALL, loss="hinge").fit(X[:50], y[:50])
    for call in (
        *(classifier.predict, classifier.predict_proba, classifier.decision_function, hinge.decision_function),
        *(regressor.predict, quantiles.predict_quantiles, lambda rows: regressor.fit(Z, t, X_val=rows, y_val=t[:5])),
    ):
        name = "Tabular(Classifier|Regressor)"
        with pytest.raises(ValueError, match=f"X has 3 features, but {name} is expecting"):
            call(X[:5, :3])
        with pytest.raises(ValueError, match=rf"dim 3, while dim <= 2 is required by {name}|X_val|X should have"):
            call(X[:4].reshape(2, 2, 8))

"""Validation sets: given to fit or split off, watched by loss or scorer, and the weights of the best epoch kept."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, log_loss, make_scorer, mean_squared_error
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.preprocessing import StandardScaler
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor
from modnet.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FEATURES, CODES = load_iris(return_X_y=True)
FEATURES = StandardScaler().fit_transform(FEATURES)
FLOWERS = np.array(["setosa", "versicolor", "virginica"])[CODES]
SHUFFLED = np.random.default_rng(0).permutation(150)
TRAIN, HELD = SHUFFLED[:100], SHUFFLED[100:]
X, y, X_val, y_val = FEATURES[TRAIN], FLOWERS[TRAIN], FEATURES[HELD], FLOWERS[HELD]
NOISE = np.random.default_rng(1).permutation(y)  # nothing to learn: the validation loss soon rises
WEIGHT = np.random.default_rng(2).uniform(0.5, 2, size=50)

FAST: dict[str, Any] = {"optimizer": {"type": "adam", "learning_rate": 0.02}, "random_state": 0}
NET = ModNetClassifier((16,), **{**CLASSIC, **FAST, "max_iter": 12})
GIVEN: dict[str, Any] = {"X_val": X_val, "y_val": y_val}


def net(**params: Any) -> ModNetClassifier:
    return clone(NET).set_params(**{"loss": "cross_entropy", **params})


# A set that is given


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alone", "weighted"])
def test_its_loss_is_recorded_after_every_epoch(weight: np.ndarray | None):
    model = net().fit(X, y, **GIVEN, sample_weight_val=weight)
    assert len(model.validation_loss_curve_) == model.n_iter_ == 12
    loss = log_loss(y_val, model.predict_proba(X_val), sample_weight=weight)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)
    assert not hasattr(model, "validation_scores_")


def test_its_loss_is_recorded_for_numbers():
    y, y_val = X[:, :2] ** 2, X_val[:, :2] ** 2
    model = ModNetRegressor((8,), max_iter=5, **FAST).fit(X, y, X_val=X_val, y_val=y_val)
    std = y.std(axis=0)  # the loss sees numbers in units of it
    half = 0.5 * mean_squared_error(y_val / std, model.predict(X_val) / std, multioutput="raw_values").sum()
    assert model.validation_loss_curve_[-1] == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_it_takes_no_row_and_no_draw_from_training(early_stopping: bool):
    plain = net().fit(X, y)
    watched = net(early_stopping=early_stopping, cooldown=0).fit(X, y, **GIVEN)
    assert watched.loss_curve_ == plain.loss_curve_
    if not early_stopping:
        assert watched.theta_.tobytes() == plain.theta_.tobytes()


@pytest.mark.parametrize("scoring", ["loss", "accuracy", None])
def test_early_stopping_watches_it_and_keeps_the_best_weights(scoring: Any):
    settings = {"max_iter": 200, "n_iter_no_change": 5, "early_stopping": True, "cooldown": 0}
    model = net(scoring=scoring, **settings).fit(X, NOISE, **GIVEN)
    losses, n = model.validation_loss_curve_, model.n_iter_
    assert len(losses) == n < 200
    if scoring == "loss":
        best = int(np.argmin(losses))
        assert log_loss(y_val, model.predict_proba(X_val)) == pytest.approx(min(losses), rel=1e-9)
    else:
        best = n - 1 - int(np.argmax(model.validation_scores_[::-1]))  # of equal scores the last
        assert len(model.validation_scores_) == n
        assert model.score(X_val, y_val) == max(model.validation_scores_)
    assert best < n - 1
    until = net(max_iter=best + 1).fit(X, NOISE)
    assert model.theta_.tobytes() == until.theta_.tobytes()


def test_early_stopping_on_a_set_ends_by_the_rule_on_its_curve():
    settings = {"max_iter": 200, "n_iter_no_change": 5, "tol": 0.01}
    model = net(early_stopping=True, cooldown=0, **settings).fit(X, NOISE, **GIVEN)
    best_before = np.minimum.accumulate([np.inf, *model.validation_loss_curve_])[:-1]
    waited = [loss > best - 0.01 for loss, best in zip(model.validation_loss_curve_, best_before, strict=True)]
    assert waited[-7:] == [False, True, True, True, True, True, True]


def test_rows_of_weight_zero_are_not_in_it():
    kept = np.arange(50) % 3 > 0
    weighted = net(scoring="accuracy").fit(X, y, **GIVEN, sample_weight_val=kept)
    absent = net(scoring="accuracy").fit(X, y, X_val=X_val[kept], y_val=y_val[kept])
    np.testing.assert_allclose(weighted.validation_loss_curve_, absent.validation_loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(weighted.validation_scores_, absent.validation_scores_, rtol=1e-12)


def test_it_may_lack_classes():
    lacking = y_val != "setosa"
    model = net().fit(X, y, X_val=X_val[lacking], y_val=y_val[lacking])
    loss = log_loss(y_val[lacking], model.predict_proba(X_val[lacking]), labels=model.classes_)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("of", [np.float32, sparse.csr_array, sparse.csc_matrix, np.ndarray.tolist])
def test_it_may_be_of_another_kind_than_the_training_data(of: Any):
    other, plain = net().fit(X, y, X_val=of(X_val), y_val=y_val.tolist()), net().fit(X, y, **GIVEN)
    np.testing.assert_allclose(other.validation_loss_curve_, plain.validation_loss_curve_, rtol=1e-5)
    assert other.theta_.dtype == np.float64


def test_curves_of_an_earlier_fit_are_gone():
    model = net(scoring="accuracy").fit(X, y, **GIVEN).fit(X, y)
    assert not hasattr(model, "validation_loss_curve_")
    assert not hasattr(model, "validation_scores_")


def test_the_drop_in_takes_one_too():
    settings: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 8, "random_state": 0, "early_stopping": True}
    model = MLPClassifier(**settings).fit(X, y, **GIVEN)
    assert model.score(X_val, y_val) == max(model.validation_scores_) == model.best_validation_score_
    plain = SklearnMLPClassifier(**{**settings, "early_stopping": False}).fit(X, y)
    np.testing.assert_allclose(model.loss_curve_, plain.loss_curve_, rtol=1e-9)


# Scorers


def weighted_accuracy(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    return float(accuracy_score(y, estimator.predict(X), sample_weight=sample_weight))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alone", "weighted"])
def test_a_score_is_that_of_the_scorer_however_it_is_given(weight: np.ndarray | None):
    scorers = ("accuracy", None, make_scorer(accuracy_score), weighted_accuracy)
    models = [net(scoring=scoring).fit(X, y, **GIVEN, sample_weight_val=weight) for scoring in scorers]
    assert all(model.validation_scores_ == models[0].validation_scores_ for model in models)
    assert models[0].validation_scores_[-1] == models[0].score(X_val, y_val, weight)


def test_a_scorer_that_needs_probabilities():
    model = net(scoring="neg_log_loss").fit(X, y, **GIVEN)
    np.testing.assert_allclose(model.validation_scores_, np.negative(model.validation_loss_curve_), rtol=1e-9)


def test_a_scorer_sees_labels_as_the_user_wrote_them():
    seen = []

    def scorer(estimator: Any, X: Any, y: Any) -> float:
        seen.append((set(y), set(estimator.predict(X))))
        return 0.0

    net(scoring=scorer, max_iter=1).fit(X, y, **GIVEN)
    assert seen[0][0] == set(FLOWERS)
    assert seen[0][1] <= set(FLOWERS)


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}], ids=str)
def test_frames_are_scored_without_a_warning(params: dict[str, Any]):
    frame, frame_val = (pd.DataFrame(each, columns=list("abcd")) for each in (X, X_val))
    model = net(scoring="accuracy", **params).fit(frame, y, X_val=frame_val, y_val=y_val)
    assert model.validation_scores_ == net(scoring="accuracy", **params).fit(X, y, **GIVEN).validation_scores_
    assert model.feature_names_in_.tolist() == list("abcd")
    split = net(scoring="accuracy", early_stopping=True).fit(frame, y)
    assert split.validation_scores_ == net(scoring="accuracy", early_stopping=True).fit(X, y).validation_scores_


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_scorer_that_does_not_exist_is_refused_in_scikit_learns_words(early_stopping: bool):
    with pytest.raises(ValueError, match=r"'scoring' parameter of check_scoring must be .* Got 'acuracy' instead"):
        net(scoring="acuracy", early_stopping=early_stopping).fit(X, y)


def test_several_scorers_are_refused():
    with pytest.raises(ValueError, match="scoring"):
        net(scoring=["accuracy", "f1_macro"], early_stopping=True).fit(X, y)


# A set that is split off


def split_of(model: ModNetClassifier, X: Any, y: Any) -> np.ndarray:
    """The labels of the rows that a fit sets aside."""
    seen = []

    def scorer(estimator: Any, X: Any, y: Any) -> float:
        seen.append(y)
        return 0.0

    clone(model).set_params(scoring=scorer, max_iter=1).fit(X, y)
    return np.asarray(seen[0])


@pytest.mark.parametrize("fraction", [0.1, 0.25])
def test_classes_have_their_shares_in_it(fraction: float):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(["a", "b", "c"], [100, 60, 40]))
    for seed in range(3):
        stopping = net(early_stopping=True, validation_fraction=fraction, random_state=seed)
        held = split_of(stopping, rng.normal(size=(200, 2)), labels)
        counts = np.unique(held, return_counts=True)[1]
        np.testing.assert_allclose(counts, np.array([100, 60, 40]) * fraction, atol=1)


def test_its_size_is_a_share_of_the_rows():
    for fraction, size in ((0.1, 10), (0.25, 25), (0.333, 34)):
        model = ModNetRegressor((4,), early_stopping=True, validation_fraction=fraction, random_state=0)
        assert len(split_of(model, X, X[:, 0])) == size


def test_weights_are_kept_for_the_rows_split_off():
    seen = []

    def scorer(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
        seen.append((y, sample_weight))
        return 0.0

    target = np.arange(100.0)
    model = ModNetRegressor((4,), early_stopping=True, scoring=scorer, max_iter=1, random_state=0)
    model.fit(X, target, sample_weight=target + 1)
    np.testing.assert_array_equal(seen[0][0] + 1, seen[0][1])


def test_rows_that_cannot_be_split_are_refused():
    with pytest.raises(ValueError, match=r"too few|too small"):
        net(early_stopping=True).fit(X[:2], ["a", "b"])


def test_two_rows_are_the_smallest_set():
    with pytest.raises(ValueError, match=r"too few|validation set is too small"):
        ModNetRegressor(early_stopping=True).fit(X[:2], X[:2, 0])
    assert len(split_of(ModNetRegressor((4,), early_stopping=True, random_state=0), X[:9], X[:9, 0])) == 2


# What is refused


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"X_val": X_val}, "X_val and y_val should be given together, got only one of them"),
        ({"y_val": y_val}, "X_val and y_val should be given together, got only one of them"),
        ({"sample_weight_val": WEIGHT}, "sample_weight_val was given without X_val and y_val"),
        ({"X_val": X_val * np.nan, "y_val": y_val}, "Input X contains NaN"),
        ({"X_val": X_val[:, :3], "y_val": y_val}, "X has 3 features, but ModNetClassifier is expecting 4 features"),
        ({"X_val": X_val, "y_val": y_val[:5]}, r"inconsistent numbers of samples: \[50, 5\]"),
        ({"X_val": X_val[:0], "y_val": y_val[:0]}, r"Found array with 0 sample\(s\)"),
        ({"X_val": X_val, "y_val": ["rose"] * 50}, r"`y` has classes not in `self\.classes_`.* 'y' has \['rose'\]"),
        ({**GIVEN, "sample_weight_val": WEIGHT[:5]}, r"sample_weight\.shape == \(5,\), expected \(50,\)"),
        ({**GIVEN, "sample_weight_val": -WEIGHT}, "Negative values in data passed to `sample_weight`"),
        ({**GIVEN, "sample_weight_val": 0 * WEIGHT}, "weights must contain at least one non-zero"),
    ],
)
def test_what_is_no_validation_set_is_refused_and_nothing_is_learned(given: dict[str, Any], words: str):
    model = net()
    before = set(vars(model))
    with pytest.raises(ValueError, match=words):
        model.fit(X, y, **given)
    assert set(vars(model)) == before


def test_columns_of_other_names_are_refused():
    frame, other = pd.DataFrame(X, columns=list("abcd")), pd.DataFrame(X_val, columns=list("abdc"))
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        net().fit(frame, y, X_val=other, y_val=y_val)


# What is printed


@pytest.mark.parametrize(
    ("scoring", "end"),
    [("loss", ""), ("accuracy", r"  score \d\.\d{4}")],
)
def test_verbose_shows_what_was_watched(scoring: str, end: str, capsys: pytest.CaptureFixture[str]):
    model = net(scoring=scoring, verbose=True, max_iter=3).fit(X, y, **GIVEN)
    lines = capsys.readouterr().out.splitlines()
    for epoch, (line, loss) in enumerate(zip(lines, model.validation_loss_curve_, strict=True), 1):
        watched = re.escape(f"validation loss {loss:.6f}")
        assert re.fullmatch(rf"epoch +{epoch}  loss \d+\.\d{{6}}  {watched}{end}  \d+\.\d{{3}} s", line)

"""Targets: the order of classes, several columns of classes, streams of every kind of target, and what y may not be."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.multioutput import MultiOutputClassifier
from sklearn.preprocessing import LabelEncoder
from support.classic import CLASSIC

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor
from modnet.losses import CrossEntropy, PerOutput
from modnet.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
CODES = np.digitize(X[:, 0], [-0.4, 0.5])
SIGN = (X[:, 1] > 0).astype(int)
SHAPE = np.array(["round", "long", "flat"])[CODES]
COLOUR = np.array(["red", "green"])[SIGN]
COLUMNS = np.column_stack([SHAPE, COLOUR, np.array(["w", "x", "y", "z"])[rng.integers(0, 4, 120)]])
LABELS = (X[:, :3] > 0).astype(int)
FAST: dict[str, Any] = {**CLASSIC, "optimizer": {"type": "adam", "learning_rate": 0.02}, "max_iter": 60}
NET = ModNetClassifier((16,), random_state=0, **FAST)


@pytest.fixture(scope="module")
def several() -> ModNetClassifier:
    """A network that learned shape, colour and a letter at once."""
    with pytest.warns(Warning, match="max_iter"):
        return clone(NET).fit(X, COLUMNS)


# The order of classes


@pytest.mark.parametrize(
    "model", [ModNetClassifier((8,), optimizer="lbfgs"), MLPClassifier((8,), solver="lbfgs")], ids=repr
)
@pytest.mark.parametrize(
    "names",
    [["b", "c", "a"], [5, -3, 0], [2.0, 0.0, 1.0], [True, False], ["yes", "no"], np.array(["q", "p", "r"], object)],
    ids=str,
)
def test_classes_are_sorted_and_columns_of_probabilities_follow_them(model: Any, names: Any):
    names = np.asarray(names)
    codes = CODES if len(names) == 3 else SIGN
    model = clone(model).set_params(max_iter=30, random_state=0).fit(X, names[codes])
    np.testing.assert_array_equal(model.classes_, np.unique(names))
    p = model.predict_proba(X)
    np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])
    truth = p[np.arange(120), np.searchsorted(model.classes_, names[codes])]
    assert np.mean(truth > 1 / len(names)) > 0.8


def test_the_names_of_classes_do_not_change_what_is_learned():
    in_order = clone(NET).fit(X, np.array(["a", "b", "c"])[CODES])
    for names in (["x", "y", "z"], [-7, 0, 100], [0.0, 1.0, 2.0]):
        renamed = clone(NET).fit(X, np.array(names)[CODES])
        assert renamed.theta_.tobytes() == in_order.theta_.tobytes()


# Several columns of classes


def test_several_columns_have_a_list_of_everything_as_scikit_learns_forests_have(several: ModNetClassifier):
    assert [classes.tolist() for classes in several.classes_] == [
        ["flat", "long", "round"],
        ["green", "red"],
        ["w", "x", "y", "z"],
    ]
    assert [p.shape for p in several.predict_proba(X)] == [(120, 3), (120, 2), (120, 4)]
    assert [p.shape for p in several.predict_log_proba(X)] == [(120, 3), (120, 2), (120, 4)]
    assert several.decision_function(X).shape == (120, 3 + 1 + 4)
    assert several.predict(X).shape == (120, 3)
    assert several.predict(X).dtype == COLUMNS.dtype
    links = ("softmax", "sigmoid", "softmax")
    assert several.spec_.loss == PerOutput([CrossEntropy(link, label_smoothing=0.1) for link in links], [3, 1, 4])


def test_predictions_are_the_most_likely_class_of_each_column(several: ModNetClassifier):
    for column, (classes, p) in enumerate(zip(several.classes_, several.predict_proba(X), strict=True)):
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_array_equal(several.predict(X)[:, column], classes[p.argmax(axis=1)])
    for p, logarithm in zip(several.predict_proba(X), several.predict_log_proba(X), strict=True):
        np.testing.assert_allclose(np.exp(logarithm), p, rtol=1e-9, atol=1e-15)


def test_what_can_be_learned_of_several_columns_is_learned(several: ModNetClassifier):
    right = (several.predict(X) == COLUMNS).mean(axis=0)
    assert (right[:2] > 0.9).all()


def test_the_score_is_the_share_of_rows_right_in_all_columns(several: ModNetClassifier):
    right = (several.predict(X) == COLUMNS).all(axis=1)
    assert 0 < several.score(X, COLUMNS) == right.mean() < 1
    assert several.score(X, COLUMNS.tolist()) == right.mean()
    weight = np.arange(120.0)
    assert several.score(X, COLUMNS, weight) == pytest.approx(right @ weight / weight.sum())
    with pytest.raises(ValueError, match="columns"):
        several.score(X, COLUMNS[:, :1])


def test_the_loss_of_several_columns_is_the_sum_of_theirs():
    model = clone(NET).set_params(max_iter=3, loss="cross_entropy").fit(X, COLUMNS, X_val=X, y_val=COLUMNS)
    parts = zip(COLUMNS.T, model.predict_proba(X), model.classes_, strict=True)
    loss = sum(log_loss(y, p, labels=classes) for y, p, classes in parts)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


def test_a_model_of_several_columns_can_be_made_again_from_its_spec(several: ModNetClassifier):
    spec = ModelSpec.from_json(several.spec_.to_json())
    assert spec == several.spec_
    second = ModNetClassifier.from_spec(spec, random_state=0).fit(X, COLUMNS)
    assert second.theta_.tobytes() == several.theta_.tobytes()


def test_numbers_may_be_classes_of_several_columns():
    y = np.column_stack([CODES, 10 * SIGN])
    model = clone(NET).fit(X, y)
    assert [classes.tolist() for classes in model.classes_] == [[0, 1, 2], [0, 10]]
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.8


def test_a_frame_of_columns_is_a_target():
    model = clone(NET).fit(X, pd.DataFrame(COLUMNS, columns=["shape", "colour", "letter"]))
    assert [classes.tolist() for classes in model.classes_][:2] == [["flat", "long", "round"], ["green", "red"]]


def test_several_columns_stop_early_and_are_searched():
    model = clone(NET).set_params(early_stopping=True, cooldown=0, scoring=None)
    search = GridSearchCV(model, {"layers__0__units": [4, 16]}, cv=2, error_score="raise").fit(X, COLUMNS[:, :2])
    assert search.best_score_ > 0.5
    assert len(search.best_estimator_.validation_scores_) == search.best_estimator_.n_iter_
    assert cross_val_predict(NET, X, COLUMNS[:, :2], cv=2).shape == (120, 2)


def test_one_network_per_column_is_still_possible():
    model = MultiOutputClassifier(clone(NET)).fit(X, COLUMNS[:, :2])
    assert model.score(X, COLUMNS[:, :2]) > 0.8


# Streams


def test_labels_may_come_a_row_at_a_time():
    net = clone(NET).set_params(shuffle=False, accelerator=None)  # steps at once differ from single ones by rounding
    stream = clone(net)
    for row in range(120):
        stream.partial_fit(X[[row]], LABELS[[row]])
    assert stream.classes_.tolist() == [0, 1, 2]
    assert stream.predict_proba(X).shape == (120, 3)
    epoch = clone(net).set_params(batch_size=1, max_iter=1).fit(X, LABELS)
    np.testing.assert_array_equal(stream.theta_, epoch.theta_)


CLASSES = [["round", "long", "flat"], ["red", "green"], ["w", "x", "y", "z"]]


@pytest.mark.parametrize("batch", [1, 30])
def test_several_columns_may_come_in_parts_that_lack_classes(batch: int):
    order = np.lexsort(COLUMNS.T)  # the first parts have few classes
    net = clone(NET).set_params(shuffle=False, accelerator=None)  # steps at once differ from single ones by rounding
    stream = clone(net)
    for part in np.split(order, 120 // batch):
        stream.partial_fit(X[part], COLUMNS[part], classes=CLASSES)
    epoch = clone(NET).set_params(shuffle=False, batch_size=batch, max_iter=1).fit(X[order], COLUMNS[order])
    assert [classes.tolist() for classes in stream.classes_] == [classes.tolist() for classes in epoch.classes_]
    np.testing.assert_allclose(stream.theta_, epoch.theta_, rtol=1e-12)


def test_announced_columns_of_classes_may_look_like_labels_at_first():
    y = np.column_stack([CODES, SIGN])
    first = CODES < 2
    stream = clone(NET).partial_fit(X[first], y[first], classes=[[0, 1, 2], [0, 1]]).partial_fit(X, y)
    assert [classes.tolist() for classes in stream.classes_] == [[0, 1, 2], [0, 1]]


def test_columns_of_classes_are_announced_and_kept():
    with pytest.raises(ValueError, match=r"classes must be passed on the first call to partial_fit\."):
        clone(NET).partial_fit(X, COLUMNS)
    stream = clone(NET).partial_fit(X, COLUMNS, classes=CLASSES)
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        stream.partial_fit(X, COLUMNS, classes=[["round", "long"], *CLASSES[1:]])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`.* 'y' has \['square'\]"):
        stream.partial_fit(X[:1], [["square", "red", "w"]])


# What y may not be


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (X[:, 0], "Unknown label type: continuous"),
        (X[:, :2], "Unknown label type: continuous-multioutput"),
        (np.where(CODES, 1.0, np.nan), "Input y contains NaN"),
        (np.where(CODES, 1.0, np.inf), "Input y contains infinity"),
        (np.array([1, "a"] * 60, object), "Unknown label type: unknown"),
        (LABELS[:, :, np.newaxis], "Found array with dim 3"),
        (SHAPE[:-1], r"inconsistent numbers of samples: \[120, 119\]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_target_of_a_classifier_is_refused(y: Any, words: str):
    with pytest.raises(ValueError, match=words):
        clone(NET).fit(X, y)


@pytest.mark.parametrize(
    ("known", "later", "words"),
    [
        ("single", np.column_stack([SHAPE, SHAPE]), r"shape \(120, 2\)"),
        ("labels", SIGN, r"3 columns .* shape \(120,\)"),
        ("labels", LABELS[:, :2], r"3 columns .* shape \(120, 2\)"),
        ("labels", 2 * LABELS, r"labels .* 0 (and|or) 1|\[2\]"),
        ("labels", COLUMNS, "labels|columns"),
        ("several", SHAPE, r"3 columns .*shape \(120,\)"),
        ("several", COLUMNS[:, :2], r"3 columns"),
    ],
)
@pytest.mark.parametrize("door", ["partial_fit", "y_val"])
def test_a_target_of_another_kind_is_refused_where_one_is_known(known: str, later: Any, words: str, door: str):
    y = {"single": SHAPE, "labels": LABELS, "several": COLUMNS}[known]
    model = clone(NET).set_params(max_iter=1)
    if door == "y_val":
        with pytest.raises(ValueError, match=words):
            model.fit(X, y, X_val=X, y_val=later)
    else:
        model.partial_fit(X, y, classes={"single": np.unique(SHAPE), "labels": None, "several": CLASSES}[known])
        with pytest.raises(ValueError, match=words):
            model.partial_fit(X, later)


def test_a_regressor_takes_numbers_of_every_type_and_nothing_else():
    expected = ModNetRegressor((4,), max_iter=3, random_state=0).fit(X, CODES.astype(float)).theta_
    for y in (CODES, CODES.astype("f4"), CODES.astype(object), pd.Series(CODES), CODES.tolist()):
        model = ModNetRegressor((4,), max_iter=3, random_state=0).fit(X, y)
        np.testing.assert_array_equal(model.theta_, expected)
    with pytest.raises(ValueError, match="could not convert string to float"):
        ModNetRegressor().fit(X, SHAPE)


def test_codes_of_a_label_encoder_and_its_labels_teach_the_same():
    encoder = LabelEncoder().fit(SHAPE)
    by_code, by_label = clone(NET).fit(X, encoder.transform(SHAPE)), clone(NET).fit(X, SHAPE)
    assert by_code.theta_.tobytes() == by_label.theta_.tobytes()
    np.testing.assert_array_equal(encoder.inverse_transform(by_code.predict(X)), by_label.predict(X))

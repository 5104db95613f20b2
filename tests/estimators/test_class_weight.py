"""Class weights: a row weighs as much as its class, whatever the labels are and wherever rows come from."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from modnet import ModNetClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 5))
CODES = np.digitize(X[:, 0] + 0.3 * rng.normal(size=120), [0.5, 1.3])  # 0 is common, 2 is rare
LABELS: dict[str, Any] = {
    "strings": np.array(["common", "medium", "rare"]),
    "integers": np.array([-5, 0, 7]),
    "objects": np.array(["common", "medium", "rare"], object),
    "bools": np.array([False, True, True]),
}
GIVEN = rng.uniform(0.5, 2, size=120)
NET = ModNetClassifier((8,), max_iter=8, batch_size=25, random_state=0)


def same(first: ModNetClassifier, second: ModNetClassifier) -> bool:
    """Whether two fits went through the same numbers."""
    return first.theta_.tobytes() == second.theta_.tobytes() and first.loss_curve_ == second.loss_curve_


def weighing(class_weight: Any, **params: Any) -> ModNetClassifier:
    return clone(NET).set_params(class_weight=class_weight, **params)


# What they stand for


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("given", [None, GIVEN], ids=["alone", "with sample_weight"])
def test_a_dict_is_the_sample_weights_it_stands_for(labels: str, given: np.ndarray | None):
    y = LABELS[labels][CODES]
    weights = {label: 1.0 + 3 * code for code, label in enumerate(np.unique(y).tolist())}
    rows = np.array([weights[label] for label in y.tolist()])
    by_class = weighing(weights).fit(X, y, sample_weight=given)
    by_row = clone(NET).fit(X, y, sample_weight=rows if given is None else rows * given)
    assert same(by_class, by_row)
    assert not same(by_class, clone(NET).fit(X, y, sample_weight=given))


@pytest.mark.parametrize("labels", LABELS)
def test_balanced_is_the_sample_weights_it_stands_for(labels: str):
    y = LABELS[labels][CODES]
    classes, counts = np.unique(y, return_counts=True)
    rows = (len(y) / (len(classes) * counts))[np.searchsorted(classes, y)]
    assert same(weighing("balanced").fit(X, y), clone(NET).fit(X, y, sample_weight=rows))


def test_balanced_counts_a_row_of_weight_k_as_k_rows():
    times = rng.integers(0, 4, size=120)
    whole = weighing("balanced", batch_size=10_000, early_stopping=False)
    with pytest.warns(UserWarning, match="batch_size"):
        weighted = clone(whole).fit(X, CODES, sample_weight=times)
    with pytest.warns(UserWarning, match="batch_size"):
        copied = clone(whole).fit(X.repeat(times, axis=0), CODES.repeat(times))
    np.testing.assert_allclose(weighted.theta_, copied.theta_, rtol=1e-6, atol=1e-9)


def test_a_class_that_is_not_named_weighs_one():
    y = LABELS["strings"][CODES]
    partial, full = weighing({"rare": 9.0}), weighing({"common": 1.0, "medium": 1.0, "rare": 9.0})
    assert same(partial.fit(X, y), full.fit(X, y))


def test_a_class_that_does_not_come_may_be_named():
    y = LABELS["strings"][CODES]
    weights = {"common": 1.0, "medium": 2.0, "rare": 9.0}
    assert same(weighing({**weights, "unheard of": 100.0}).fit(X, y), weighing(weights).fit(X, y))


def test_equal_weights_are_no_weights():
    plain = clone(NET).set_params(alpha=0.0001).fit(X, CODES)
    equal = weighing({0: 2.0, 1: 2.0, 2: 2.0}, alpha=0.0001 * 2).fit(X, CODES)
    np.testing.assert_allclose(equal.theta_, plain.theta_, rtol=1e-6, atol=1e-9)


def test_a_class_without_weight_does_not_count():
    y, there = CODES, CODES != 0
    weightless = weighing({0: 0.0, 1: 1.0, 2: 1.0}, batch_size=5, shuffle=False, max_iter=3).fit(X, y)
    assert weightless.classes_.tolist() == [0, 1, 2]
    assert np.isfinite(weightless.loss_curve_).all()
    assert weightless.predict_proba(X[there])[:, 0].mean() < 0.5


# Where rows come from


def test_batches_of_a_stream_need_not_have_every_class_that_is_named():
    y = LABELS["strings"][CODES]
    weights = {"rare": 9.0}
    rows = np.where(y == "rare", 9.0, 1.0)
    by_class, by_row = weighing(weights), clone(NET)
    for part in np.split(np.argsort(y, kind="stable"), 6):
        by_class.partial_fit(X[part], y[part], classes=LABELS["strings"])
        by_row.partial_fit(X[part], y[part], classes=LABELS["strings"], sample_weight=rows[part])
    assert same(by_class, by_row)


@pytest.mark.parametrize("class_weight", [{"rare": 9.0}, {"common": 0.5, "medium": 2.0, "rare": 9.0}])
def test_validation_rows_weigh_as_much_as_their_class(class_weight: dict[str, float]):
    y = LABELS["strings"][CODES]
    lacking = y != "rare"
    for rows in (slice(None), lacking):
        model = weighing(class_weight, loss="cross_entropy").fit(X, y, X_val=X[rows], y_val=y[rows])
        by_row = np.array([class_weight.get(label, 1.0) for label in y[rows]])
        loss = log_loss(y[rows], model.predict_proba(X[rows]), sample_weight=by_row, labels=model.classes_)
        assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("class_weight", [{"rare": 9.0}, "balanced"])
def test_early_stopping_splits_rows_with_their_weights(class_weight: Any):
    y = LABELS["strings"][CODES]
    rows = compute_sample_weight(
        class_weight if class_weight == "balanced" else {"common": 1, "medium": 1, "rare": 9}, y
    )
    stopping = {"early_stopping": True, "validation_fraction": 0.25}
    by_class = weighing(class_weight, **stopping).fit(X, y)
    by_row = clone(NET).set_params(**stopping).fit(X, y, sample_weight=rows)
    assert same(by_class, by_row)
    assert by_class.validation_loss_curve_ == by_row.validation_loss_curve_


# Several columns


@pytest.mark.parametrize("class_weight", ["balanced", [{0: 1, 1: 2}, {0: 3, 1: 1}, {0: 1, 1: 1}]], ids=str)
def test_labels_weigh_as_scikit_learn_weighs_them(class_weight: Any):
    y = (X[:, :3] > 0.5).astype(int)
    rows = compute_sample_weight(class_weight, y)
    by_class, by_row = weighing(class_weight).fit(X, y), clone(NET).fit(X, y, sample_weight=rows)
    np.testing.assert_allclose(by_class.theta_, by_row.theta_, rtol=1e-12)


@pytest.mark.parametrize(
    "class_weight", ["balanced", [{"common": 1, "medium": 2, "rare": 5}, {"a": 1, "b": 3}]], ids=str
)
def test_columns_of_classes_weigh_as_scikit_learn_weighs_them(class_weight: Any):
    y = np.column_stack([LABELS["strings"][CODES], np.where(X[:, 1] > 0.5, "b", "a")])
    rows = compute_sample_weight(class_weight, y)
    by_class, by_row = weighing(class_weight).fit(X, y), clone(NET).fit(X, y, sample_weight=rows)
    np.testing.assert_allclose(by_class.theta_, by_row.theta_, rtol=1e-12)


def test_one_dict_for_several_columns_is_refused_in_scikit_learns_words():
    with pytest.raises(
        ValueError, match="For multi-output, class_weight should be a list of dicts, or the string 'bal"
    ):
        weighing({0: 1, 1: 2}).fit(X, (X[:, :2] > 0).astype(int))


# What is refused


@pytest.mark.parametrize(
    ("class_weight", "words"),
    [
        ("balance", r"'class_weight' .* must be .*'balanced'.* Got 'balance' instead"),
        (3.0, r"'class_weight' .* must be .* Got 3\.0 instead"),
        ({"rara": 9.0}, r"The classes, \['common', 'medium', 'rare'\], are not in class_weight"),
        ({"rare": -1.0}, "class_weight|[Nn]egative"),
        ({"rare": np.nan}, "class_weight|weight.*NaN"),
        ({"common": 0, "medium": 0, "rare": 0}, "class_weight|[Ww]eights must contain at least one non-zero"),
    ],
    ids=str,
)
def test_class_weights_that_are_none_are_refused(class_weight: Any, words: str):
    y = LABELS["strings"][CODES]
    with pytest.raises(ValueError, match=words):
        weighing(class_weight).fit(X, y)


def test_a_stream_cannot_be_balanced_but_weighted_by_what_a_sample_shows():
    y = LABELS["strings"][CODES]
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported for partial_fit"):
        weighing("balanced").partial_fit(X, y, classes=LABELS["strings"])
    weights = compute_class_weight("balanced", classes=LABELS["strings"], y=y)
    model = weighing(dict(zip(LABELS["strings"].tolist(), weights, strict=True)))
    assert np.isfinite(model.partial_fit(X, y, classes=LABELS["strings"]).loss_curve_).all()


def test_a_grid_over_class_weights():
    y = LABELS["strings"][CODES]
    grid = {"class_weight": [None, "balanced", {"rare": 3.0, "medium": 2.0}]}
    search = GridSearchCV(NET, grid, cv=2, scoring="balanced_accuracy", error_score="raise").fit(X, y)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


@pytest.mark.parametrize("class_weight", ["balanced", {"0": 1.0, "10": 3.0, "9": 0.5}], ids=str)
def test_classes_of_digits_of_text_weigh_as_numbers_do(class_weight: Any):
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(60, 2)), np.arange(60) % 5 // 2
    settings: dict[str, Any] = {"max_iter": 3, "random_state": 0}
    by_number = class_weight if class_weight == "balanced" else dict(enumerate(class_weight.values()))
    with warnings.catch_warnings(action="ignore"):
        text = ModNetClassifier((3,), class_weight=class_weight, **settings).fit(X, np.array(["0", "10", "9"])[codes])
        numbers = ModNetClassifier((3,), class_weight=by_number, **settings).fit(X, codes)
    np.testing.assert_array_equal(text.theta_, numbers.theta_)

"""An ordinal loss and a y that declares an order: codes go by it; and several targets with gaps."""

import numpy as np
import pandas as pd
import pytest

from modnet import ModNetClassifier, ModNetRegressor, load, save

pytest.importorskip("modnet_ordinal")
NAMES = np.array(["low", "mid", "high"])
X = np.random.default_rng(0).normal(size=(60, 3))
CODES = np.digitize(X[:, 0], [-0.5, 0.5])


def model(**params):
    params = {"loss": "squared_emd", "max_iter": 5, "tol": 0.0, "random_state": 0, **params}
    return ModNetClassifier((4,), **params)


def enum():
    polars = pytest.importorskip("polars")
    return polars.Series(NAMES[CODES].tolist(), dtype=polars.Enum(NAMES.tolist()))


GRADES = pd.Categorical(NAMES[CODES], categories=[*NAMES, "top"], ordered=True)
HELD = {"array": lambda: GRADES, "series": lambda: pd.Series(GRADES), "column": lambda: pd.DataFrame({"y": GRADES}),
        "polars": enum}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(recwarn):
    """Five epochs are too few, as a warning says."""


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_classes_go_by_the_order_that_y_declares(held, tmp_path):
    weights = dict(zip(NAMES, (3.0, 1.0, 1.0), strict=True))
    ours = model(class_weight=weights).fit(X, held())
    codes = model(class_weight={0: 3.0, 1: 1.0, 2: 1.0}).fit(X, CODES)
    assert list(ours.classes_) == list(NAMES)
    np.testing.assert_array_equal(ours.theta_, codes.theta_)
    np.testing.assert_array_equal(ours.predict(X), NAMES[codes.predict(X)])
    np.testing.assert_array_equal(ours.predict_proba(X), codes.predict_proba(X))
    save(ours, tmp_path / "model.npz")
    np.testing.assert_array_equal(load(tmp_path / "model.npz").predict(X), ours.predict(X))


def test_the_order_stays_in_later_calls():
    ours = model(warm_start=True).fit(X, GRADES).fit(X, NAMES[CODES])
    assert list(ours.classes_) == list(NAMES)
    np.testing.assert_array_equal(ours.theta_, model(warm_start=True).fit(X, CODES).fit(X, CODES).theta_)
    stream = model().partial_fit(X, GRADES, classes=NAMES).partial_fit(X, NAMES[CODES], classes=sorted(NAMES))
    codes = model().partial_fit(X, CODES, classes=[0, 1, 2]).partial_fit(X, CODES)
    np.testing.assert_array_equal(stream.theta_, codes.theta_)


def test_other_losses_and_other_columns_have_sorted_classes():
    assert list(model(loss="auto").fit(X, GRADES).classes_) == sorted(NAMES)
    assert list(model().fit(X, pd.Series(NAMES[CODES], dtype="category")).classes_) == sorted(NAMES)


GAPS = {
    "numbers": (ModNetRegressor, np.array([[1, 2], [3, np.nan], [4, 5]]), "column 1 has no value in row 1, and 1 of 3"),
    "lists": (ModNetRegressor, [[1, 2], [None, 4], [4, 5]], "column 0 has no value in row 1"),
    "labels": (ModNetClassifier, np.array([["a", "b"], ["c", None], ["a", "d"]], object), "column 1 .* row 1"),
    "frame": (ModNetRegressor, pd.DataFrame({"u": [1, 2, 3], "v": [1, None, None]}), "column 'v' .* row 1, and 2 of 3"),
}


@pytest.mark.parametrize(("cls", "y", "told"), GAPS.values(), ids=GAPS)
def test_a_gap_in_several_targets_is_refused_with_its_place_and_what_to_do(cls, y, told):
    with pytest.raises(ValueError, match=rf"Input y contains NaN: {told}.*fit an estimator for each column"):
        cls((4,)).fit(X[:3], y)

"""Sample weights: a row of weight k counts as k rows, a row of weight zero as none."""

import numpy as np
import pytest
from sklearn.base import clone

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size`"),
]


@pytest.fixture
def whole(case):
    """A model whose one batch is all rows, so that copies of rows do not change the batches."""
    return clone(case.model).set_params(batch_size=10_000, max_iter=15)


def test_a_row_of_weight_k_counts_as_k_rows(case, whole):
    times = np.random.default_rng(0).integers(1, 4, len(case.X))
    weighted = clone(whole).fit(case.X, case.y, sample_weight=times)
    copied = clone(whole).fit(case.X.repeat(times, axis=0), case.y.repeat(times, axis=0))
    np.testing.assert_allclose(weighted.theta_, copied.theta_, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(weighted.loss_curve_, copied.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_row_of_weight_zero_is_absent(case, early_stopping: bool):
    model = clone(case.model).set_params(early_stopping=early_stopping)
    kept = np.random.default_rng(0).random(len(case.X)) < 0.7
    weighted = clone(model).fit(case.X, case.y, sample_weight=kept)
    absent = clone(model).fit(case.X[kept], case.y[kept], sample_weight=np.ones(kept.sum()))
    assert weighted.theta_.tobytes() == absent.theta_.tobytes()
    assert weighted.loss_curve_ == absent.loss_curve_


def test_equal_weights_are_no_weights(case):
    plain = clone(case.model).fit(case.X, case.y)
    weighted = clone(case.model).fit(case.X, case.y, sample_weight=np.ones(len(case.X)))
    np.testing.assert_allclose(weighted.theta_, plain.theta_, rtol=1e-6, atol=1e-9)


def test_weights_have_no_scale_but_that_of_alpha(case, whole):
    thetas = [clone(whole).set_params(alpha=0).fit(case.X, case.y, np.full(len(case.X), c)).theta_ for c in (1, 1000)]
    np.testing.assert_allclose(*thetas, rtol=1e-6, atol=1e-9)


def test_class_weights_are_weights_of_rows(binary, multiclass):
    for case in (binary, multiclass):
        weights = dict(zip(np.unique(case.y), (4.0, 0.5, 1.0), strict=False))
        rows = np.array([weights[label] for label in case.y])
        by_class = clone(case.model).set_params(class_weight=weights).fit(case.X, case.y)
        by_row = clone(case.model).fit(case.X, case.y, sample_weight=rows)
        assert by_class.theta_.tobytes() == by_row.theta_.tobytes()


def test_a_class_whose_rows_all_weigh_nothing_is_not_there(multiclass):
    weight = multiclass.y != "virginica"
    model = clone(multiclass.model).fit(multiclass.X, multiclass.y, sample_weight=weight)
    assert model.classes_.tolist() == ["setosa", "versicolor"]


def test_weights_keep_float32(case):
    model = clone(case.model).fit(case.X.astype("f4"), case.y, sample_weight=np.full(len(case.X), 2.0))
    assert model.theta_.dtype == np.float32


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (0.0, "weights are all zero|zero|weight"),
        (-1.0, "[Nn]egative values in data passed to `sample_weight`"),
        (np.nan, "contains NaN"),
        (np.inf, "infinity"),
    ],
)
def test_weights_that_are_none_are_refused(case, weight: float, words: str):
    with pytest.raises(ValueError, match=words):
        clone(case.model).fit(case.X, case.y, sample_weight=np.full(len(case.X), weight))


def test_as_many_weights_as_rows_are_needed(case):
    with pytest.raises(ValueError, match=r"sample_weight\.shape == \(3,\), expected \(\d+,\)"):
        clone(case.model).fit(case.X, case.y, sample_weight=[1, 2, 3])

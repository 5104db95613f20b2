"""Predicting: shapes, consistency between methods, and independence of threads, copies and companions in a batch."""

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning

from modnet import ModNetClassifier, ModNetRegressor
from modnet.layers import Dense, Parallel, Residual

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
DEEP = (16, Residual([Dense(16, "tanh"), Dense(16)]), Parallel([Dense(8, "sigmoid"), Dense(8)]), "dropout")


def answers(model, X) -> list[np.ndarray]:
    """What a model has to say, by every method it has."""
    return [getattr(model, method)(X) for method in METHODS if hasattr(model, method)]


# Shapes and consistency


@pytest.mark.parametrize(
    ("task", "shapes"),
    [
        ("binary", [(100,), (100, 2), (100, 2), (100,)]),
        ("multiclass", [(150,), (150, 3), (150, 3), (150, 3)]),
        ("multilabel", [(150, 3), (150, 3), (150, 3), (150, 3)]),
        ("regression", [(150,)]),
        ("multi-output", [(150, 3)]),
    ],
)
def test_answers_have_scikit_learns_shapes(request, task: str, shapes: list):
    case = request.getfixturevalue(task.replace("-", "_"))
    assert [answer.shape for answer in answers(case.fitted(max_iter=3), case.X)] == shapes


def test_one_row_is_answered_like_many(case):
    model = case.fitted()
    for one, many in zip(answers(model, case.X[:1]), answers(model, case.X), strict=True):
        assert one.shape == (1, *many.shape[1:])
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one[0], many[0], rtol=1e-10)


def test_probabilities_are_probabilities(classification):
    p = classification.fitted().predict_proba(classification.X)
    assert ((p >= 0) & (p <= 1)).all()
    if classification.y.ndim == 1:
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


def test_predictions_are_the_most_likely_classes(binary, multiclass, multilabel):
    for case in (binary, multiclass):
        model = case.fitted()
        likely = model.classes_[model.predict_proba(case.X).argmax(axis=1)]
        np.testing.assert_array_equal(model.predict(case.X), likely)
    model = multilabel.fitted()
    np.testing.assert_array_equal(model.predict(multilabel.X), model.predict_proba(multilabel.X) > 0.5)
    assert model.predict(multilabel.X).dtype.kind == "i"


def test_decision_values_are_the_logits_of_the_probabilities(binary, multiclass, multilabel):
    for case in (binary, multilabel):
        model = case.fitted(loss="cross_entropy")
        p = 1 / (1 + np.exp(-model.decision_function(case.X)))
        positive = model.predict_proba(case.X)[:, 1] if case is binary else model.predict_proba(case.X)
        np.testing.assert_allclose(p, positive, rtol=1e-9, atol=1e-15)
    model = multiclass.fitted(loss="cross_entropy")
    e = np.exp(model.decision_function(multiclass.X))
    np.testing.assert_allclose(e / e.sum(axis=1, keepdims=True), model.predict_proba(multiclass.X), rtol=1e-9)


def test_log_probabilities_are_logarithms(classification):
    model = classification.fitted()
    np.testing.assert_allclose(np.exp(model.predict_log_proba(classification.X)), model.predict_proba(classification.X))
    far = model.predict_log_proba(classification.X * 1e6)
    assert not np.isnan(far).any()


def test_log_probabilities_of_unlikely_classes_are_as_exact_as_the_logits(binary, multilabel):
    for case in (binary, multilabel):
        model = case.fitted(layers=(), loss="cross_entropy")
        d = model.decision_function(case.X)
        X = case.X * (60 / abs(d).max())
        d = model.decision_function(X)
        found = model.predict_log_proba(X)[:, 1] if case is binary else model.predict_log_proba(X)
        np.testing.assert_allclose(found[d < 0], -np.logaddexp(0, -d[d < 0]), rtol=1e-6)


def test_a_positive_decision_is_the_second_class(binary):
    model = binary.fitted()
    assert model.classes_.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(model.predict(binary.X) == "yes", model.decision_function(binary.X) > 0)


# Targets


@pytest.mark.parametrize(
    "labels", [["a", "b"], [True, False], [3, -1], [0.0, 2.0], ["é", "z"], np.array(["x", "y"], object)]
)
def test_labels_come_back_as_they_were_given(binary, labels):
    y = np.asarray(labels)[(binary.y == "yes").astype(int)]
    model = clone(binary.model).fit(binary.X, y)
    assert model.classes_.dtype == y.dtype
    assert model.predict(binary.X).dtype == y.dtype
    assert set(model.predict(binary.X).tolist()) <= set(y.tolist())
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert model.score(binary.X, y) > 0.9


def test_lists_and_series_are_targets_too(binary):
    expected = binary.fitted().theta_
    for y in (binary.y.tolist(), pd.Series(binary.y), pd.Series(binary.y, dtype="category")):
        np.testing.assert_array_equal(clone(binary.model).fit(binary.X, y).theta_, expected)


def test_a_column_of_numbers_is_answered_by_a_column(regression):
    flat, column = regression.fitted(), clone(regression.model).fit(regression.X, regression.y[:, np.newaxis])
    np.testing.assert_array_equal(flat.theta_, column.theta_)
    assert flat.predict(regression.X).shape == (150,)
    np.testing.assert_array_equal(column.predict(regression.X), flat.predict(regression.X)[:, np.newaxis])


def test_a_column_of_classes_is_flattened_with_a_warning(multiclass):
    model = clone(multiclass.model)
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model.fit(multiclass.X, multiclass.y[:, np.newaxis])
    np.testing.assert_array_equal(model.predict(multiclass.X), multiclass.fitted().predict(multiclass.X))


def test_several_targets_are_learned_together(multi_output):
    model = multi_output.fitted(max_iter=200)
    assert (((model.predict(multi_output.X) - multi_output.y) ** 2).mean(axis=0) < 0.05).all()


def test_a_bounded_output_stays_in_its_bounds(regression):
    model = regression.fitted(output_activation="tanh")
    assert (abs(model.predict(regression.X * 100)) <= 1).all()
    assert model.score(regression.X, regression.y) > 0.5


# Independence


def test_predicting_changes_nothing(case):
    model = case.fitted(layers=DEEP)
    before = {name: pickle.dumps(value) for name, value in vars(model).items()}
    kept = case.X.copy()
    first, second = answers(model, case.X), answers(model, case.X)
    assert {name: pickle.dumps(value) for name, value in vars(model).items()} == before
    np.testing.assert_array_equal(case.X, kept)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.shares_memory(one, two)


@pytest.mark.slow
def test_eight_threads_get_the_answer_of_one():
    X, y = load_digits(return_X_y=True)
    model = ModNetClassifier(layers=(32, *DEEP), max_iter=3, random_state=0).fit(X / 16, y)
    inputs = [X[start::8] / 16 for start in range(8)]
    expected = [answers(model, x) for x in inputs]
    barrier = Barrier(8)

    def work(index: int):
        barrier.wait()
        return [answers(model, inputs[index]) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        for index, rounds in enumerate(pool.map(work, range(8))):
            for found in rounds:
                for mine, theirs in zip(found, expected[index], strict=True):
                    np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_prediction_does_not_depend_on_its_companions(case, dtype: str):
    model = clone(case.model).set_params(layers=DEEP).fit(case.X.astype(dtype), case.y)
    whole = answers(model, case.X)
    order = np.random.default_rng(0).permutation(len(case.X))
    tolerance = {"f4": 2e-5, "f8": 1e-12}[dtype]
    for size in (1, 7, 64):
        parts = [answers(model, case.X[order[start : start + size]]) for start in range(0, len(order), size)]
        for together, each in zip(whole, zip(*parts, strict=True), strict=True):
            if together.dtype.kind == "f":
                np.testing.assert_allclose(np.concatenate(each), together[order], rtol=tolerance, atol=tolerance)
            else:
                assert (np.concatenate(each) == together[order]).mean() > 0.99


def test_more_rows_than_a_block_are_answered_like_few(regression):
    model = regression.fitted(layers=(64,))
    many = np.tile(regression.X, (40, 1))  # 6000 rows; the network predicts in blocks of 4096 here
    np.testing.assert_allclose(model.predict(many), np.tile(model.predict(regression.X), 40), rtol=1e-10, atol=1e-12)


def save(model):
    """Write a model with joblib and read it."""
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("send", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), save])
def test_copies_give_the_same_answers(case, send):
    model = case.fitted(layers=DEEP, early_stopping=True)
    twin = send(model)
    for mine, theirs in zip(answers(model, case.X), answers(twin, case.X), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert twin.loss_curve_ == model.loss_curve_
    assert twin.spec_ == model.spec_


def test_a_clone_has_learned_nothing(case):
    assert not [name for name in vars(clone(case.fitted())) if name.endswith("_")]


# Arrays that scikit-learn would pass on as they are take a shorter way to the network


@pytest.mark.parametrize("inputs", [None, "table"])
def test_lists_subclasses_and_arrays_are_answered_alike(multiclass, inputs):
    model, X = multiclass.fitted(inputs=inputs), multiclass.X
    for given in (X.tolist(), X.view(np.recarray), X.astype(">f8"), np.asfortranarray(X)):
        np.testing.assert_allclose(model.predict_proba(given), model.predict_proba(X), rtol=1e-12)


@pytest.mark.parametrize(("inputs", "bad"), [(None, np.nan), (None, np.inf), ("table", np.inf), ("table", -np.inf)])
def test_what_is_not_finite_is_refused_in_the_same_words_whatever_it_comes_in(multiclass, inputs, bad: float):
    model, X = multiclass.fitted(inputs=inputs), np.array(multiclass.X)
    X[3, 1] = bad
    said = []
    for given in (X, X.tolist()):
        with pytest.raises(ValueError, match="row 3") as caught:
            model.predict(given)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_sum_that_overflows_is_not_taken_for_infinity(regression):
    model = clone(regression.model).set_params(inputs=None, dtype="float32").fit(regression.X, regression.y)
    huge = np.full((4, regression.X.shape[1]), 1e38, np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(model.predict(huge), model.predict(huge.tolist()))


# Columns with names


def test_column_names_are_remembered_and_compared(multiclass):
    frame = pd.DataFrame(multiclass.X, columns=["sepal length", "sepal width", "petal length", "petal width"])
    model = clone(multiclass.model).fit(frame, multiclass.y)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    np.testing.assert_array_equal(model.theta_, multiclass.fitted().theta_)
    np.testing.assert_array_equal(model.predict(frame), multiclass.fitted().predict(multiclass.X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[frame.columns[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(multiclass.X)


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor])
def test_features_are_counted(cls: type):
    model = cls(max_iter=1).fit(np.eye(3), [0, 1, 0])
    with pytest.raises(ValueError, match=f"X has 2 features, but {cls.__name__} is expecting 3 features as input"):
        model.predict(np.eye(2))

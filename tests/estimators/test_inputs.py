"""What X may be: data frames of pandas and polars, sparse matrices and arrays; what they tell and what is refused."""

import tracemalloc
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone

from modnet import Context, ModNetClassifier, ModNetRegressor, Module
from modnet.errors import ShapeError
from modnet.layers import Dense, Residual
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.optimizers import LBFGS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = np.where(rng.random((90, 6)) < 0.6, 0, rng.normal(size=(90, 6)))
FLOWERS = np.array(["lily", "rose", "tulip"])[X[:, :3].argmax(axis=1)]
NAMES = ["a", "b", "c", "d", "e", "f"]

SPARSE: dict[str, Callable[[Any], Any]] = {
    name: getattr(sparse, name) for name in ("csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_array")
}
SETTINGS: dict[str, Any] = {"max_iter": 6, "batch_size": 20, "random_state": 0}
MODELS = {
    "classifier": (ModNetClassifier((8,), **SETTINGS), FLOWERS),
    "labels": (ModNetClassifier((8,), **SETTINGS), (X[:, :3] > 0).astype(int)),
    "regressor": (ModNetRegressor((8,), **SETTINGS), X[:, 0] ** 2),
    "early stopping": (ModNetClassifier((8,), early_stopping=True, scoring="accuracy", **SETTINGS), FLOWERS),
    "lbfgs": (ModNetRegressor((8,), **{**SETTINGS, "batch_size": "auto"}, optimizer=LBFGS()), X[:, :2] ** 2),
    "MLPClassifier": (MLPClassifier((8,), **SETTINGS), FLOWERS),
    "MLPRegressor": (MLPRegressor(hidden_layer_sizes=(8,), **SETTINGS), X[:, 0]),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> BaseEstimator:
    return clone(MODELS[request.param][0])


@pytest.fixture
def y(request: pytest.FixtureRequest, model: BaseEstimator) -> np.ndarray:
    return MODELS[request.node.callspec.params["model"]][1]


def frame_of(library: str, values: np.ndarray, names: list[str] = NAMES) -> Any:
    """A data frame of pandas or polars; the test is skipped without the library."""
    columns = dict(zip(names, values.T, strict=True))
    return pytest.importorskip(library).DataFrame(columns)


def without_table(model: BaseEstimator) -> BaseEstimator:
    """A copy that takes X as it is: a table is scaled and centred, which sparse rows are not."""
    return clone(model).set_params(**{name: None for name in ("inputs",) if name in model.get_params()})


def assert_same(answer: np.ndarray, expected: np.ndarray) -> None:
    """Numbers are equal up to rounding, labels exactly."""
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(answer, expected, rtol=1e-11, atol=1e-13)
    else:
        np.testing.assert_array_equal(answer, expected)


# Data frames


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_is_its_values_with_names(model: BaseEstimator, y: np.ndarray, library: str):
    frame = frame_of(library, X)
    framed, plain = clone(model).fit(frame, y), clone(model).fit(X, y)
    np.testing.assert_allclose(framed.theta_, plain.theta_, rtol=1e-9)
    assert_same(framed.predict(frame), plain.predict(X))
    assert framed.score(frame, y) == pytest.approx(plain.score(X, y), rel=1e-9)
    assert framed.feature_names_in_.tolist() == NAMES
    assert not hasattr(plain, "feature_names_in_")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_labels_may_be_a_series(library: str):
    module = pytest.importorskip(library)
    model = MODELS["classifier"][0]
    fitted = clone(model).fit(frame_of(library, X), module.Series(FLOWERS))
    np.testing.assert_array_equal(fitted.theta_, clone(model).fit(X, FLOWERS).theta_)
    assert fitted.classes_.tolist() == ["lily", "rose", "tulip"]


def test_nullable_and_mixed_columns_become_numbers():
    frame = pd.DataFrame({"a": pd.array([1, 2, 3, 4], "Int64"), "b": [0.5, 1, 2, 3], "c": [True, False, True, False]})
    model = ModNetRegressor((3,), inputs=None, max_iter=2, random_state=0)
    fitted, plain = clone(model).fit(frame, [0, 1, 2, 3]), clone(model).fit(frame.to_numpy(float), [0, 1, 2, 3])
    np.testing.assert_array_equal(fitted.theta_, plain.theta_)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (NAMES[::-1], "Feature names must be in the same order as they were in fit"),
        ([*NAMES[:-1], "z"], "Feature names unseen at fit time:\n- z\nFeature names seen at fit time, yet now missing"),
    ],
)
def test_other_names_are_refused_in_scikit_learns_words(library: str, names: list[str], words: str):
    model = ModNetClassifier((4,), max_iter=2).fit(frame_of(library, X), FLOWERS)
    other = frame_of(library, X, names)
    for call in (model.predict, model.predict_proba, lambda X: model.partial_fit(X, FLOWERS)):
        with pytest.raises(ValueError, match=words):
            call(other)


def test_names_that_are_missing_on_one_side_are_a_warning():
    frame = pd.DataFrame(X, columns=NAMES)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but ModNetClassifier was fitted with"):
        ModNetClassifier((4,), max_iter=2).fit(frame, FLOWERS).predict(X)
    with pytest.warns(UserWarning, match="X has feature names, but ModNetClassifier was fitted without feature names"):
        ModNetClassifier((4,), max_iter=2).fit(X, FLOWERS).predict(frame)


def test_names_of_several_types_are_refused():
    with pytest.raises(TypeError, match="Feature names are only supported if all input features have string names"):
        ModNetRegressor(max_iter=1).fit(pd.DataFrame(X[:, :2], columns=["a", 1]), X[:, 0])


# Sparse matrices and arrays


@pytest.mark.parametrize("container", SPARSE)
def test_sparse_data_is_learned_and_answered_like_dense_data(model: BaseEstimator, y: np.ndarray, container: str):
    rows, model = SPARSE[container](X), without_table(model)
    fitted, dense = clone(model).fit(rows, y), clone(model).fit(X, y)
    np.testing.assert_allclose(fitted.loss_curve_, dense.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(fitted.theta_, dense.theta_, rtol=1e-6, atol=1e-9)
    for method in {"predict", "predict_proba", "decision_function"} & set(dir(dense)):
        assert_same(getattr(dense, method)(rows), getattr(dense, method)(X))
    assert dense.score(rows, y) == pytest.approx(dense.score(X, y), rel=1e-12)


@pytest.mark.parametrize("container", SPARSE)
def test_a_stream_may_be_sparse(container: str):
    streams = []
    for rows in (SPARSE[container](X), X):
        model = ModNetClassifier((8,), inputs=None, random_state=0)
        for _ in range(4):
            model.partial_fit(rows, FLOWERS, classes=np.unique(FLOWERS))
        streams.append(model.theta_)
    np.testing.assert_allclose(*streams, rtol=1e-7, atol=1e-10)


def test_sparse_data_keeps_float32_and_becomes_float64_otherwise():
    for given, kept in (("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("?", "f8")):
        model = ModNetRegressor((4,), max_iter=2).fit(sparse.csr_array((X * 3).astype(given)), X[:, 0].astype(kept))
        assert model.theta_.dtype == kept
        assert model.predict(sparse.csc_array(X)).dtype == kept


@pytest.mark.parametrize("as_they_pass", [sparse.csr_array, lambda X: X.reshape(-1, 3, 2)], ids=["sparse", "images"])
def test_rows_that_pass_a_table_as_they_are_are_many_and_have_no_gaps(as_they_pass: Callable[[Any], Any]):
    many = np.tile(X, (12, 1))
    model = ModNetRegressor(("flatten", 4) if as_they_pass is not sparse.csr_array else (4,), max_iter=2)
    assert model.fit(as_they_pass(many), many[:, 0]).theta_.dtype == np.float32
    many[7, 1] = np.nan
    for learn in (model.fit, clone(model).fit, clone(model).partial_fit, lambda X, y: model.predict(X)):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            learn(as_they_pass(many), X[:, 0].repeat(12))


def test_sparse_data_is_left_as_it_was():
    rows = sparse.csc_array(X)
    before = rows.copy()
    rows.data.flags.writeable = False
    ModNetClassifier((4,), max_iter=2).fit(rows, FLOWERS, X_val=rows, y_val=FLOWERS).predict(rows)
    np.testing.assert_array_equal(rows.data, before.data)
    np.testing.assert_array_equal(rows.indices, before.indices)
    assert rows.format == "csc"


def test_a_sparse_label_matrix_is_a_label_matrix():
    labels = (X[:, :3] > 0).astype(int)
    model = MODELS["labels"][0]
    for container in (sparse.csr_matrix, sparse.csr_array):
        fitted = clone(model).fit(X, container(labels))
        np.testing.assert_array_equal(fitted.theta_, clone(model).fit(X, labels).theta_)


class Recording(Module):
    """y = Σ x per row; notes down what kind of rows it is given."""

    takes_sparse: ClassVar[bool] = True
    seen: ClassVar[list[type]] = []

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (1,)

    def forward(self, ctx: Context, x: Any) -> np.ndarray:
        self.seen.append(type(x))
        return np.asarray(x.sum(axis=1)).reshape(-1, 1)

    def grad_input(self, ctx: Context, dy: np.ndarray) -> np.ndarray:
        raise AssertionError("nothing in front of it needs a gradient")


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"optimizer": LBFGS()}], ids=str)
def test_the_first_layer_gets_the_rows_sparse(container: type, params: dict[str, Any]):
    Recording.seen.clear()
    model = ModNetRegressor([Recording(), 4], max_iter=3, random_state=0, **params).fit(container(X), X.sum(axis=1))
    in_training = len(Recording.seen)
    model.predict(container(X))
    assert 0 < in_training < len(Recording.seen)
    assert all(issubclass(kind, sparse.csr_matrix | sparse.csr_array) for kind in Recording.seen)


def test_memory_follows_the_entries_that_are_there():
    n, d, entries = 20_000, 5_000, 10
    columns = rng.integers(0, d, size=(n, entries)).ravel()
    rows = sparse.csr_array((np.ones(n * entries), columns, np.arange(0, n * entries + 1, entries)), shape=(n, d))
    y = rows[:, :50].sum(axis=1)
    model = ModNetRegressor((4,), max_iter=2, random_state=0)
    tracemalloc.start()
    try:
        model.fit(rows, y).predict(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n * d * 8 / 20  # measured: 13 MB of 800


NEEDS_DENSE: list[Any] = [("tanh", 4), (Residual([Dense(6)]), 4)]


@pytest.mark.parametrize("layers", NEEDS_DENSE, ids=str)
def test_a_first_layer_that_takes_no_sparse_rows_says_so_in_every_method(layers: Any):
    rows = sparse.csr_array(X)
    with pytest.raises(ShapeError, match=r"layers\[0\] .* takes no sparse input: put a dense layer first, or pass X"):
        ModNetClassifier(layers, max_iter=2).fit(rows, FLOWERS)
    model = ModNetClassifier(layers, inputs=None, max_iter=2).fit(X, FLOWERS)
    for call in (model.predict, model.predict_proba, lambda rows: model.partial_fit(rows, FLOWERS)):
        with pytest.raises(ShapeError, match=r"takes no sparse input"):
            call(rows)


# What is refused


@pytest.mark.parametrize("of", [np.asarray, sparse.csr_array, sparse.csc_matrix, pd.DataFrame])
def test_the_number_of_features_is_kept(model: BaseEstimator, y: np.ndarray, of: Callable[[Any], Any]):
    model.fit(of(X), y)
    name = type(model).__name__
    with pytest.raises(ValueError, match=f"X has 5 features, but {name} is expecting 6 features as input"):
        model.predict(of(X[:, :5])) if of is not pd.DataFrame else model.predict(X[:, :5])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("of", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_numbers_that_are_not_finite_are_refused(bad: float, of: Callable[[Any], Any]):
    broken = np.where(np.arange(X.size).reshape(X.shape) == 7, bad, X)
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        ModNetRegressor(inputs=None, max_iter=1).fit(of(broken), X[:, 0])
    model = ModNetRegressor((4,), inputs=None, max_iter=1).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.predict(broken)


@pytest.mark.parametrize("container", SPARSE)
@pytest.mark.parametrize(
    "labels",
    [np.tile([[0, 1], [1, 1]], (20, 1)), np.tile([[0, 1], [1, 2]], (20, 1)), np.tile([[0], [1]], (20, 1))],
    ids=["labels", "classes", "column"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_a_sparse_target_is_learned_and_scored_like_a_dense_one(labels: np.ndarray, container: str):
    rows, form = np.random.default_rng(0).normal(size=(40, 3)), SPARSE[container]
    for model in (
        ModNetClassifier((4,), max_iter=2, random_state=0),
        ModNetRegressor((4,), max_iter=2, random_state=0),
    ):
        scores = [model.fit(rows, y).score(rows, y) for y in (labels, form(labels))]
        assert scores[0] == scores[1]

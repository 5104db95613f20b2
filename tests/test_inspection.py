"""Derivatives and attributions in the columns of X: against differences, sums, linear models, and SHAP."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.inspection import AttributionDisplay, expected_gradients, input_gradients
from modnet.layers import Columns, Dense, Embedding, Parallel, Sequential, Standardize
from modnet.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
FLOWERS, CODES = load_iris(return_X_y=True)
SETTINGS: dict[str, Any] = {"max_iter": 15, "random_state": 0, "dtype": "float64"}
SMOOTH = {"activation": "tanh", **SETTINGS}


def differences(f: Any, X: np.ndarray) -> np.ndarray:
    """Central differences of f along each column."""
    h = 1e-5 * X.std(axis=0)
    return np.stack([(f(X + e * h) - f(X - e * h)) / (2 * h[j]) for j, e in enumerate(np.eye(X.shape[1]))], axis=1)


REGRESSORS = {
    "units of y": ModNetRegressor((8,), **SMOOTH),
    "bare": ModNetRegressor((8,), inputs=None, **SMOOTH),
    "counts": ModNetRegressor((8,), loss="poisson", **SMOOTH),
    "density": ModNetRegressor((8,), loss="gaussian_nll", **SMOOTH),
    "drop-in": MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", max_iter=15, random_state=0),
}


@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_gradients_of_numbers_are_those_of_differences(model: Any):
    model.fit(X[:300], Y[:300])
    np.testing.assert_allclose(input_gradients(model, X[:7]), differences(model.predict, X[:7]), rtol=1e-3, atol=1e-2)


CLASSIFIERS = [ModNetClassifier((8,), **SMOOTH), MLPClassifier((8,), activation="tanh", max_iter=15, random_state=0)]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=["own", "drop-in"])
@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
@pytest.mark.parametrize("classes", [2, 3])
def test_gradients_of_classes_are_those_of_differences(model: Any, method: str, classes: int):
    names = np.array(["a", "b", "c"])[CODES]
    rows = np.isin(CODES, range(classes))
    model.fit(FLOWERS[rows], names[rows])
    for column, name in enumerate(model.classes_):

        def f(X: np.ndarray, column: int = column) -> np.ndarray:
            p = model.predict_proba(X)
            if method == "predict_proba":
                return p[:, column]
            if isinstance(model, MLPClassifier):  # whose logits no method shows
                return np.log(p[:, column] / p[:, 1 - column])
            scores = model.decision_function(X)
            return scores[:, column] if classes == 3 else scores * (2 * column - 1)

        if classes == 3 and method == "decision_function" and isinstance(model, MLPClassifier):
            continue
        found = input_gradients(model, FLOWERS[:9], target=name, response_method=method)
        np.testing.assert_allclose(found, differences(f, FLOWERS[:9]), rtol=1e-4, atol=1e-6)


def test_by_default_it_is_the_probability_of_the_second_of_two_classes():
    model = ModNetClassifier((8,), **SMOOTH).fit(FLOWERS[:100], CODES[:100])
    explicit = input_gradients(model, FLOWERS[:5], target=1, response_method="predict_proba")
    np.testing.assert_array_equal(input_gradients(model, FLOWERS[:5]), explicit)


def test_labels_and_columns_are_chosen_by_position():
    rows = X[:5] + 1e-3  # off the edges of bins, which are kinks
    several = np.stack([Y, -Y, X[:, 0]], axis=1)
    model = ModNetRegressor((8,), **SMOOTH).fit(X, several)
    found = input_gradients(model, rows, target=2)
    np.testing.assert_allclose(found, differences(lambda X: model.predict(X)[:, 2], rows), rtol=1e-4, atol=1e-6)
    labels = np.stack([Y > 100, X[:, 0] > 0], axis=1).astype(int)
    model = ModNetClassifier((8,), **SMOOTH).fit(X, labels)
    found = input_gradients(model, rows, target=1)
    np.testing.assert_allclose(found, differences(lambda X: model.predict_proba(X)[:, 1], rows), rtol=1e-4, atol=1e-6)
    two = ModNetClassifier((8,), **SMOOTH).fit(X, np.stack([labels[:, 0], np.arange(442) % 3], axis=1))
    found = input_gradients(two, rows, target=(1, 2))
    expected = differences(lambda X: two.predict_proba(X)[1][:, 2], rows)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_of_a_linear_model_attributions_are_exact():
    model = ModNetRegressor((), inputs=None, **SETTINGS).fit(X, Y)
    slope = input_gradients(model, X[:1])[0]
    phi = expected_gradients(model, X[:9], X[:60], random_state=0)
    np.testing.assert_allclose(phi, slope * (X[:9] - X[:60].mean(axis=0)), rtol=1e-8, atol=1e-8)


def table(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, some missing, truth values, and categories of two, five and twenty kinds."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "age": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "new": rng.random(n) < 0.5,
            "side": rng.choice(["left", "right"], n),
            "town": rng.choice(list("abcde"), n),
            "street": rng.choice([f"s{i}" for i in range(20)], n),
            "noise": rng.normal(size=n),
        }
    )
    y = frame["size"] * (1 + frame["new"]) + frame["age"].fillna(2) + 2 * (frame["town"] == "a")
    return frame, (y + (frame["street"] < "s12") + 3 * (frame["side"] == "left")).to_numpy()


@pytest.mark.parametrize("numbers", [None, "auto"])
def test_attributions_of_a_table_add_up_in_its_own_columns(numbers: Any):
    frame, y = table(500)
    model = ModNetRegressor((16,), inputs={"type": "table", "numbers": numbers}, dtype="float64", random_state=0)
    model.fit(frame, y)
    phi = expected_gradients(model, frame[:20], frame[100:200], n_samples=1000, random_state=0)
    assert phi.shape == (20, 7)
    total = model.predict(frame[:20]) - model.predict(frame[100:200]).mean()
    np.testing.assert_allclose(phi.sum(axis=1), total, atol=0.05 * y.std())
    size = np.abs(phi).mean(axis=0)
    assert size[-1] == min(size)  # what is noise adds least
    a = (frame["town"] == "a").to_numpy()[:20]
    assert phi[a, 4].min() > phi[~a, 4].max()
    np.testing.assert_array_equal(input_gradients(model, frame[:20])[:, 2:6], 0)


def test_what_is_said_of_a_row_does_not_depend_on_the_other_rows():
    frame, y = table(500)
    model = ModNetRegressor((16,), dtype="float64", random_state=0).fit(frame, y)
    whole = expected_gradients(model, frame[:9], frame[:50], random_state=0)
    alone = [expected_gradients(model, frame[i : i + 1], frame[:50], random_state=0) for i in range(9)]
    np.testing.assert_allclose(whole, np.concatenate(alone), rtol=1e-9, atol=1e-12)


def test_branches_of_columns_add_up_too_and_one_that_mixes_categories_is_named():
    frame, y = table(500)
    frame = frame[["size", "noise", "town", "side"]]
    numbers = Sequential([Columns(["size", "noise"]), Standardize(), Dense(4, "tanh")])
    layers = (Parallel([numbers, Sequential([Columns(["town", "side"]), Embedding(units=2)])]), 8)
    model = ModNetRegressor(layers, **SMOOTH).fit(frame, y)
    phi = expected_gradients(model, frame[:9], frame[:50], n_samples=4000, random_state=0)
    total = model.predict(frame[:9]) - model.predict(frame[:50]).mean()
    np.testing.assert_allclose(phi.sum(axis=1), total, atol=0.02 * y.std())
    mixing = Sequential([Columns(["town", "side"]), Embedding(units=2), Dense(4, "tanh")])
    model = ModNetRegressor((Parallel([numbers, mixing]), 8), **SMOOTH).fit(frame, y)
    with pytest.raises(ValueError, match=r"layers\[0\] \(Parallel\) mixes categories with other columns"):
        expected_gradients(model, frame[:9], frame[:50])


def test_attributions_of_a_probability_add_up():
    model = ModNetClassifier((8,), **SMOOTH).fit(FLOWERS, CODES)
    phi = expected_gradients(model, FLOWERS[::10], FLOWERS, target=2, n_samples=3000, random_state=0)
    p = model.predict_proba(FLOWERS)[:, 2]
    np.testing.assert_allclose(phi.sum(axis=1), p[::10] - p.mean(), atol=0.01)


def test_images_keep_their_shape():
    images = np.random.default_rng(0).normal(size=(60, 4, 4))
    model = ModNetRegressor(("flatten", 8), **SMOOTH).fit(images, images.sum(axis=(1, 2)))
    assert input_gradients(model, images[:3]).shape == (3, 4, 4)
    phi = expected_gradients(model, images[:3], images, n_samples=3000, random_state=0)
    total = model.predict(images[:3]) - model.predict(images).mean()
    np.testing.assert_allclose(phi.sum(axis=(1, 2)), total, atol=0.1)


def test_what_there_is_not_is_said():
    model = ModNetClassifier((8,), **SMOOTH).fit(FLOWERS, CODES)
    with pytest.raises(ValueError, match="target: should be one of 0, 1, 2, got None"):
        input_gradients(model, FLOWERS)
    with pytest.raises(ValueError, match="response_method: ModNetClassifier has predict_proba, decision_function here"):
        input_gradients(model, FLOWERS, target=0, response_method="predict")
    with pytest.raises(ValueError, match="n_samples: should be at least 1, got 0"):
        expected_gradients(model, FLOWERS, FLOWERS, target=0, n_samples=0)
    pipeline = make_pipeline(StandardScaler(), model)
    with pytest.raises(TypeError, match="got Pipeline; of a pipeline or a search, pass the network inside"):
        input_gradients(pipeline, FLOWERS)
    with pytest.raises(TypeError, match="got ModNetTransformer"):
        input_gradients(ModNetTransformer((2,), **SETTINGS).fit(FLOWERS), FLOWERS)


def test_a_display_shows_the_columns_that_add_most():
    frame, y = table(300)
    model = ModNetRegressor((16,), random_state=0).fit(frame, y)
    display = AttributionDisplay.from_estimator(model, frame[:30], frame[:50], max_features=4, random_state=0)
    shown = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert len(shown) == 4
    assert "noise" not in shown
    again = AttributionDisplay(attributions=display.attributions, feature_names=display.feature_names)
    assert again.plot(display.ax_).ax_ is display.ax_


def test_it_is_of_one_mind_with_shap_and_faster():
    shap = pytest.importorskip("shap")
    model = ModNetRegressor((8,), activation="tanh", **{**SETTINGS, "max_iter": 60}).fit(X, Y)
    begun = time.perf_counter()
    explainer = shap.KernelExplainer(model.predict, X[:40])
    theirs = explainer.shap_values(X[100:110], silent=True)
    between = time.perf_counter()
    phi = expected_gradients(model, X[100:110], X[:40], random_state=0)
    assert time.perf_counter() - between < between - begun
    assert np.corrcoef(phi.ravel(), theirs.ravel())[0, 1] > 0.97

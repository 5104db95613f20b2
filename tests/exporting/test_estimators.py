"""Exported estimators predict in onnxruntime what they predict here."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

from support.exported import assert_same, exported, outputs  # noqa: E402

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, to_onnx  # noqa: E402
from modnet.neural_network import MLPClassifier, MLPRegressor  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
N = 1200
FRAME = pd.DataFrame(
    {
        "town": RNG.choice(np.array(["Bonn", "Rome", "Ulm", None], object), N),
        "area": RNG.integers(20, 180, N),
        "built": RNG.choice([1930, 1975, 2010, np.nan], N),
        "garden": RNG.random(N) < 0.5,
        "street": RNG.choice(list("abcdefghijklmno"), N),
        "zone": pd.Categorical(RNG.choice([10, 20, 30], N)),
        "to_centre": RNG.exponential(3000, N).astype(np.float32),
    }
)
PRICE = FRAME["area"] * 100 + FRAME["to_centre"]
FEW = {"max_iter": 3, "random_state": 0}


@pytest.fixture(scope="module")
def strange() -> pd.DataFrame:
    """Rows with what training has not met."""
    rows = FRAME.copy()
    rows.loc[1, "town"], rows.loc[2, "street"], rows.loc[3, "street"], rows.loc[4, "area"] = "Paris", "zz", None, 10**6
    return rows


@pytest.mark.parametrize("n", [300, N])
def test_a_raw_table_is_encoded_as_here_unseen_and_missing_categories_too(strange: pd.DataFrame, n: int):
    model = ModNetRegressor(**FEW).fit(FRAME[:n], PRICE[:n])
    assert_same(exported(model, strange)["prediction"], model.predict(strange), model.theta_.dtype)


def test_without_a_sample_columns_have_the_types_of_fit(strange: pd.DataFrame):
    model = ModNetRegressor(**FEW).fit(FRAME[:300], PRICE[:300])
    made = to_onnx(model)
    assert [each.name for each in made.graph.input] == list(FRAME)
    assert_same(outputs(made, strange)["prediction"], model.predict(strange))


def test_an_array_with_text_has_an_input_for_each_column():
    rows = FRAME[["town", "area", "street"]].to_numpy(object)
    model = ModNetRegressor(**FEW).fit(rows[:300], PRICE[:300])
    assert [each.name for each in to_onnx(model).graph.input] == ["x0", "x1", "x2"]
    assert_same(exported(model, rows)["prediction"], model.predict(rows))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"inputs": None}, {"inputs": "standardize", "loss": "cross_entropy"}])
def test_labels_and_probabilities_are_the_same(options: dict, dtype: type):
    rows, y = load_wine(return_X_y=True)
    rows = rows.astype(dtype)
    model = ModNetClassifier(**FEW, **options).fit(rows, np.array(["red", "white", "rosé"])[y])
    found = exported(model, rows)
    assert_same(found["label"], model.predict(rows))
    assert_same(found["probabilities"], model.predict_proba(rows))


@pytest.mark.parametrize("y", [X[:, 0] > 0, np.where(X[:, 0] > 0, 7, 3), np.where(X[:, 0] > 0, 2.0, 1.0)])
def test_labels_have_their_type(y: np.ndarray):
    model = ModNetClassifier(**FEW).fit(X, y)
    found = exported(model, X)["label"]
    assert found.dtype == y.dtype
    assert_same(found, model.predict(X))


def test_a_loss_without_probabilities_has_scores():
    model = ModNetClassifier(loss="hinge", **FEW).fit(X, X[:, 0] > 0)
    found = exported(model, X)
    assert list(found) == ["label", "scores"]
    assert_same(found["scores"], model.decision_function(X))


def test_several_labels_and_several_columns_of_classes():
    model = ModNetClassifier(**FEW).fit(X, (X[:, :3] > 0).astype(int))
    found = exported(model, X)
    assert_same(found["label"], model.predict(X))
    assert_same(found["probabilities"], model.predict_proba(X))
    y = np.stack([np.where(X[:, 0] > 0, "a", "b"), RNG.choice(["long", "y", "z"], 300)], axis=1)
    model = ModNetClassifier(**FEW).fit(X, y)
    found = exported(model, X)
    assert_same(found["label"], model.predict(X))
    for j, p in enumerate(model.predict_proba(X)):
        assert_same(found[f"probabilities_{j}"], p)


@pytest.mark.parametrize("columns", [1, 2])
def test_numbers_are_in_the_units_of_y(columns: int):
    y = X[:, 0] * 100 + 7 if columns == 1 else X[:, :2] * 100 + 7
    for loss in ("squared_error", {"type": "quantile", "quantiles": (0.1, 0.5, 0.9)}, "gaussian_nll"):
        model = ModNetRegressor(loss=loss, **FEW).fit(X, y)
        found = exported(model, X)
        assert_same(found["prediction"], model.predict(X))
        if "quantiles" in found:
            assert_same(found["quantiles"], model.predict_quantiles(X))
        if "std" in found:
            assert_same(found["std"], model.predict(X, return_std=True)[1])


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_the_drop_ins(activation: str):
    model = MLPClassifier(activation=activation, max_iter=3).fit(X, X[:, 0] > 0)
    assert_same(exported(model, X)["probabilities"], model.predict_proba(X))
    model = MLPRegressor(activation=activation, max_iter=3).fit(X, X[:, 0])
    assert_same(exported(model, X)["prediction"], model.predict(X))


def test_a_layer_of_a_network():
    for model, rows in (
        (ModNetTransformer((8, 2, 8), max_iter=3).fit(X), X),
        (ModNetTransformer(estimator=ModNetRegressor(**FEW), layer="inputs").fit(FRAME[:300], PRICE[:300]), FRAME),
    ):
        assert_same(exported(model, rows)["transformed"], model.transform(rows), model.theta_.dtype)


@pytest.mark.parametrize("opset", [13, 17, 22])
def test_older_and_newer_operators(opset: int):
    model = ModNetClassifier(**FEW, layers=(8, "layer_norm")).fit(X, X[:, 0] > 0)
    found = exported(model, X, target_opset=opset)
    assert_same(found["probabilities"], model.predict_proba(X))


def test_a_model_says_what_made_it_and_calls_its_weights_by_their_names():
    made = to_onnx(ModNetClassifier(**FEW, layers=(8,), inputs=None).fit(X, np.where(X[:, 0] > 0, "p", "n")))
    told = {each.key: each.value for each in made.metadata_props}
    assert told["classes"] == '["n", "p"]'
    assert told["estimator"] == "ModNetClassifier"
    assert {"layers[0].W", "layers[0].b", "output.W", "output.b"} <= {each.name for each in made.graph.initializer}
    assert made.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"

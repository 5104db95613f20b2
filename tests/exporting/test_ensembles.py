"""Exported ensembles predict in onnxruntime what they predict here: members, their combination and calibration."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

from modnet_tabular import TabularClassifier, TabularRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from support.exported import assert_same, exported, outputs  # noqa: E402

from modnet import to_onnx  # noqa: E402

RNG = np.random.default_rng(0)
N = 1200
FRAME = pd.DataFrame(
    {
        "town": RNG.choice(np.array(["Bonn", "Rome", "Ulm", None], object), N),
        "area": RNG.integers(20, 180, N),
        "street": RNG.choice(list("abcdefghijklmno"), N),
        "built": RNG.choice([1930, 1975, 2010, np.nan], N),
    }
)
PRICE = FRAME["area"] * 100 + RNG.normal(size=N)
DEAR, LARGE = np.where(PRICE > 9000, "dear", "cheap"), FRAME["area"] > 90
SIZE = np.array(["small", "middle", "large"])[np.digitize(PRICE, [8000, 12000])]
FEW = {"preset": "best", "max_epochs": 3, "n_members": 3, "random_state": 0}


@pytest.mark.parametrize("y", [PRICE, np.stack([PRICE, -PRICE], axis=1)], ids=["one", "two"])
@pytest.mark.parametrize("loss", ["auto", "gaussian_nll", "quantile"])
def test_numbers_spreads_and_quantiles_are_the_same(loss: str, y: np.ndarray):
    model = TabularRegressor(**FEW, loss=loss).fit(FRAME, y)
    found = exported(model, FRAME, "float32")
    predicted, spread = model.predict(FRAME, return_std=True)
    assert_same(found["prediction"], predicted, "float32")
    assert_same(found["std"], spread, "float32")
    if loss == "quantile":
        assert_same(found["quantiles"], model.predict_quantiles(FRAME), "float32")


@pytest.mark.parametrize("y", [DEAR, SIZE, np.stack([DEAR == "dear", LARGE], axis=1).astype(int)], ids="bcl")
def test_labels_and_calibrated_probabilities_are_the_same(y: np.ndarray):
    model = TabularClassifier(**FEW).fit(FRAME, y)
    assert model.temperature_ != 1
    found = exported(model, FRAME, "float32")
    assert_same(found["label"], model.predict(FRAME))
    assert_same(found["probabilities"], model.predict_proba(FRAME), "float32")


@pytest.mark.parametrize("y", [DEAR, SIZE, np.stack([DEAR == "dear", LARGE], axis=1).astype(int)], ids="bcl")
def test_scores_of_a_hinge_are_the_same(y: np.ndarray):
    model = TabularClassifier(**FEW, loss="hinge").fit(FRAME, y)
    found = exported(model, FRAME, "float32")
    assert_same(found["label"], model.predict(FRAME))
    assert_same(found["scores"], model.decision_function(FRAME), "float32")


def test_several_columns_of_classes_have_probabilities_each():
    model = TabularClassifier(**FEW).fit(FRAME, np.stack([DEAR, SIZE], axis=1))
    found = exported(model, FRAME, "float32")
    assert_same(found["label"], model.predict(FRAME))
    for j, p in enumerate(model.predict_proba(FRAME)):
        assert_same(found[f"probabilities_{j}"], p, "float32")


@pytest.mark.parametrize("y", [SIZE, np.stack([DEAR, SIZE], axis=1)], ids=["one", "two"])
def test_an_ensemble_in_a_pipeline_is_exported(y: np.ndarray):
    rows = RNG.normal(size=(N, 3)).astype(np.float32)
    pipe = make_pipeline(StandardScaler(), TabularClassifier(**FEW)).fit(rows, y)
    found = outputs(to_onnx(pipe, rows), rows)
    assert_same(found["label"], pipe.predict(rows))
    shown = pipe.predict_proba(rows) if y.ndim == 2 else [pipe.predict_proba(rows)]
    for name, p in zip((name for name in found if name.startswith("prob")), shown, strict=True):
        assert_same(found[name], p, "float32")

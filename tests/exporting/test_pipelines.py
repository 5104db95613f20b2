"""Pipelines, column transformers and searches with modnet inside are exported as a whole."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

from support.exported import assert_same, exported  # noqa: E402

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, to_onnx  # noqa: E402
from modnet.errors import ExportError  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)).astype(np.float32)
Y = np.where(X[:, 0] > 0, "p", "n")
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "town": RNG.choice(["Bonn", "Rome", "Ulm"], 300)})
FEW = {"max_iter": 3, "random_state": 0}


def test_behind_a_scaler():
    model = make_pipeline(StandardScaler(), ModNetClassifier(**FEW)).fit(X, Y)
    found = exported(model, X)
    assert_same(found["label"], model.predict(X))
    assert_same(found["probabilities"], model.predict_proba(X))


def test_a_search():
    grid = {"modnetregressor__alpha": [0, 1]}
    model = GridSearchCV(make_pipeline(StandardScaler(), ModNetRegressor(**FEW)), grid, cv=2).fit(X, X[:, 1])
    assert_same(exported(model, X)["prediction"], model.predict(X))


def test_in_front_of_another_estimator():
    model = make_pipeline(ModNetTransformer((8, 2, 8), max_iter=3), LogisticRegression()).fit(X, Y)
    found = exported(model, X)
    assert_same(found["label"], model.predict(X))
    assert_same(found["probabilities"], model.predict_proba(X))


def test_behind_a_column_transformer():
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["town"]),
    )
    model = make_pipeline(columns, ModNetRegressor(**FEW)).fit(FRAME, X[:, 2])
    assert_same(exported(model, FRAME)["prediction"], model.predict(FRAME), "float32")


def test_raw_columns_inside_of_a_pipeline():
    model = Pipeline([("network", ModNetClassifier(**FEW))]).fit(FRAME, Y)
    found = exported(model, FRAME)
    assert_same(found["label"], model.predict(FRAME))
    assert_same(found["probabilities"], model.predict_proba(FRAME))


class Odd(TransformerMixin, BaseEstimator):
    """A step that nobody has a converter for."""

    def fit(self, X, y=None):
        self.n_ = 1
        return self

    def transform(self, X):
        return X


def test_a_step_that_cannot_be_exported_is_named():
    model = make_pipeline(Odd(), ModNetRegressor(**FEW)).fit(X, X[:, 0])
    with pytest.raises(ExportError, match=r"odd \(Odd\): skl2onnx has no converter for it: take another step, or reg"):
        to_onnx(model, X)


def test_a_pipeline_needs_rows():
    model = make_pipeline(StandardScaler(), ModNetRegressor(**FEW)).fit(X, X[:, 0])
    with pytest.raises(ExportError, match="X_sample: Pipeline needs a few rows of X"):
        to_onnx(model)

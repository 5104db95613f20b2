"""Networks inside pipelines, searches and the like, and tables of several kinds: each is seen as it is trained."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.diagnosis import diagnose
from modnet.layers import Columns, Dense, Embedding, Parallel, Sequential

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def table() -> tuple[pd.DataFrame, pd.Series]:
    """Columns of several kinds; what to predict is the town."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, 300),
            "income": rng.normal(3e4, 1e4, 300),
            "town": rng.choice(["Ulm", "Bonn", "Rome"], 300),
            "owner": rng.random(300) > 0.5,
        }
    )
    return frame, frame.town == "Ulm"


def embedding_model() -> ModNetClassifier:
    """A network with a branch for categories."""
    branches = (
        Sequential((Columns(dtype="category"), Embedding(3, categories=4))),
        Columns(["age", "income", "owner"]),
    )
    return ModNetClassifier([Parallel(branches, merge="concat"), Dense(16, "relu")], max_iter=5, random_state=0)


@pytest.mark.parametrize("fitted", [True, False])
def test_a_pipeline_is_seen_behind_its_scaler(fitted: bool):
    X, y = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), ModNetClassifier(random_state=0))
    assert diagnose(model.fit(X, y) if fitted else model, X, y) == []


@pytest.mark.parametrize("fitted", [True, False])
def test_a_search_is_seen_by_its_network(fitted: bool):
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), ModNetClassifier(max_iter=20, random_state=0))
    search = GridSearchCV(model, {"modnetclassifier__alpha": [0.1]}, cv=2)
    assert diagnose(search.fit(X, y) if fitted else search, X, y) == []


@pytest.mark.parametrize("fitted", [True, False])
def test_a_target_is_seen_as_it_is_transformed(fitted: bool):
    X, y = load_diabetes(return_X_y=True)
    model = make_pipeline(StandardScaler(), ModNetRegressor(random_state=0))
    scaled = TransformedTargetRegressor(model, transformer=StandardScaler())
    assert diagnose(scaled.fit(X, y) if fitted else scaled, X, y) == []
    logarithmic = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp)
    assert diagnose(logarithmic.fit(X, y) if fitted else logarithmic, X, y) == []


def test_an_autoencoder_learns_its_input(digits):
    X, _ = digits
    model = ModNetTransformer(max_iter=5, random_state=0)
    assert diagnose(model, X, None) == diagnose(model.fit(X), X, None) == []
    broken = X.copy()
    broken[3, 4] = np.nan
    assert [finding.check for finding in diagnose(model, broken, None)] == ["missing-values"]


def test_a_transformer_is_seen_by_the_network_that_it_reads(digits, weights):
    X, y = digits
    model = ModNetClassifier((100,), max_iter=20, random_state=0).fit(X, y)
    weights(model)["layers[0].b"][...] = -100
    reader = ModNetTransformer(estimator=FrozenEstimator(model))
    assert [finding.check for finding in diagnose(reader, X, y)] == ["dead-units"]
    assert [finding.check for finding in diagnose(reader.fit(X, y), X, y)] == ["dead-units"]


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match="networks of modnet, got Ridge: pass a ModNetClassifier"):
        diagnose(Ridge(), np.zeros((5, 2)), np.zeros(5))


def test_what_fit_would_refuse_is_refused_in_its_words(moons):
    X, y = moons
    with pytest.raises(ValueError, match=r"layers\[0\].*greater than or equal to 1"):
        diagnose(ModNetClassifier((0,)), X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        diagnose(ModNetClassifier(), X, y[:-1])


def test_columns_are_called_by_their_names(table):
    X, y = table
    numbers = X[["age", "income"]]
    found = diagnose(ModNetClassifier(inputs=None, random_state=0), numbers, y)
    assert "largest in income (9.8e+03); smallest in age (10)" in found[0].found


def test_a_column_of_zeros_with_a_name_is_noted(table):
    X, y = table
    numbers = StandardScaler().set_output(transform="pandas").fit_transform(X[["age", "income"]]).assign(debts=0.0)
    (finding,) = diagnose(ModNetClassifier(random_state=0), numbers, y)
    assert "1 column with one value in all rows: debts (0)" in finding.found


def test_numbers_beside_an_embedding_have_to_be_scaled(table):
    X, y = table
    assert diagnose(embedding_model(), X, y)[0].check == "scale-spread"
    X = X.assign(age=(X.age - 40) / 10, income=X.income / 1e4 - 3)
    assert diagnose(embedding_model(), X, y) == []


def test_missing_categories_are_fine_where_they_are_taken_and_missing_numbers_are_not(table):
    X, y = table
    X = X.assign(age=(X.age - 40) / 10, income=X.income / 1e4 - 3)
    X.loc[5, "town"] = None
    assert diagnose(embedding_model(), X, y) == []
    X.loc[7, "age"] = np.nan
    (finding,) = diagnose(embedding_model(), X, y)
    assert finding.check == "missing-values"


def test_a_polars_frame(table):
    polars = pytest.importorskip("polars")
    X, y = table
    frame = polars.DataFrame({"age": X.age.to_list(), "income": [None, *X.income[1:].to_list()]})
    found = diagnose(ModNetClassifier(inputs=None, random_state=0), frame, y.to_numpy())
    assert "1 value missing or infinite in 1 row: income (1)" in found[0].found


@pytest.mark.slow
def test_sparse_rows(moons):
    X, y = load_digits(return_X_y=True)
    model = ModNetClassifier(max_iter=20, random_state=0)
    for matrix in (sparse.csr_array(X), sparse.csc_matrix(X)):
        assert diagnose(model, matrix, y) == []
    broken = sparse.csr_array(X)
    broken.data[5] = np.nan
    (finding,) = diagnose(model, broken, y)
    assert "1 value missing or infinite in 1 row" in finding.found


def test_a_label_matrix_of_any_kind(digits):
    X, y = digits
    labels = np.column_stack([y > 4, y % 2 == 0]).astype(int)
    model = ModNetClassifier(max_iter=5, random_state=0)
    assert diagnose(model, X, sparse.csr_array(labels)) == diagnose(model, X, pd.DataFrame(labels)) == []


def test_lists(moons):
    X, y = moons
    assert diagnose(ModNetClassifier(random_state=0), X.tolist(), y.tolist()) == []


def test_rows_that_all_miss_something_end_the_examination(moons):
    X, y = moons
    (finding,) = diagnose(ModNetClassifier(inputs=None), np.full_like(X, np.nan), y)
    assert finding.check == "missing-values"

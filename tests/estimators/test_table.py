"""Tables with columns of every kind: by name, by dtype, categories as codes, missing values, data-fitted layers."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.base import Column
from modnet.errors import InputError, ShapeError
from modnet.estimators.preparation import rows_of
from modnet.layers import Columns, Dense, Dropout, Embedding, OneHot, Parallel, Sequential, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TOWNS = ["Bonn", "Essen", "Hamm", "Ulm"]
PRICE = dict(zip(TOWNS, [3.0, -2.0, 0.5, 1.0], strict=True))


def table(n=300, seed=0):
    """Return rows whose target is the price level of a town plus a slope in the size, and the target."""
    rng = np.random.default_rng(seed)
    town = rng.choice(TOWNS, n)
    size = rng.normal(90, 30, n)
    X = pd.DataFrame(
        {"size": size, "town": pd.Categorical(town), "garden": rng.random(n) < 0.5}, index=np.arange(n) * 7
    )
    return X, np.array([PRICE[each] for each in town]) + size / 30 + X.garden.to_numpy()


BRANCHES = (
    Parallel(
        [
            Sequential([Columns(["size"]), Standardize()]),
            Sequential([Columns(dtype="category"), Embedding(units=2)]),
            Columns(dtype="bool"),
        ]
    ),
    Dense(16, "tanh"),
)


def regressor(layers=BRANCHES, **params):
    params = {"max_iter": 150, "batch_size": 32, "random_state": 0, **params}
    return ModNetRegressor(layers, optimizer={"type": "adam", "learning_rate": 0.01}, **params)


@pytest.fixture(scope="module")
def fitted():
    return regressor().fit(*table())


def test_a_data_frame_with_categories_goes_in_as_it_is(fitted):
    X, y = table(seed=1)
    assert fitted.score(X, y) > 0.98


def test_the_order_of_categories_in_new_data_does_not_matter(fitted):
    X, _ = table(seed=1)
    again = X.assign(town=pd.Categorical(X.town.astype(str), categories=TOWNS[::-1]))
    np.testing.assert_array_equal(fitted.predict(again), fitted.predict(X))
    np.testing.assert_array_equal(fitted.predict(X.assign(town=X.town.astype(str))), fitted.predict(X))


def test_an_unknown_category_and_a_missing_one_are_the_row_of_the_missing(fitted):
    X, _ = table(n=6)
    unknown = X.assign(town=pd.Categorical(["Rome"] * 6))
    missing = X.assign(town=pd.Categorical([None] * 6, categories=TOWNS))
    np.testing.assert_array_equal(fitted.predict(unknown), fitted.predict(missing))
    assert np.isfinite(fitted.predict(unknown)).all()


def test_rows_with_a_missing_category_can_be_learnt_from():
    X, y = table()
    X.loc[X.index[::3], "town"] = None
    y = np.where(X.town.isna(), 10 + X["size"] / 30, y)
    assert regressor().fit(X, y).score(X, y) > 0.98


def test_text_is_a_category_too():
    X, y = table()
    assert regressor().fit(X.assign(town=X.town.astype(object)), y).score(X, y) > 0.98


def test_polars_frames_are_taken_as_pandas_frames_are(fitted):
    polars = pytest.importorskip("polars")
    X, _ = table(n=40, seed=1)
    other = polars.DataFrame({"size": X["size"].to_numpy(), "town": list(X.town), "garden": X.garden.to_numpy()})
    cast = other.with_columns(polars.col("town").cast(polars.Categorical))
    np.testing.assert_array_equal(fitted.predict(cast), fitted.predict(X))
    assert regressor(max_iter=2).fit(cast, np.arange(40)).predict(other).shape == (40,)


def test_what_polars_holds_is_what_pandas_holds(fitted):
    polars = pytest.importorskip("polars")
    X, _ = table(n=40, seed=1)
    other = polars.DataFrame({"size": X["size"].to_numpy(), "town": list(X.town), "garden": X.garden.to_numpy()})
    gaps = other.with_columns(size=polars.Series([None, *other["size"][1:]]), town=polars.lit(None))
    with pytest.raises(InputError, match="row 0: there is NaN, as in column 'size'"):
        fitted.predict(gaps)
    expected = fitted.predict(X.assign(town=None)[1:])
    np.testing.assert_array_equal(fitted.predict(gaps[1:]), expected)
    wide = other.with_columns(extra=polars.Series([1] * 40, dtype=polars.Int128))  # of which NumPy has no array
    model = regressor((Columns(["size"]), 4), max_iter=2).fit(wide, np.arange(40))
    assert np.isfinite(model.predict(wide)).all()


def test_an_autoencoder_gives_back_no_categories():
    layers = (Parallel([Sequential([Columns(["town"]), Embedding(2)]), Columns(["size"])]), 4)
    with pytest.raises(ShapeError, match="column 'town' holds categories; an autoencoder gives back numbers"):
        ModNetTransformer(layers).fit(table()[0])


def test_without_a_layer_that_takes_codes_text_is_refused_in_scikit_learns_words():
    X, y = table()
    with pytest.raises(ValueError, match="could not convert string to float"):
        regressor((8,), inputs=None).fit(X.assign(town=X.town.astype(str)), y)


# Categories that columns know


@pytest.mark.parametrize("layer", [Embedding(3), OneHot()], ids=repr)
def test_a_layer_on_a_frame_knows_how_many_categories_there_are(layer):
    X, y = table()
    told = type(layer)(**{**({"units": 3} if isinstance(layer, Embedding) else {}), "categories": 4})
    branches = [(Parallel([Sequential([Columns(["town"]), each]), Columns(["size"])]), 4) for each in (layer, told)]
    own, other = (regressor(each, max_iter=2).fit(X, y).predict(X) for each in branches)
    np.testing.assert_array_equal(own, other)


def test_declared_categories_count_in_their_order_though_some_are_not_there():
    town = pd.Categorical(["Ulm", "Bonn"] * 20, categories=["Ulm", "Rome", "Bonn"])
    model = regressor((Embedding(2),), max_iter=1, batch_size=None).fit(pd.DataFrame({"town": town}), np.arange(40.0))
    assert model.table_.columns == (Column("town", "category", 3),)
    assert model.table_.categories["town"].tolist() == ["Ulm", "Rome", "Bonn"]
    assert model.network_.parameters(model.theta_)["layers[0].E"].shape == (3, 2)


def test_categories_of_text_are_sorted_and_those_of_the_first_call():
    X = pd.DataFrame({"town": ["Ulm", "Bonn", None, "Ulm"]})
    model = regressor((Embedding(2),), max_iter=1, batch_size=None).partial_fit(X, np.arange(4.0))
    assert model.table_.columns == (Column("town", "category", 2, missing=True),)
    with pytest.warns(UserWarning, match="column 'town': 4 of 4 rows hold a category that the first call"):
        model.partial_fit(pd.DataFrame({"town": ["Essen"] * 4}), np.arange(4.0))
    assert model.table_.categories["town"].tolist() == ["Bonn", "Ulm"]
    np.testing.assert_array_equal(rows_of(model, X)[:, 0], [1, 0, np.nan, 1])
    np.testing.assert_array_equal(rows_of(model, pd.DataFrame({"town": ["Essen"]})), [[-1]])


def test_categories_of_numbers_are_found_by_their_value():
    rooms = pd.DataFrame({"rooms": pd.Categorical([10, 2, 10, 30])})
    model = regressor((Embedding(2),), max_iter=1, batch_size=None).fit(rooms, np.arange(4.0))
    np.testing.assert_array_equal(rows_of(model, pd.DataFrame({"rooms": [30.0, 2.0, 5.0]}))[:, 0], [2, 0, -1])


def test_categories_are_known_behind_layers_that_keep_the_shape():
    X, y = table()
    model = regressor((Columns(["town"]), Dropout(0.0), Embedding(2)), max_iter=1, batch_size=None).fit(X, y)
    assert model.network_.parameters(model.theta_)["layers[2].E"].shape == (4, 2)


def test_a_column_without_any_category_has_a_code_all_the_same():
    X = pd.DataFrame({"town": [None] * 10, "size": np.arange(10.0)})
    layers = (Parallel([Sequential([Columns(["town"]), Embedding(2)]), Columns(["size"])]),)
    model = regressor(layers, max_iter=1, batch_size=None).fit(X, X["size"])
    assert np.isfinite(model.predict(X.assign(town="Ulm"))).all()


def test_a_clone_a_pickle_and_a_search_work_on_the_frame():
    X, y = table()
    model = clone(regressor(max_iter=30))
    assert cross_val_score(model, X, y, cv=3).min() > 0.5
    again = pickle.loads(pickle.dumps(model.fit(X, y)))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    grid = {"layers__0__branches__1__body__1__units": [1, 3]}
    search = GridSearchCV(regressor(max_iter=3), grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 2


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    layers = (Columns(["sise"]), 4)
    with pytest.raises(ShapeError, match=r"layers\[0\] \(Columns\): there is no column 'sise'; did you mean 'size'\?"):
        regressor(layers).fit(table()[0].drop(columns="town"), table()[1])


@pytest.mark.parametrize("layers", [(Columns(["size"]), 4), (Columns(dtype="number"), 4)], ids=repr)
def test_names_and_dtypes_need_a_frame(layers):
    with pytest.raises(ShapeError, match=r"layers\[0\] \(Columns\): .* X should be a data frame with column names"):
        regressor(layers).fit(np.ones((20, 3)), np.arange(20))


def test_names_are_lost_behind_a_layer_that_mixes_columns():
    with pytest.raises(ShapeError, match=r"layers\[1\] \(Columns\): .* only layers that keep the shape"):
        regressor((Dense(3), Columns(["size"]))).fit(table()[0].drop(columns="town"), table()[1])


def test_positions_need_no_names():
    X = np.random.default_rng(0).normal(size=(50, 3))
    model = regressor((Columns((0, -1)), 8), max_iter=20).fit(X, X[:, 0])
    moved = X.copy()
    moved[:, 1] += 100
    np.testing.assert_array_equal(model.predict(moved), model.predict(X))


# Codes


CODES = np.random.default_rng(0).integers(4, size=(60, 2)).astype(float)


@pytest.mark.parametrize("layer", [Embedding(3, categories=4), OneHot(categories=4)], ids=repr)
def test_codes_out_of_range_are_named_by_row_before_training_and_in_prediction(layer):
    wrong = CODES.copy()
    wrong[41, 1] = 4
    with pytest.raises(InputError, match=r"layers\[0\] \(\w+\): row 41: column 1 holds 4, which is no code"):
        regressor((layer, 4)).fit(wrong, CODES[:, 0])
    model = regressor((layer, 4), max_iter=2).fit(CODES, CODES[:, 0])
    with pytest.raises(InputError, match="row 41: column 1 holds 4"):
        model.predict(wrong)
    with pytest.raises(InputError, match="row 41: column 1 holds 4"):
        model.partial_fit(wrong, CODES[:, 0])


def test_the_row_of_a_wrong_code_is_found_far_into_the_data():
    model = regressor((Embedding(3, categories=4), 4), max_iter=1).fit(CODES, CODES[:, 0])
    many = np.tile(CODES, (5000, 1))
    many[234_567, 0] = 1.5
    with pytest.raises(InputError, match=r"row 234567: column 0 holds 1\.5"):
        model.predict(many)


def test_missing_codes_are_welcome_where_a_layer_takes_them():
    X = CODES.copy()
    X[::5, 0] = np.nan
    model = regressor((Embedding(3, categories=4), 8), max_iter=30).fit(X, CODES[:, 1])
    assert np.isfinite(model.predict(X)).all()
    assert get_tags(model).input_tags.allow_nan
    assert not get_tags(regressor((8,), inputs=None)).input_tags.allow_nan


def test_a_missing_value_where_none_is_taken_names_the_layer_and_the_row():
    layers = (
        Parallel([Sequential([Columns((0,)), Embedding(3, categories=4)]), Sequential([Columns((1,)), Dense(2)])]),
        4,
    )
    X = CODES.copy()
    X[::5, 0] = np.nan
    model = regressor(layers, max_iter=2).fit(X, CODES[:, 1])
    X[17, 1] = np.nan
    message = r"layers\[0\]\.branches\[1\]\.body\[1\] \(Dense\): row 17: there is NaN, as in column 1: impute it"
    with pytest.raises(InputError, match=message):
        model.predict(X)
    with pytest.raises(InputError, match=message):
        regressor(layers).fit(X, CODES[:, 1])


def test_without_such_a_layer_missing_values_are_refused_in_scikit_learns_words():
    X = CODES.copy()
    X[3, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        regressor((8,), inputs=None).fit(X, CODES[:, 0])


# Data-fitted layers


def test_standardizing_inside_is_standardizing_before():
    X = np.random.default_rng(0).normal(size=(200, 3)) * [1, 100, 1e-3] + [5, -300, 0]
    y = X[:, 0] + X[:, 1] / 100
    inside = regressor((Standardize(), 8), inputs=None, max_iter=20).fit(X, y)
    # First values are drawn by name, so that both have theirs for layers[1].
    before = make_pipeline(StandardScaler(), regressor(("identity", 8), inputs=None, max_iter=20)).fit(X, y)
    np.testing.assert_allclose(inside.predict(X), before.predict(X), rtol=1e-9)


def test_only_the_rows_to_train_on_are_looked_at():
    X = np.random.default_rng(0).normal(size=(100, 2))
    far = np.vstack([X, np.full((20, 2), 1e6)])
    y = far[:, 0] / 1e6
    model = regressor((Standardize(), 4), inputs=None, max_iter=1, early_stopping=True)
    model.fit(X, y[:100], X_val=far, y_val=y)
    mean = model.network_.state_layout.views(model.state_)["layers[0].mean"]
    np.testing.assert_allclose(mean[0], X.mean(axis=0), rtol=1e-12)


def test_weights_count_as_rows_do():
    X, weight = np.random.default_rng(0).normal(size=(50, 2)), np.arange(50) % 4
    once = regressor((Standardize(), 4), max_iter=1).fit(X, X[:, 0], sample_weight=weight)
    repeated = regressor((Standardize(), 4), max_iter=1).fit(X.repeat(weight, axis=0), X[:, 0].repeat(weight))
    for one, other in zip(once.state_, repeated.state_, strict=True):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-14)


def test_partial_fit_standardizes_by_the_first_batch():
    X = np.random.default_rng(0).normal(5, 3, size=(50, 2))
    model = regressor((Standardize(), 4)).partial_fit(X, X[:, 0])
    state = model.state_.copy()
    np.testing.assert_array_equal(model.partial_fit(X + 100, X[:, 0]).state_, state)


def test_a_layer_in_the_middle_sees_what_comes_out_of_the_layers_before():
    X = np.random.default_rng(0).normal(size=(3000, 4))
    layers = (Dense(6, "tanh"), Standardize(), 4)
    model = ModNetClassifier(layers, inputs=None, dtype="float64", max_iter=1, optimizer="sgd", random_state=0)
    model.set_params(optimizer__learning_rate=1e-12).fit(X, X[:, 0] > 0)
    link = model.network_.layer("layers[1]")
    out = model.network_.outputs_of(link, model.theta_, model.state_, X)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(out.std(axis=0), 1, rtol=1e-9)


def test_a_transformer_reads_a_network_with_categories():
    X, y = table()
    reader = ModNetTransformer(estimator=regressor(max_iter=5), layer=0)
    code = reader.fit(X, y).transform(X)
    assert code.shape == (300, 4)

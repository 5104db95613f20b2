"""inputs="table": one table, one model, whatever holds it; numbers, gaps, truth values and categories."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor, load, save
from modnet.inputs import Table
from modnet.layers import Embedding, PiecewiseLinear

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

TOWNS = [f"town {i:02d}" for i in range(12)]


def frame(n=120, seed=0, gaps=True):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "size": rng.lognormal(4, 1, n),
            "year": rng.integers(1950, 2020, n).astype(float),
            "garden": rng.random(n) < 0.5,
            "heating": rng.choice(["gas", "oil"], n),
            "kind": rng.choice(["flat", "house", "loft"], n),
            "town": rng.choice(TOWNS, n),
        }
    )
    y = (
        np.log(X["size"])
        + 2 * X["garden"]
        + X["kind"].map({"flat": 0, "house": 1, "loft": 3})
        + X["town"].str[-1:].astype(int)
    )
    if gaps:
        X.loc[::7, "year"] = np.nan
        X.loc[::11, "kind"] = None
    return X, y.to_numpy(float)


def small(**params):
    few = {"inputs": Table(one_hot=8), "max_iter": 4, "random_state": 0, "accelerator": None}  # towns are learnt rows
    return ModNetRegressor((8,), **{**few, **params})


def encoded(model, X):
    """What the table has become behind the links that do not learn, by the names of its columns."""
    network = model.network_.split()[0]
    rows = network.predict(model.theta_, model.state_, np.asarray(model.table_.rows(X), float))
    return pd.DataFrame(rows, columns=network.output_shape.names)


@pytest.fixture(scope="module")
def fitted():
    return small().fit(*frame())


def test_a_raw_frame_with_text_and_gaps_is_learnt():
    X, y = frame(600)
    model = ModNetRegressor(random_state=0).fit(X[:450], 1000 * y[:450] + 200_000)
    assert model.score(X[450:], 1000 * y[450:] + 200_000) > 0.9


def test_every_kind_of_column_has_its_place(fitted):
    X, _ = frame()
    columns = encoded(fitted, X)
    assert list(columns) == [
        "size",
        "year",
        "year missing",
        "garden 1",
        "heating 1",
        *(f"kind {i}" for i in range(3)),
        "kind missing",
        "town",
    ]
    np.testing.assert_allclose(columns.drop(columns="town").mean(), 0, atol=1e-9)
    np.testing.assert_array_equal(columns["town"], [TOWNS.index(each) for each in X["town"]])
    assert columns["garden 1"].nunique() == 2
    np.testing.assert_allclose(np.ptp(columns["garden 1"]), 2)


def test_numbers_are_scaled_by_median_and_quartile_range_and_clipped_smoothly(fitted):
    X, _ = frame()
    low, median, high = (np.quantile(X["size"], level, method="inverted_cdf") for level in (0.25, 0.5, 0.75))
    z = (X["size"] - median) / (high - low)
    expected = z / np.sqrt(1 + (z / 3) ** 2)
    np.testing.assert_allclose(encoded(fitted, X)["size"], expected - expected.mean(), atol=1e-9)


def test_what_is_missing_is_the_median_and_says_so(fitted):
    X, _ = frame()
    columns, missing = encoded(fitted, X), X["year"].isna()
    median = X["year"].sort_values().iloc[(int((~missing).sum()) + 1) // 2 - 1]
    np.testing.assert_allclose(columns["year"][missing], columns["year"][X["year"] == median].iloc[0])
    assert (columns["year missing"][missing] > columns["year missing"][~missing].max()).all()


def test_the_unknown_and_the_rare_share_a_row_and_missing_where_none_was_is_unknown():
    X, y = frame(200, gaps=False)
    X.loc[3, "town"] = "Rome"  # one row only
    model = small().fit(X, y)
    other = X.iloc[:3].copy()
    predictions = []
    for town in ("Rome", "Paris", None):
        other["town"] = town
        predictions.append(model.predict(other))
    np.testing.assert_array_equal(predictions[0], predictions[1])
    np.testing.assert_array_equal(predictions[0], predictions[2])
    unknown = X.iloc[:3].assign(kind="castle", heating="sun")
    assert np.isfinite(model.predict(unknown)).all()


def holders(X):
    """The same table, held otherwise."""
    rows = X.astype(object).where(X.notna(), None)
    yield "records", rows.to_numpy(object)
    yield "lists", rows.to_numpy(object).tolist()
    yield "categorical", X.astype({"kind": "category", "town": "category", "heating": "category"})
    try:
        import polars
    except ImportError:
        return
    yield "polars", polars.from_dict({name: rows[name].tolist() for name in X})


def test_one_table_is_one_model_whatever_holds_it(fitted):
    X, y = frame()
    new, _ = frame(30, seed=1)
    expected = fitted.predict(new)
    for (_, held), (_, asked) in zip(holders(X), holders(new), strict=True):
        model = small().fit(held, y)
        np.testing.assert_array_equal(model.predict(asked), expected)
    for name, asked in holders(new):
        if name in ("records", "lists"):
            with pytest.warns(UserWarning, match="X does not have valid feature names"):
                np.testing.assert_array_equal(fitted.predict(asked), expected)


@pytest.mark.parametrize("n", [100, 500])
def test_numbers_in_lists_arrays_frames_and_memory_maps_are_one_model(n, tmp_path):
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(n, 4)), rng.normal(size=(20, 4))
    y = np.sin(X).sum(axis=1)
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=X.shape)
    mapped[:] = X
    expected = small().fit(X, y).predict(new)
    for held in (X.tolist(), np.asfortranarray(X), mapped, X.astype(object)):
        np.testing.assert_array_equal(small().fit(held, y).predict(new), expected)
    names = list("abcd")
    by_frame = small().fit(pd.DataFrame(X, columns=names), y).predict(pd.DataFrame(new, columns=names))
    np.testing.assert_array_equal(by_frame, expected)
    np.testing.assert_allclose(small().fit(X, y).predict(sparse.csr_array(new)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n", "dtype"), [(60, np.float64), (1200, np.float32)])  # θ is narrow where there are many
def test_sparse_rows_and_rows_of_several_axes_pass_as_they_are(n: int, dtype: Any):
    rng = np.random.default_rng(0)
    y = rng.normal(size=n)
    for X, layers in [
        (sparse.random_array((n, 5), density=0.3, rng=rng, format="csr"), (8,)),
        (rng.normal(size=(n, 3, 3)), ("flatten", 8)),
    ]:
        model, plain = (
            ModNetRegressor(layers, inputs=inputs, max_iter=4, random_state=0).fit(X, y) for inputs in ("table", None)
        )
        assert model.spec_.inputs is None
        assert model.theta_.dtype == dtype
        np.testing.assert_array_equal(model.predict(X), plain.predict(X))


def test_layers_that_go_by_columns_themselves_get_the_table_as_it_is():
    X, y = frame(gaps=False)
    model = ModNetRegressor((Embedding(2), 8), max_iter=4).fit(X[["town"]].astype("category"), y)
    assert model.spec_.inputs is None


@pytest.mark.parametrize(("n", "bins"), [(400, False), (401, True)])
def test_bins_stand_beside_the_numbers_where_there_are_enough_rows(n, bins):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=n), rng.integers(0, 5, n), np.zeros(n)])
    model = small().fit(X, X[:, 0])
    made = [link.module for link in model.network_.walk() if isinstance(link.module, PiecewiseLinear)]
    assert [each.bins for each in made] == ([(24, 4, 1)] if bins else [])


def test_there_are_at_most_512_bins_and_none_where_four_are_too_many():
    rng = np.random.default_rng(0)
    for columns, expected in ((40, 12), (130, None)):
        X = rng.normal(size=(500, columns))
        model = small().fit(X, X[:, 0])
        made = [link.module.bins for link in model.network_.walk() if isinstance(link.module, PiecewiseLinear)]
        assert made == ([] if expected is None else [expected])


def test_any_layer_may_follow_the_numbers():
    X, y = frame()
    for numbers in ("piecewise_linear", {"type": "dense", "units": 3}, "tanh"):
        model = small(inputs=Table(numbers=numbers)).fit(X, y)
        assert np.isfinite(model.predict(X)).all()
        assert model.network_.layer("inputs.numbers").input_shape == model.network_.links[0].output_shape


def test_a_row_of_weight_k_is_k_rows():
    X, y = frame(60)
    weight = np.random.default_rng(0).integers(0, 4, 60)
    index = np.repeat(np.arange(60), weight)
    weighted = small(optimizer="lbfgs").fit(X, y, sample_weight=weight)
    repeated = small(optimizer="lbfgs").fit(X.iloc[index], y[index])
    kept = [link.module for link in weighted.network_.links]
    assert kept == [link.module for link in repeated.network_.links]
    np.testing.assert_allclose(weighted.state_, repeated.state_, rtol=1e-12)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)


def test_numbers_that_float32_cannot_tell_apart_are_told_apart():
    rng = np.random.default_rng(0)
    seconds = 1.7e9 + rng.integers(0, 86_400, 500).astype(float)
    model = small(dtype="float32").fit(seconds[:, np.newaxis], rng.normal(size=500))
    assert model.theta_.dtype == np.float32
    network = model.network_.split()[0]
    rows = network.predict(model.theta_, model.state_, seconds[:, np.newaxis])
    assert len(np.unique(rows[:, 0])) > 0.95 * len(np.unique(seconds))


def test_numbers_of_any_size_are_taken():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 6)) * [1e-300, 1e-20, 1, 1e20, 1e200, 0]
    X[0, 4], X[1, 4] = 1e308, -1e308
    assert np.isfinite(small().fit(X, X[:, 2]).predict(X)).all()


def test_a_column_of_text_that_names_rows_is_refused_by_name():
    X, y = frame(40)
    X["id"] = [f"row {i}" for i in range(40)]
    with pytest.raises(ValueError, match=r"column 'id' holds text, with 40 different values in 40 rows.*leave it out"):
        small().fit(X, y)
    with pytest.raises(ValueError, match=r"column 6 holds text, with 40 different values"):
        small().fit(X.to_numpy(object), y)
    assert np.isfinite(small().fit(X.astype({"id": "category"}), y).predict(X.astype({"id": "category"}))).all()


def test_a_category_keeps_its_type():
    X, y = pd.DataFrame({"a": np.arange(40.0), "code": ["1", "2", "x", "007"] * 10}), np.arange(40.0)
    model = small().fit(X, y)
    with pytest.raises(TypeError, match=r"column 'code' held text in fit, and holds numbers here, such as 1 in row 0"):
        model.predict(pd.DataFrame({"a": [1.0], "code": [1]}))
    with pytest.raises(TypeError, match=r"column 1 held text in fit"):
        small().fit(X.to_numpy(object), y).predict([[1.0, 1]])


def test_dates_are_refused_with_what_to_do():
    X, y = frame(40)
    X["sold"] = datetime.datetime(2020, 1, 1)
    with pytest.raises(TypeError, match=r"column 'sold' holds dates.*Make numbers of it"):
        small().fit(X, y)


def test_infinity_is_refused_though_gaps_are_not():
    X, y = frame(40)
    X.loc[3, "size"] = np.inf
    with pytest.raises(ValueError, match=r"infinity.*\n.*column 'size'"):
        small().fit(X, y)


def test_declared_categories_are_known_from_the_first_batch_on_and_others_are_told_once():
    X, y = frame(200, gaps=False)
    first, later = X["town"].isin(TOWNS[:6]), X["town"].isin(TOWNS[6:])
    declared = X.astype({"town": pd.CategoricalDtype(TOWNS)})
    stream = small().partial_fit(declared[first], y[first]).partial_fit(declared[later], y[later])
    assert stream.table_.categories["town"].tolist() == TOWNS
    open_ended = small().partial_fit(X[first], y[first])
    with pytest.warns(UserWarning, match=rf"column 'town': {later.sum()} of {later.sum()} rows hold a category"):
        open_ended.partial_fit(X[later], y[later])
    open_ended.partial_fit(X[later], y[later])  # a warning would be an error here


def test_a_file_keeps_the_table(fitted, tmp_path):
    X, y = frame()
    for model, data in ((fitted, X), (small().fit(X.to_numpy(object), y), X.to_numpy(object))):
        save(model, tmp_path / "model.npz")
        np.testing.assert_array_equal(load(tmp_path / "model.npz").predict(data), model.predict(data))


def test_warm_starts_go_on_with_what_was_chosen():
    X, y = frame(500, gaps=False)
    model = small(warm_start=True).fit(X, y)
    before = model.spec_.inputs
    model.fit(X[:100], y[:100])
    assert model.spec_.inputs == before
    with pytest.raises(ValueError, match="inputs has changed since the network was made"):
        model.set_params(inputs=None).fit(X, y)


def test_a_spec_says_what_was_chosen_and_comes_back():
    X, y = frame(500)
    spec = small().fit(X, y).spec_
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert spec.inputs.numbers is not None


def test_classes_of_text_are_told_apart_by_text():
    X, y = frame(300)
    label = np.where(y > np.median(y), "dear", "cheap")
    assert ModNetClassifier(random_state=0).fit(X[:200], label[:200]).score(X[200:], label[200:]) > 0.8


def test_the_derivative_of_the_encoding_is_that_of_central_differences(fitted):
    from modnet.network import Pass

    X, _ = frame(gaps=False)
    x = np.asarray(fitted.table_.rows(X), float)[:5]
    network, theta, state = fitted.network_, fitted.theta_, fitted.state_
    running = Pass(network, theta, state, gradient=np.empty_like(theta), rows=5)
    running.forward(x)
    running.backward(np.ones((5, 1)))
    found = running.input_gradient()[:, 0]
    h = 1e-4 * x[:, 0]
    step = np.zeros_like(x)
    step[:, 0] = h
    difference = network.predict(theta, state, x + step) - network.predict(theta, state, x - step)
    np.testing.assert_allclose(found, difference[:, 0] / (2 * h), rtol=1e-4, atol=1e-7)

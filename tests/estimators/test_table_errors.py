"""What is in a column that cannot be read: errors name it, with a value and its row; nobody asks of unread columns."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from modnet import ModNetRegressor, ModNetTransformer
from modnet.diagnosis import diagnose
from modnet.errors import InputError, ShapeError
from modnet.layers import Columns, Dense, Embedding, Parallel, Sequential

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 24
RNG = np.random.default_rng(0)
X = pd.DataFrame({"age": RNG.normal(size=N), "income": RNG.normal(size=N)})
Y = RNG.normal(size=N)
NUMBERS = (Columns(["age", "income"]), 4)
BRANCHES = (
    Parallel([Sequential([Columns(dtype="category"), Embedding(units=2)]), Columns(dtype="number")]),
    4,
)

STRANGE = {
    "text": (["F", "M"] * 12, ValueError, r"could not convert string to float: 'F' in row 0 of column 'extra'"),
    "text late": (
        ["1"] * 23 + ["M"],
        ValueError,
        r"could not convert string to float: 'M' in row 23 of column 'extra'",
    ),
    "dates": (
        pd.date_range("2020", periods=N),
        TypeError,
        r"column 'extra' holds dates, such as Timestamp\('2020-01-01",
    ),
    "time zones": (pd.date_range("2020", periods=N, tz="UTC"), TypeError, r"column 'extra' holds dates"),
    "dates as objects": ([datetime.date(2020, 1, 1)] * N, TypeError, r"column 'extra' holds dates"),
    "durations": (pd.to_timedelta(range(N)), TypeError, r"column 'extra' holds durations"),
    "complex": (np.full(N, 1j), ValueError, r"Complex data not supported: column 'extra' holds 1j in row 0"),
    "mixed": ([1, "a"] * 12, ValueError, r"'a' in row 1 of column 'extra' \(numbers and text\)"),
    "lists": ([[1]] * N, TypeError, r"column 'extra' holds list objects, such as \[1\] in row 0"),
    "intervals": (pd.cut(RNG.normal(size=N), 3), TypeError, r"column 'extra' holds Interval objects"),
    "NaN": ([0.0] * 23 + [np.nan], ValueError, r"Input X contains NaN.\ncolumn 'extra' has it in row 23"),
    "inf": ([0.0] * 23 + [np.inf], ValueError, r"Input X contains infinity .*\ncolumn 'extra' has it in row 23"),
    "nullable": (pd.array([1] * 23 + [None], dtype="Int64"), ValueError, r"contains NaN.\ncolumn 'extra' .* row 23"),
}


def regressor(*layers, **params):
    return ModNetRegressor(layers, **{"inputs": None, "max_iter": 2, "random_state": 0, **params})


@pytest.mark.parametrize(("values", "kind", "message"), STRANGE.values(), ids=STRANGE)
def test_a_column_that_no_layer_can_read_is_named_with_a_value_and_its_row(values, kind, message):
    frame = X.assign(extra=values)
    with pytest.raises(kind, match=message):
        regressor(4).fit(frame, Y)
    model = regressor(4).fit(X.assign(extra=0.0), Y)
    with pytest.raises((TypeError, ValueError), match="column 'extra'"):
        model.predict(frame)


@pytest.mark.parametrize("values", [each for each, _, _ in STRANGE.values()], ids=STRANGE)
def test_a_column_that_no_layer_reads_does_no_harm(values):
    frame = X.assign(extra=values)
    expected = regressor(*NUMBERS).fit(X, Y).predict(X)
    for layers in (NUMBERS, (Parallel([Columns(["age"]), Sequential([Columns(["income"])])], "concat"), 4)):
        model = regressor(*layers).fit(frame, Y)
        np.testing.assert_array_equal(model.predict(frame), model.predict(X.assign(extra="?")))
    np.testing.assert_allclose(regressor(*NUMBERS).fit(frame, Y).predict(frame), expected, rtol=1e-12)


@pytest.mark.parametrize("of", [np.asarray, lambda array: array.tolist()])
def test_positions_of_an_array_that_no_layer_reads_do_no_harm(of):
    rows = of(X.assign(name=["Ada", datetime.date(2020, 1, 1)] * 12).to_numpy(object))
    model = regressor(Columns((0, 1)), 4).fit(rows, Y)
    plain = X.assign(n=0).to_numpy()
    np.testing.assert_array_equal(model.predict(rows), regressor(Columns((0, 1)), 4).fit(plain, Y).predict(plain))
    with pytest.raises(ValueError, match="could not convert string to float: 'Ada' in row 0 of column 2"):
        regressor(4).fit(rows, Y)


def test_infinity_where_no_layer_reads_an_array_does_no_harm_and_the_array_stays_as_it_is():
    rows = X.to_numpy().copy()
    rows[5, 1] = np.inf
    before = rows.copy()
    assert np.isfinite(regressor(Columns((0,)), 4).fit(rows, Y).predict(rows)).all()
    np.testing.assert_array_equal(rows, before)
    with pytest.raises(ValueError, match="Input X contains infinity") as caught:
        regressor(4).fit(rows, Y)
    assert "column 1 has it in row 5" in caught.value.__notes__[0]


def test_the_names_of_columns_have_to_be_those_of_fit_though_nobody_reads_them():
    model = regressor(*NUMBERS).fit(X.assign(name="?"), Y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.assign(nome="?"))


def test_an_autoencoder_reads_every_column():
    with pytest.raises(ValueError, match="column 'extra' has it in row 0"):
        ModNetTransformer((Columns(["age", "income"]), 2), max_iter=1).fit(X.assign(extra=np.nan))


@pytest.mark.parametrize("unit", ["datetime64[D]", "timedelta64[D]"])
def test_arrays_of_dates_and_durations_are_no_numbers(unit):
    with pytest.raises(TypeError, match=r"X holds (dates|durations), such as"):
        regressor(4).fit(np.zeros((N, 2), unit), Y)


def test_numbers_that_come_as_objects_decimals_or_text_are_numbers():
    for values in (np.array([1, 2] * 12, object), [decimal.Decimal(1), decimal.Decimal(2)] * 12, ["1", "2.0"] * 12):
        found = regressor(4).fit(X.assign(extra=values), Y).predict(X.assign(extra=values))
        plain = X.assign(extra=[1.0, 2.0] * 12)
        np.testing.assert_array_equal(found, regressor(4).fit(plain, Y).predict(plain))


# Another type than in fit


def test_a_column_that_held_numbers_and_holds_text_is_named_with_both():
    frame = X.assign(town=["Ulm", "Bonn"] * 12)
    model = regressor(*BRANCHES).fit(frame, Y)
    with pytest.raises(
        TypeError, match=r"column 'age' held numbers in fit, and holds text here, such as 'old' in row 0"
    ):
        model.predict(frame.assign(age="old"))
    with pytest.raises(TypeError, match=r"column 'town' held text in fit, and holds numbers here, such as 3 in row 0"):
        model.partial_fit(frame.assign(town=3), Y)
    with pytest.raises(TypeError, match=r"column 'town' held text in fit, and holds numbers and text here"):
        model.predict(frame.assign(town=[1, "Ulm"] * 12))


def test_truth_values_are_numbers_and_a_column_without_values_is_of_any_type():
    frame = X.assign(town=["Ulm", "Bonn"] * 12, owner=[True, False] * 12)
    layers = Parallel([Sequential([Columns(["town"]), Embedding(2)]), Columns(["owner", "age"])])
    model = regressor(layers, 4).fit(frame, Y)
    np.testing.assert_array_equal(model.predict(frame.assign(owner=frame.owner.astype(int))), model.predict(frame))
    np.testing.assert_array_equal(model.predict(frame.assign(town=np.nan)), model.predict(frame.assign(town="Rome")))


def test_codes_of_categories_are_for_no_layer_that_takes_numbers():
    layers = (Parallel([Sequential([Columns(["town"]), Embedding(2)]), Dense(2)]),)
    message = r"layers\[0\].branches\[1\] \(Dense\) takes numbers, and column 'town' holds categories"
    with pytest.raises(ShapeError, match=message):
        regressor(*layers).fit(X.assign(town="Ulm"), Y)


# Values that a layer refuses


def test_a_layer_that_refuses_a_value_names_the_column():
    frame = X.assign(code=[0.0] * 23 + [7])
    layers = (Parallel([Sequential([Columns(["code"]), Embedding(2, categories=3)]), Columns(["age"])]), 4)
    with pytest.raises(InputError, match=r"\(Embedding\): row 23: column 'code' holds 7, which is no code"):
        regressor(*layers).fit(frame, Y)
    frame = X.assign(code=0.0, age=[0.0] * 22 + [np.nan, 0])
    with pytest.raises(InputError, match=r"row 22: there is NaN, as in column 'age': impute it"):
        regressor(*layers).fit(frame, Y)


def test_the_row_is_the_users_though_rows_of_weight_zero_were_dropped():
    codes, weight = np.zeros((N, 1)), np.ones(N)
    codes[9], weight[[2, 3]] = 9, 0
    with pytest.raises(InputError, match="row 9: column 0 holds 9"):
        regressor(Embedding(2, categories=3)).fit(codes, Y, sample_weight=weight)


def test_the_row_is_the_users_where_others_have_missing_values():
    codes = np.zeros((N, 2))
    model = regressor(Embedding(2, categories=3)).fit(codes, Y)
    codes[9] = np.nan, 9
    with pytest.raises(InputError, match="row 9: column 1 holds 9"):
        model.predict(codes)


def test_validation_rows_are_looked_at_before_training():
    codes = np.zeros((N, 1))
    wrong = codes.copy()
    wrong[4] = 9
    with pytest.raises(InputError, match="row 4: column 0 holds 9"):
        regressor(Embedding(2, categories=3), max_iter=10**9).fit(codes, Y, X_val=wrong, y_val=Y)


def test_the_doctor_does_not_look_at_columns_that_nobody_reads():
    frame = X.assign(extra=np.nan, name="Ada")
    assert diagnose(regressor(*NUMBERS), frame, Y) == diagnose(
        regressor(*NUMBERS), X.assign(extra=X.age, name=X.age), Y
    )

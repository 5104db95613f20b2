"""Tables that cannot be learnt or predicted from: whatever holds them, the error names the column and is no bare one.

Where scikit-learn has words for it, they are the error's.
"""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modnet import ModNetRegressor
from modnet.layers import Columns, Embedding, Parallel, Sequential

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 24
RNG = np.random.default_rng(0)
AGE, INCOME, Y = RNG.normal(size=N), RNG.normal(size=N), RNG.normal(size=N)


def pandas_frame(columns: dict[str, Any]) -> Any:
    return pd.DataFrame(columns)


def polars_frame(columns: dict[str, Any]) -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame({name: list(values) for name, values in columns.items()}, strict=False)


def array(columns: dict[str, Any]) -> Any:
    held = [np.array(list(values), None if isinstance(values, np.ndarray) else object) for values in columns.values()]
    return np.column_stack(held)


def rows(columns: dict[str, Any]) -> Any:
    return [list(row) for row in zip(*columns.values(), strict=True)]


FRAMES = {"pandas": pandas_frame, "polars": polars_frame}
HOLDERS = {**FRAMES, "array": array, "list": rows}
every_holder = pytest.mark.parametrize("held", HOLDERS.values(), ids=HOLDERS)
every_frame = pytest.mark.parametrize("held", FRAMES.values(), ids=FRAMES)
Held = Callable[[dict[str, Any]], Any]

BAD = {
    "inf": ([0.0] * 23 + [np.inf], "Input X contains infinity or a value too large for dtype", 23),
    "complex": ([1j] * N, "Complex data not supported", 0),
    "mixed": (["a", 1.0] * 12, "could not convert string to float: 'a'", 0),
    "dates": ([datetime.date(2020, 1, 1)] * N, "holds dates, such as", 0),
    "moments": ([datetime.datetime(2020, 1, 1)] * N, "holds dates, such as", 0),
    "durations": ([datetime.timedelta(days=1)] * N, "holds durations, such as", 0),
    "text": (["Ulm", "Bonn"] * 12, "could not convert string to float: 'Ulm'", 0),
}
bad_values = pytest.mark.parametrize(("values", "words", "row"), BAD.values(), ids=BAD)


def regressor(*layers: Any, **params: Any) -> ModNetRegressor:
    return ModNetRegressor(layers or (4,), max_iter=2, random_state=0, **params)


def reads_towns() -> ModNetRegressor:
    """A network with a branch for the column "town"."""
    towns = Sequential([Columns(["town"]), Embedding(units=2)])
    return regressor(Parallel([towns, Columns(["age"])]), 4)


def complaint(fails: Callable[[], Any]) -> str:
    """What the error says, notes included; it is one of the two that scikit-learn raises for bad data."""
    with pytest.raises((ValueError, TypeError)) as caught:
        fails()
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


@every_holder
@bad_values
def test_a_value_that_is_no_number_is_refused_with_its_column_and_row(held: Held, values, words: str, row: int):
    frame = held({"age": AGE, "extra": values})
    takes = values is BAD["text"][0] or (values is BAD["mixed"][0] and held is polars_frame)  # which makes text of both
    inputs = None if takes else "table"
    said = complaint(lambda: regressor(inputs=inputs).fit(frame, Y))
    assert words in said
    assert "'extra'" in said or "column 1" in said
    assert f"row {row}" in said


@every_holder
@bad_values
def test_so_it_is_in_what_is_predicted_from(held: Held, values, words: str, row: int):
    model = regressor().fit(held({"age": AGE, "extra": INCOME}), Y)
    said = complaint(lambda: model.predict(held({"age": AGE, "extra": values})))
    assert "'extra'" in said or "column 1" in said
    assert f"row {row}" in said


@every_frame
def test_a_column_that_turns_text_is_named_with_both_types(held: Held):
    model = regressor().fit(held({"age": AGE, "income": INCOME}), Y)
    said = complaint(lambda: model.predict(held({"age": AGE, "income": ["high"] * N})))
    assert "column 'income' held numbers in fit, and holds text here, such as 'high' in row 0" in said


def test_of_a_column_that_turns_mixed_the_value_is_named_that_does_not_belong_there():
    model = regressor().fit(pd.DataFrame({"age": AGE, "income": INCOME}), Y)
    said = complaint(lambda: model.predict(pd.DataFrame({"age": AGE, "income": [1.0, None, "high"] * 8})))
    assert "holds numbers and text here, such as 'high' in row 2" in said


@every_holder
def test_what_no_column_can_hold_is_refused_in_the_words_of_scikit_learn(held: Held):
    if held is polars_frame:
        pytest.skip("holds no dicts among numbers")
    model = regressor().fit(held({"age": AGE, "income": INCOME}), Y)
    said = complaint(lambda: model.predict(held({"age": AGE, "income": [{"a": 1}, *INCOME[1:]]})))
    assert "float() argument must be a string or a real number" in said
    assert "such as {'a': 1} in row 0" in said


@every_frame
def test_a_column_of_text_that_turns_numbers_is_named_with_both_types(held: Held):
    model = reads_towns().fit(held({"age": AGE, "town": ["1", "2", "x"] * 8}), Y)
    said = complaint(lambda: model.predict(held({"age": AGE, "town": [1, 2, 1] * 8})))
    assert "column 'town' held text in fit, and holds numbers here, such as 1 in row 0" in said


@every_frame
@pytest.mark.parametrize("change", ["order", "missing", "more", "renamed"])
def test_other_columns_than_in_fit_are_refused_in_the_words_of_scikit_learn(held: Held, change: str):
    columns = {"age": AGE, "income": INCOME, "height": AGE + INCOME}
    model = regressor().fit(held(columns), Y)
    other, words, name = {
        "order": (dict(reversed(columns.items())), "Feature names must be in the same order as they were in fit", ""),
        "missing": ({"age": AGE, "height": INCOME}, "Feature names seen at fit time, yet now missing", "income"),
        "more": ({**columns, "extra": AGE}, "Feature names unseen at fit time", "extra"),
        "renamed": ({"age": AGE, "Income": INCOME, "height": AGE}, "Feature names unseen at fit time", "Income"),
    }[change]
    said = complaint(lambda: model.predict(held(other)))
    assert "The feature names should match those that were passed during fit" in said
    assert words in said
    assert name in said


@pytest.mark.parametrize("held", [array, rows], ids=["array", "list"])
def test_another_number_of_columns_is_refused_in_the_words_of_scikit_learn(held: Held):
    model = regressor().fit(held({"age": AGE, "income": INCOME}), Y)
    said = complaint(lambda: model.predict(held({"age": AGE})))
    assert said == "X has 1 features, but ModNetRegressor is expecting 2 features as input."


@pytest.mark.parametrize("when", ["fit", "predict"])
@pytest.mark.parametrize("model", [regressor(), reads_towns()], ids=["numbers", "categories"])
def test_a_name_that_two_columns_have_is_told(model: ModNetRegressor, when: str):
    sound = pd.DataFrame({"age": AGE, "town": ["Ulm", "Bonn"] * 12 if len(model.layers) == 2 else INCOME})
    twice = pd.concat([sound, sound[["age"]]], axis=1)
    if when == "predict":
        model.fit(sound, Y)
    said = complaint(lambda: model.fit(twice, Y) if when == "fit" else model.predict(twice))
    assert said == "two columns of X have the name 'age': give each a name of its own"


@every_frame
def test_seven_categories_where_five_were_declared_are_told_with_the_column(held: Held):
    towns = [f"town {i % 7}" for i in range(N)]
    branch = Sequential([Columns(["town"]), Embedding(units=2, categories=5)])
    model = regressor(Parallel([branch, Columns(["age"])]), 4)
    said = complaint(lambda: model.fit(held({"age": AGE, "town": towns}), Y))
    assert "column 'town'" in said
    assert "5" in said


@pytest.mark.parametrize("held", [array, rows], ids=["array", "list"])
def test_a_code_beyond_those_that_were_declared_is_told_with_the_column(held: Held):
    model = regressor(Embedding(units=2, categories=5), 4)
    said = complaint(lambda: model.fit(held({"code": np.arange(N) % 7.0, "other": np.arange(N) % 3.0}), Y))
    assert "row 5: column 0 holds 5" in said


@every_holder
def test_a_table_without_rows_is_refused_in_words(held: Held):
    said = complaint(lambda: regressor().fit(held({"age": AGE[:0], "income": INCOME[:0]}), Y[:0]))
    assert "0 sample" in said or "0 feature" in said or "Expected 2D array" in said


def test_a_list_of_rows_of_several_lengths_is_told_with_the_row():
    said = complaint(lambda: regressor().fit([[1.0, 2.0], [1.0], [2.0, 3.0]], Y[:3]))
    assert said == "row 1 of X has 1 values, and row 0 has 2: rows are of one length"


@every_holder
def test_a_failure_leaves_a_fitted_model_as_it_was(held: Held):
    model = regressor().fit(held({"age": AGE, "income": INCOME}), Y)
    before = model.predict(held({"age": AGE, "income": INCOME}))
    complaint(lambda: model.fit(held({"age": AGE, "income": BAD["dates"][0]}), Y))
    np.testing.assert_array_equal(model.predict(held({"age": AGE, "income": INCOME})), before)

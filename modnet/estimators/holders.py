"""What holds a table, and what is in its columns: data frames through narwhals, arrays and lists by themselves.

What scikit-learn refuses is refused with the place where it is.
"""

import datetime
import numbers
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from scipy import sparse

from modnet.base import Array, Column

_WORDS: dict[str, tuple[type, ...]] = {
    "durations": (datetime.timedelta, np.timedelta64),  # which NumPy counts among the integers
    "truth values": (bool, np.bool_),
    "numbers": (numbers.Real, Decimal),
    "complex numbers": (numbers.Complex,),
    "text": (str,),
    "dates": (datetime.date, np.datetime64),
}
"""What messages call values of a type: the first word that fits."""


class Rows:
    """An array of objects, looked at column by column as a data frame is; a column is called by its position."""

    def __init__(self, values: Array) -> None:
        self.columns, self._values = [str(i) for i in range(values.shape[1])], values

    @classmethod
    def of(cls, X: Any, *, numbers: bool = False) -> "Rows | None":
        """Return X so if it is an array, or what becomes one; with `numbers` also if it holds numbers alone."""
        if sparse.issparse(X):
            return None
        try:
            values = np.asarray(X)
            if values.dtype.kind in "US" and not isinstance(X, np.ndarray):
                values = np.asarray(X, object)  # numbers beside text have become text
        except ValueError:
            return None  # rows of several lengths, which scikit-learn refuses
        return cls(values.astype(object)) if values.ndim == 2 and (numbers or values.dtype.kind in "OUS") else None

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, name: str) -> Any:
        return Objects(name, self._values[:, int(name)])


class Objects:
    """A column of such an array, as far as it has to be like a series."""

    dtype = nw.Object()

    def __init__(self, name: str, values: Array) -> None:
        self.name, self._values = name, values

    def __len__(self) -> int:
        return len(self._values)

    def to_numpy(self) -> Array:
        return self._values

    def to_list(self) -> list[Any]:
        values: list[Any] = self._values.tolist()
        return values

    def is_null(self) -> "Objects":
        gaps = [each is None or type(each).__name__ == "NAType" or each != each for each in self.to_list()]
        return Objects(self.name, np.array(gaps, bool))

    def drop_nulls(self) -> "Objects":
        return Objects(self.name, self._values[~self.is_null().to_numpy()])


# What is in a column


def title_of(name: str, named: bool) -> str:
    return f"column {name!r}" if named else f"column {name}"


def frame_of(X: Any) -> Any:
    """Return X as narwhals wraps it, if it is a data frame whose columns have names."""
    if isinstance(X, np.ndarray | list):  # to ask narwhals takes 0.1 ms
        return None
    try:
        frame = nw.from_native(X, eager_only=True, pass_through=True)
    except DuplicateError as error:
        name = next(name for name in X.columns if list(X.columns).count(name) > 1)
        raise ValueError(f"two columns of X have the name {name!r}: give each a name of its own") from error
    named = isinstance(frame, nw.DataFrame) and all(isinstance(name, str) for name in frame.columns)
    return frame if named else None


def plain(frame: Any) -> set[str]:
    """Return the columns of numbers as NumPy or polars has them.

    What is in them needs no look, which would take longer than to predict a hundred rows.
    """
    if frame.implementation.is_pandas_like():
        dtypes = frame.to_native().dtypes.items()
        return {name for name, dtype in dtypes if isinstance(dtype, np.dtype) and dtype.kind in "biuf"}
    return {name for name, dtype in frame.schema.items() if dtype.is_float() or dtype.is_integer()}


def column_of(series: Any, type_: str, categories: Sequence[Any] | None) -> Column:
    missing = bool(missing_in(series).any())
    if categories is not None:
        # Where all are missing there is still a code: nobody wants tables without rows.
        return Column(series.name, "category", max(1, len(categories)), missing)
    dtypes: dict[str, Any] = {"numbers": "number", "truth values": "bool"}
    return Column(series.name, dtypes.get(type_, "other"), missing=missing)


def categories_of(series: Any, type_: str) -> list[Any] | None:
    """Return the categories in a column: those that its dtype declares, in that order, or what is there, sorted."""
    found: list[Any] | None = declared(series)
    if found is not None or type_ != "text":
        return found
    return sorted(set(series.drop_nulls().to_list()))


def declared(series: Any) -> list[Any] | None:
    """Return the categories that a column's dtype declares; polars' Categorical declares none."""
    if series.dtype not in (nw.Categorical, nw.Enum):
        return None
    if series.implementation.is_pandas_like():
        native: list[Any] = series.to_native().cat.categories.tolist()  # narwhals has them as text only
        return native
    return list(series.dtype.categories) if series.dtype == nw.Enum else None


def missing_in(series: Any) -> Array:
    """Return where a column holds nothing, NaN included: shape (n,), bool."""
    found: Array = np.isnan(series.to_numpy()) if series.dtype.is_float() else series.is_null().to_numpy()
    return found.astype(bool)


def type_of(series: Any) -> str:
    """Return what is in a column, in words: "numbers", "text", "numbers and text"; "text" where nothing says it."""
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return "truth values" if series.dtype == nw.Boolean else "numbers"
    # What narwhals calls String may be a column of objects whose first hundred are text.
    values = declared(series)
    if values is None:
        values = [] if series.dtype.is_temporal() else series.to_list()
        if set(map(type, values)) != {str}:  # to drop what is missing takes longer than to look
            there = series.drop_nulls()
            values = (there.head(1) if series.dtype.is_temporal() else there).to_list()
    words = {word_for(each) for each in set(map(type, values))}
    return "numbers" if words == {"numbers", "truth values"} else " and ".join(sorted(words)) or "text"


def word_for(cls: type) -> str:
    return next((word for word, classes in _WORDS.items() if issubclass(cls, classes)), f"{cls.__name__} objects")


def parts_of(type_: str) -> set[str]:
    """Return the words of a type, to compare it by: truth values are numbers."""
    return set(type_.replace("truth values", "numbers").split(" and "))


# What cannot be read


def checked(X: Any, check: Callable[[Any], Any], unread: Callable[[int], Sequence[int]]) -> Any:
    """Return what a check of scikit-learn's makes of X; an error names the column and the row.

    Parameters
    ----------
    X : object
        A data frame of numbers, a sparse matrix or an array.
    check : callable
        What raises an error, in scikit-learn's words.
    unread : callable
        Returns, for a number of columns, the positions of those that no layer reads. In an array that is refused these
        are put to zero, and it is looked at again.
    """
    if isinstance(X, np.ndarray) and X.dtype.kind in "mM" and X.size:  # scikit-learn counts days, or nanoseconds
        raise refused("X", 0, X.ravel()[0])
    try:
        return check(X)
    except (TypeError, ValueError) as error:
        frame, values = frame_of(X), _values(X)
        if values is None:
            _explain_lengths(error, X)
            raise
        n = values.shape[1]
        idle = [i for i in unread(n) if i < n] if frame is None else []
        if idle:
            values[:, idle] = 0
            return checked(values, check, lambda n: ())
        _explain(error, values, None if frame is None else frame.columns)
        raise


def refused(title: str, row: int, value: Any) -> Exception:
    """Return the error for a value that is no number, in scikit-learn's words and with its place."""
    word = word_for(type(value))
    if word == "text":
        return ValueError(
            f"could not convert string to float: {str(value)!r} in row {row} of {title}: let a layer that takes "
            "categories read it, as Sequential([Columns([…]), Embedding(units=4)]) or OneHot() in a branch of Parallel "
            "does with a data frame's columns; or encode it, or leave the column out"
        )
    if word == "complex numbers":
        return ValueError(f"Complex data not supported: {title} holds {value!r} in row {row}")
    return TypeError(
        f"{title} holds {word}, such as {value!r} in row {row}: float() argument must be a string or a real number. "
        "Make numbers of it, as days since a first date are, or leave it out"
    )


def _values(X: Any) -> Array | None:
    """Return a copy of X, if it is an array or what becomes one with rows and columns."""
    try:
        values = np.array(X, X.dtype if isinstance(X, np.ndarray) and X.dtype.kind in "fc" else object)
    except ValueError:
        return None
    return values if values.ndim == 2 else None


def _explain(error: Exception, values: Array, names: Sequence[str] | None) -> None:
    """Raise from an error about values of X one that says where they are; nothing, if it is about something else.

    NaN and infinity in an array are scikit-learn's to speak of, to the letter; the place is a note below.
    """
    titles = (
        [f"column {i}" for i in range(values.shape[1])] if names is None else [f"column {each!r}" for each in names]
    )
    first, *rest = str(error).split("\n")
    if first.startswith("Input X contains"):
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32 if "float32" in first else np.float64)
        bad = np.argwhere(np.isnan(numbers) if "NaN" in first else np.isinf(numbers))
        row, column = bad[0].tolist()
        found = f"{titles[column]} has it in row {row}: replace it, or leave the column out"
        if names is not None:
            raise type(error)("\n".join([first, found, *rest])) from error
        error.add_note(found)
    elif isinstance(error, TypeError) or first.startswith(("could not convert", "Complex data", "setting an array")):
        columns = [(no_number(values[:, j].tolist()), j) for j in range(values.shape[1])]
        for place in sorted((row, j) for row, j in columns if row is not None):
            raise refused(titles[place[1]], place[0], values[place]) from error


def _explain_lengths(error: Exception, X: Any) -> None:
    """Raise from an error about a list one that names the first row whose length is another; nothing, if none is."""
    rows = isinstance(X, list | tuple) and all(isinstance(row, list | tuple) for row in X)
    lengths = [len(row) for row in X] if rows else []
    if len(set(lengths)) > 1:
        row = next(i for i, length in enumerate(lengths) if length != lengths[0])
        text = f"row {row} of X has {lengths[row]} values, and row 0 has {lengths[0]}: rows are of one length"
        raise ValueError(text) from error


def no_number(values: Sequence[Any]) -> int | None:
    """Return where the first is that becomes no number."""
    others = {cls for cls in set(map(type, values)) - {type(None)} if parts_of(word_for(cls)) != {"numbers"}}
    suspects = (row for row, value in enumerate(values) if type(value) in others) if others else ()
    return next((row for row in suspects if not (isinstance(values[row], str) and _reads_as_number(values[row]))), None)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""Tables: what is in the columns of X, which of them layers read, and how their rows become numbers.

X may be a data frame or, where `inputs` takes categories, an array or list that holds text. Categories become codes
0, 1, … where a layer takes codes: one that was not there in the first ``fit`` −1, a missing one NaN. A column that no
layer reads becomes zeros, whatever is in it.
"""

import datetime
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from modnet.base import Array, Column, Inputs, Shape, TableShape
from modnet.errors import ModNetError, ShapeError
from modnet.network.link import Link, placed
from modnet.spec import ModelSpec

_WORDS: dict[str, tuple[type, ...]] = {
    "durations": (datetime.timedelta, np.timedelta64),  # which NumPy counts among the integers
    "truth values": (bool, np.bool_),
    "numbers": (numbers.Real, Decimal),
    "complex numbers": (numbers.Complex,),
    "text": (str,),
    "dates": (datetime.date, np.datetime64),
}
"""What messages call values of a type: the first word that fits."""

_FEW = 4
"""Up to so many values a column of text is taken for categories, however few rows there are."""

_DTYPES: dict[str, Any] = {"text": str, "numbers": None, "truth values": None}
"""In which dtype an array of categories is made: None, as NumPy finds; others are objects."""


class Table:
    """What an estimator knows of the columns of X, from the first that it was given.

    Parameters
    ----------
    columns : sequence of Column
        All of them.
    categories : mapping of str to ndarray
        Of the columns that are read as codes: the categories in the order of their codes.
    types : mapping of str to str
        Of the columns that layers read: what is in them, "numbers", "text" and the like.
    named : bool
        Whether the columns have names; those of an array are called by their positions.

    Examples
    --------
    >>> import pandas
    >>> from modnet import ModelSpec
    >>> from modnet.layers import Columns, Embedding
    >>> X = pandas.DataFrame({"name": ["Ada", "Max"], "town": ["Ulm", "Bonn"]})
    >>> table = Table.of(X, ModelSpec(layers=[Columns(["town"]), Embedding(units=2)]))
    >>> table.columns[1]
    Column(name='town', dtype='category', categories=2, missing=False)
    >>> table.rows(pandas.DataFrame({"name": ["Eva", "Tom"], "town": ["Ulm", "Rome"]})).to_numpy().tolist()
    [[0.0, 1.0], [0.0, -1.0]]
    """

    def __init__(
        self,
        columns: Sequence[Column],
        categories: Mapping[str, Array],
        types: Mapping[str, str],
        named: bool = True,
    ) -> None:
        self.columns, self.categories, self.types, self.named = tuple(columns), dict(categories), dict(types), named
        self._as_numbers = {name for name, each in self.types.items() if "numbers" in _parts(each)} - set(categories)

    @classmethod
    def of(cls, X: Any, spec: ModelSpec, *, whole: bool = False) -> "Table | None":
        """Return the columns of X as the layers of a spec read them; None if X is an array of numbers.

        Parameters
        ----------
        X : object
        spec : ModelSpec
        whole : bool
            Whether all columns count as read, as by an autoencoder, which gives them back.

        Raises
        ------
        ShapeError
            If a layer does not fit, or takes for numbers what another takes for codes of categories; and for codes
            where `whole` is set, since they are no numbers to give back.
        ValueError
            If a column of text that `inputs` reads has another value in more than half of the rows.
        """
        frame = _frame(X)
        if frame is None and isinstance(spec.inputs, Inputs) and spec.inputs.takes_codes:
            frame = _Rows.of(X)
        if frame is None:
            return None
        named = not isinstance(frame, _Rows)
        types = {name: _type(frame[name]) for name in frame.columns}
        found = {name: _categories(frame[name], types[name]) for name in types}
        columns = [_column(frame[name], types[name], found[name]) for name in types]
        readers = _readers(spec, columns)
        codes = [name for name, each in found.items() if each is not None and _takes_codes(name, readers.get(name, []))]
        if whole and codes:
            raise ShapeError(f"column {codes[0]!r} holds categories; an autoencoder gives back numbers: leave it out")
        for name in codes:
            values, rows = len(found[name] or ()), len(frame[name])
            read = any(link.path.partition(".")[0] == "inputs" for link in readers[name])
            if read and values > max(rows / 2, _FEW) and _declared(frame[name]) is None:
                raise ValueError(
                    f"{_title(name, named)} holds text, with {values} different values in {rows} rows, and so names "
                    "rows rather than kinds of them: leave it out, or make numbers of it, or say that these are "
                    "categories (of a pandas column: astype('category'))"
                )
        return cls(
            columns,
            {name: np.array(found[name], _DTYPES.get(types[name], object)) for name in codes},
            {name: each for name, each in types.items() if name in readers or whole},
            named,
        )

    @classmethod
    def of_numbers(cls, X: Array, *, truth_values: bool = False) -> "Table":
        """Return the columns of an array of numbers."""
        dtype: Any = "bool" if truth_values else "number"
        missing = np.isnan(X).any(axis=0)
        return cls([Column(str(i), dtype, missing=bool(missing[i])) for i in range(X.shape[1])], {}, {}, named=False)

    def rows(self, X: Any) -> Any:
        """Return X with numbers in all columns; an array of numbers is returned as it is.

        Raises
        ------
        TypeError
            If a column that layers read holds something else than in `fit`, or dates and the like.
        ValueError
            If a column that layers read as numbers holds text.
        """
        frame = _frame(X)
        if frame is None:
            held = _Rows.of(X) if self.types else None
            return X if held is None else self._array(held)
        if not self.named:
            return self._array(frame) if self.types else X
        looked_at = set(frame.columns) - (_plain(frame) & self._as_numbers)
        names = [each.name for each in self.columns if each.name in looked_at]
        changed = {name: values for name in names if (values := self._numbers(frame[name], name)) is not None}
        if frame.implementation.is_pandas_like():
            return X.assign(**changed) if changed else X  # narwhals takes ten times as long
        series = [nw.new_series(name, values, backend=frame.implementation) for name, values in changed.items()]
        return frame.with_columns(*series).to_native() if series else X

    def _array(self, frame: Any) -> Array:
        """Return columns as an array of numbers, by position; zeros if there are more or fewer than in `fit`."""
        columns = frame.columns
        made = np.zeros((len(frame), len(columns)))
        if len(columns) == len(self.columns):  # else scikit-learn says it in its words
            for j, name in enumerate(columns):
                values = self._numbers(frame[name], self.columns[j].name)
                made[:, j] = frame[name].to_numpy() if values is None else values
        return made

    def unread(self) -> list[int]:
        """Return the positions of the columns that no layer reads."""
        if not self.types:
            return []
        return [i for i, column in enumerate(self.columns) if column.name not in self.types]

    def _numbers(self, series: Any, name: str) -> Array | None:
        """Return a column as numbers; None if they are there already."""
        if name not in self.types:
            return np.zeros(len(series))
        missing, found, before = _missing(series), _type(series), self.types[name]
        if not (_parts(found) <= _parts(before) or missing.all()):
            row = int(np.argmin(missing))
            raise TypeError(
                f"{_title(name, self.named)} held {before} in fit, and holds {found} here, such as "
                f"{series.to_list()[row]!r} in row {row}: give it the type that it had"
            )
        if name in self.categories:
            code_of = {category: float(code) for code, category in enumerate(self.categories[name].tolist())}
            codes = np.array([code_of.get(value, -1.0) for value in series.to_list()])
            codes[missing] = np.nan
            return codes
        as_they_are: Array = series.to_numpy()
        if as_they_are.dtype.kind in "biuf":
            return as_they_are if missing.any() else None  # a missing one may be no NaN yet
        values = [np.nan if gap else value for value, gap in zip(series.to_list(), missing, strict=True)]
        if (bad := _no_number(values)) is not None:
            title = _title(name, self.named) + (f" ({found})" if " and " in found else "")
            raise refused(title, bad, values[bad])
        return np.array(values, np.float64)


def unread(spec: ModelSpec, n_features: int) -> list[int]:
    """Return the positions of the columns, of an array, that no layer of a spec reads."""
    columns = [Column(str(i)) for i in range(n_features)]
    try:
        readers = _readers(spec, columns)
    except ModNetError:
        return []  # building the network says what is wrong
    return [i for i, column in enumerate(columns) if column.name not in readers]


class _Rows:
    """An array of objects, looked at column by column as a data frame is; a column is called by its position."""

    def __init__(self, values: Array) -> None:
        self.columns, self._values = [str(i) for i in range(values.shape[1])], values

    @classmethod
    def of(cls, X: Any) -> "_Rows | None":
        """Return X so if it is an array, or what becomes one, that does not hold numbers alone."""
        if sparse.issparse(X):
            return None
        try:
            values = np.asarray(X)
            if values.dtype.kind in "US" and not isinstance(X, np.ndarray):
                values = np.asarray(X, object)  # numbers beside text have become text
        except ValueError:
            return None  # rows of several lengths, which scikit-learn refuses
        return cls(values.astype(object)) if values.ndim == 2 and values.dtype.kind in "OUS" else None

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, name: str) -> Any:
        return _Objects(name, self._values[:, int(name)])


class _Objects:
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

    def is_null(self) -> "_Objects":
        gaps = [each is None or type(each).__name__ == "NAType" or each != each for each in self.to_list()]
        return _Objects(self.name, np.array(gaps, bool))

    def drop_nulls(self) -> "_Objects":
        return _Objects(self.name, self._values[~self.is_null().to_numpy()])


# What is in a column


def _title(name: str, named: bool) -> str:
    return f"column {name!r}" if named else f"column {name}"


def _frame(X: Any) -> Any:
    """Return X as narwhals wraps it, if it is a data frame whose columns have names."""
    if isinstance(X, np.ndarray | list):  # to ask narwhals takes 0.1 ms
        return None
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    named = isinstance(frame, nw.DataFrame) and all(isinstance(name, str) for name in frame.columns)
    return frame if named else None


def _plain(frame: Any) -> set[str]:
    """Return the columns of numbers as NumPy or polars has them.

    What is in them needs no look, which would take longer than to predict a hundred rows.
    """
    if frame.implementation.is_pandas_like():
        dtypes = frame.to_native().dtypes.items()
        return {name for name, dtype in dtypes if isinstance(dtype, np.dtype) and dtype.kind in "biuf"}
    return {name for name, dtype in frame.schema.items() if dtype.is_float() or dtype.is_integer()}


def _column(series: Any, type_: str, categories: Sequence[Any] | None) -> Column:
    missing = bool(_missing(series).any())
    if categories is not None:
        # Where all are missing there is still a code: nobody wants tables without rows.
        return Column(series.name, "category", max(1, len(categories)), missing)
    dtypes: dict[str, Any] = {"numbers": "number", "truth values": "bool"}
    return Column(series.name, dtypes.get(type_, "other"), missing=missing)


def _categories(series: Any, type_: str) -> list[Any] | None:
    """Return the categories in a column: those that its dtype declares, in that order, or what is there, sorted."""
    declared: list[Any] | None = _declared(series)
    if declared is not None or type_ != "text":
        return declared
    return sorted(set(series.drop_nulls().to_list()))


def _declared(series: Any) -> list[Any] | None:
    """Return the categories that a column's dtype declares; polars' Categorical declares none."""
    if series.dtype not in (nw.Categorical, nw.Enum):
        return None
    if series.implementation.is_pandas_like():
        native: list[Any] = series.to_native().cat.categories.tolist()  # narwhals has them as text only
        return native
    return list(series.dtype.categories) if series.dtype == nw.Enum else None


def _missing(series: Any) -> Array:
    """Return where a column holds nothing, NaN included: shape (n,), bool."""
    found: Array = np.isnan(series.to_numpy()) if series.dtype.is_float() else series.is_null().to_numpy()
    return found.astype(bool)


def _type(series: Any) -> str:
    """Return what is in a column, in words: "numbers", "text", "numbers and text"; "text" where nothing says it."""
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return "truth values" if series.dtype == nw.Boolean else "numbers"
    # What narwhals calls String may be a column of objects whose first hundred are text.
    values = _declared(series)
    if values is None:
        values = [] if series.dtype.is_temporal() else series.to_list()
        if set(map(type, values)) != {str}:  # to drop what is missing takes longer than to look
            there = series.drop_nulls()
            values = (there.head(1) if series.dtype.is_temporal() else there).to_list()
    words = {_word(each) for each in set(map(type, values))}
    return "numbers" if words == {"numbers", "truth values"} else " and ".join(sorted(words)) or "text"


def _word(cls: type) -> str:
    return next((word for word, classes in _WORDS.items() if issubclass(cls, classes)), f"{cls.__name__} objects")


def _parts(type_: str) -> set[str]:
    """Return the words of a type, to compare it by: truth values are numbers."""
    return set(type_.replace("truth values", "numbers").split(" and "))


# Who reads a column


def _readers(spec: ModelSpec, columns: Sequence[Column]) -> dict[str, list[Link]]:
    """Return the links that read a column, by its name; those that only choose columns read none.

    The output, which is no link before the target is known, reads what comes to it.
    """
    shape = TableShape(columns)
    links, *_ = placed(spec.before_output(shape), shape)
    found: dict[str, list[Link]] = {name: [] for name in _names(links[-1].output_shape if links else shape)}
    for name, link in _reads(links):
        found.setdefault(name, []).append(link)
    return found


def _reads(links: Sequence[Link]) -> Iterator[tuple[str, Link]]:
    """Yield the names of columns, each with a link that reads it, as long as they have names."""
    for link in links:
        here, behind = _names(link.input_shape), _names(link.output_shape)
        for chain in link.chains:
            yield from _reads(chain)
            # What comes out at the end of a chain with a name goes into what the composite makes of it.
            yield from ((name, link) for name in _names(chain[-1].output_shape) - behind)
        chooses = isinstance(link.output_shape, TableShape) and behind < here
        if not (link.chains or chooses):
            yield from ((name, link) for name in here)


def _names(shape: Shape) -> set[str]:
    return set(shape.names) if isinstance(shape, TableShape) else set()


def _takes_codes(name: str, readers: Sequence[Link]) -> bool:
    """Return whether a column of categories is read as codes.

    Raises
    ------
    ShapeError
        If other links would take the codes for numbers.
    """
    by_code = [link for link in readers if link.module.takes_codes]
    as_numbers = [link for link in readers if not link.module.takes_codes and name not in _names(link.output_shape)]
    if by_code and as_numbers:
        raise ShapeError(
            f"{as_numbers[0].title} takes numbers, and column {name!r} holds categories, whose codes are for "
            f'{by_code[0].title}: put Columns, such as Columns(dtype="number"), in front of it'
        )
    return bool(by_code)


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
        frame, values = _frame(X), _values(X)
        if values is None:
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
    word = _word(type(value))
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
        columns = [(_no_number(values[:, j].tolist()), j) for j in range(values.shape[1])]
        for place in sorted((row, j) for row, j in columns if row is not None):
            raise refused(titles[place[1]], place[0], values[place]) from error


def _no_number(values: Sequence[Any]) -> int | None:
    """Return where the first is that becomes no number."""
    others = {cls for cls in set(map(type, values)) - {type(None)} if _parts(_word(cls)) != {"numbers"}}
    suspects = (row for row, value in enumerate(values) if type(value) in others) if others else ()
    return next((row for row in suspects if not (isinstance(values[row], str) and _reads_as_number(values[row]))), None)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

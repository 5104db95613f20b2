"""Tables: what is in the columns of X, which of them layers read, and how their rows become numbers.

X may be a data frame or, where `inputs` takes categories, an array or list that holds text. Categories become codes
0, 1, … where a layer takes codes: one that was not there in the first ``fit`` −1, a missing one NaN. A column that no
layer reads becomes zeros, whatever is in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np

from modnet.base import Array, Column, Inputs, Shape, TableShape
from modnet.errors import ModNetError, ShapeError
from modnet.estimators.holders import (
    Rows,
    categories_of,
    column_of,
    declared,
    frame_of,
    missing_in,
    no_number,
    parts_of,
    plain,
    refused,
    title_of,
    type_of,
    word_for,
)
from modnet.network.link import Link, placed
from modnet.spec import ModelSpec

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
        self._as_numbers = {name for name, each in self.types.items() if "numbers" in parts_of(each)} - set(categories)

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
        frame = frame_of(X)
        if frame is None and isinstance(spec.inputs, Inputs) and spec.inputs.takes_codes:
            frame = Rows.of(X)
        if frame is None:
            return None
        named = not isinstance(frame, Rows)
        types = {name: type_of(frame[name]) for name in frame.columns}
        found = {name: categories_of(frame[name], types[name]) for name in types}
        columns = [column_of(frame[name], types[name], found[name]) for name in types]
        readers = _readers(spec, columns)
        codes = [name for name, each in found.items() if each is not None and _takes_codes(name, readers.get(name, []))]
        if whole and codes:
            text = "holds categories; an autoencoder gives back numbers: put OneHotEncoder in front, or leave it out"
            raise ShapeError(f"{title_of(codes[0], named)} {text}")
        for name in codes:
            values, rows = len(found[name] or ()), len(frame[name])
            read = any(link.path.partition(".")[0] == "inputs" for link in readers[name])
            if read and values > max(rows / 2, _FEW) and declared(frame[name]) is None:
                raise ValueError(
                    f"{title_of(name, named)} holds text, with {values} different values in {rows} rows, and so names "
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
        gaps = np.isnan(X.min(axis=0))  # NaN if one of them is, and no array as large as X
        columns = [Column(str(i), dtype, missing=bool(gap)) for i, gap in enumerate(gaps)]
        return cls(columns, {}, {}, named=False)

    def rows(self, X: Any) -> Any:
        """Return X with numbers in all columns; an array of numbers is returned as it is.

        Raises
        ------
        TypeError
            If a column that layers read holds something else than in `fit`, or dates and the like.
        ValueError
            If a column that layers read as numbers holds text.
        """
        frame = frame_of(X)
        if frame is None:
            held = Rows.of(X, numbers=bool(self.categories)) if self.types else None
            return X if held is None else self._array(held)
        if not self.named:
            return self._array(frame) if self.types else X
        looked_at = set(frame.columns) - (plain(frame) & self._as_numbers)
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
        missing, found, before = missing_in(series), type_of(series), self.types[name]
        if not (parts_of(found) <= parts_of(before) or missing.all()):
            values = series.to_list()
            row = next(
                i for i in np.flatnonzero(~missing) if not parts_of(word_for(type(values[i]))) <= parts_of(before)
            )
            if word_for(type(values[row])).endswith(" objects"):  # which no column holds, in fit neither
                raise refused(title_of(name, self.named), int(row), values[row])
            raise TypeError(
                f"{title_of(name, self.named)} held {before} in fit, and holds {found} here, such as {values[row]!r} "
                f"in row {row}: give it the type that it had"
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
        if (bad := no_number(values)) is not None:
            title = title_of(name, self.named) + (f" ({found})" if " and " in found else "")
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

"""The columns of X as the user has them: their names, what is in them, and the categories that become codes.

A network takes numbers. Where one of its layers takes codes, columns of categories are written as codes 0, 1, … on the
way in: a category that was not there in ``fit`` as −1, a missing one as NaN.
"""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.preprocessing import OrdinalEncoder

from modnet.base import Array, Column, ColumnType, Shape, TableShape

_CATEGORIES = (nw.Categorical, nw.Enum, nw.String, nw.Object)


class Table:
    """What is known of the columns of a data frame.

    Parameters
    ----------
    columns : sequence of Column
    encoders : mapping of str to OrdinalEncoder
        One per column of categories that is written as codes.

    Examples
    --------
    >>> import pandas
    >>> X = pandas.DataFrame({"age": [30.0, 40.0], "town": ["Ulm", "Bonn"]})
    >>> table = Table.of(X, encode=True)
    >>> table.shape.columns[1]
    Column(name='town', dtype='category')
    >>> table.numbers(pandas.DataFrame({"age": [50.0, 60.0], "town": ["Ulm", "Rome"]})).town.tolist()
    [1.0, -1.0]
    """

    def __init__(self, columns: Sequence[Column], encoders: dict[str, OrdinalEncoder]) -> None:
        self.columns = tuple(columns)
        self.encoders = encoders

    @property
    def shape(self) -> Shape:
        """The shape per row."""
        return TableShape(self.columns)

    @classmethod
    def of(cls, X: Any, *, encode: bool) -> "Table | None":
        """Return the columns of X; None if it is no data frame whose columns have names.

        Parameters
        ----------
        X : object
        encode : bool
            Whether columns of categories are to be written as codes.
        """
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        if not isinstance(frame, nw.DataFrame) or not all(isinstance(name, str) for name in frame.columns):
            return None
        columns = [Column(name, _kind(dtype)) for name, dtype in frame.schema.items()]
        chosen = [column.name for column in columns if encode and column.dtype == "category"]
        return cls(columns, {name: _encoder(frame[name]) for name in chosen})

    def numbers(self, X: Any) -> Any:
        """Return X with codes where it has categories; what is no data frame is returned as it is."""
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        if not isinstance(frame, nw.DataFrame):
            return X
        coded = [
            nw.new_series(name, encoder.transform(_objects(frame[name]))[:, 0], backend=frame.implementation)
            for name, encoder in self.encoders.items()
            if name in frame.columns
        ]
        return frame.with_columns(*coded).to_native() if coded else X


def _kind(dtype: Any) -> ColumnType:
    if dtype == nw.Boolean:
        return "bool"
    return "category" if any(dtype == each for each in _CATEGORIES) else "number"


def _objects(series: Any) -> Array:
    """Return a column as scikit-learn's encoder takes it: one column of objects, NaN where nothing is."""
    values = np.array(series.to_list(), object)
    values[series.is_null().to_numpy()] = np.nan
    return values[:, np.newaxis]


def _encoder(series: Any) -> OrdinalEncoder:
    """Return an encoder of the categories in a column, sorted; of an Enum all that it declares, in its order."""
    declared = [np.array([*series.dtype.categories, np.nan], object)] if series.dtype == nw.Enum else "auto"
    return encoder_of(declared, _objects(series))


def encoder_of(categories: Any, values: Array) -> OrdinalEncoder:
    """Return what writes categories as codes: −1 for one that it does not know, NaN for a missing one."""
    encoder = OrdinalEncoder(
        categories=categories, handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=np.nan
    )
    return encoder.fit(values.reshape(-1, 1))

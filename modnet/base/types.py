"""The types that every numeric file speaks of: arrays and shapes, and the shape of a table whose columns have names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

from numpy.typing import NDArray

Array = NDArray[Any]
"""An array of floats; its dtype is that of θ, float32 or float64, unless a docstring says otherwise."""

Shape = tuple[int, ...]
"""A shape per row: the batch axis is left out, the feature axis is the last."""

ColumnType = Literal["number", "category", "bool"]
"""What is in a column: numbers; codes of categories (or what becomes such codes); True and False."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its name and what is in it.

    Parameters
    ----------
    name : str
        What the user calls it, or its number as text.
    dtype : {"number", "category", "bool", "other"}
        "other": dates and whatever else no layer takes.
    categories : int
        How many categories there are, with codes 0, 1, …; 0: that is not known, or it is no column of categories.
    missing : bool
        Whether values are missing.
    """

    name: str
    dtype: ColumnType | Literal["other"] = "number"
    categories: int = 0
    missing: bool = False

    def __hash__(self) -> int:
        """Return that of the name: what is worked out for columns is remembered by them, and looked up per batch."""
        return hash(self.name)


class TableShape(tuple[int]):
    """The shape per row of a table, ``(n,)``, with its columns.

    It equals the plain tuple. A module that keeps its input's shape by returning it keeps the columns as well; one that
    returns fewer of them chooses columns, and hands them on as they are: what nobody behind it chooses, nobody reads.
    Behind any other the columns are no longer what the user called them, and the shape is a plain tuple again.

    Parameters
    ----------
    columns : iterable of Column
        From the first to the last.

    Examples
    --------
    >>> shape = TableShape([Column("age"), Column("town", "category")])
    >>> shape == (2,), shape.columns[1].name
    (True, 'town')
    """

    columns: tuple[Column, ...]

    def __new__(cls, columns: Iterable[Column]) -> Self:
        """Return the shape of rows with these columns."""
        columns = tuple(columns)
        shape = super().__new__(cls, (len(columns),))
        shape.columns = columns
        return shape

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def __getnewargs__(self) -> tuple[tuple[Column, ...]]:
        """Return what pickle and copy make it of."""
        return (self.columns,)


def column_title(shape: Shape, index: int) -> str:
    """Return what error messages call a column: by its name, if it has one.

    Parameters
    ----------
    shape : tuple of int
        Per row; a `TableShape` where the columns are known.
    index : int
        Which column, from 0.

    Returns
    -------
    str
        Such as ``"column 'age'"``.

    Examples
    --------
    >>> column_title((3,), 1), column_title(TableShape([Column("age")]), 0)
    ('column 1', "column 'age'")
    """
    name = shape.columns[index].name if isinstance(shape, TableShape) else str(index)
    return f"column {index}" if name == str(index) else f"column {name!r}"

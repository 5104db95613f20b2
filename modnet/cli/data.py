"""Data files, CSV and Parquet, read with whatever library for data frames is installed."""

import difflib
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import narwhals as nw
import numpy as np

from modnet.base import Array
from modnet.cli.shared import CommandError
from modnet.text import listed

LIBRARIES: dict[str, dict[str, Any]] = {
    "pandas": {"low_memory": False},
    "polars": {"infer_schema_length": None},
    "pyarrow": {},
}
"""What may read a file: the first that is installed does. With these settings all rows of a CSV, and not the first
thousands only, decide a column's type."""

_CSV, _TSV, _PARQUET = (".csv", ".csv.gz"), (".tsv", ".tsv.gz"), (".parquet", ".pq")


def read(path: Path) -> Any:
    """Return the data frame in a file, as narwhals wraps it.

    Raises
    ------
    CommandError
        If it is of another kind or cannot be understood, has no rows, or nothing that is installed can read it.
    OSError
        If it is not there.
    """
    name, missing = path.name.lower(), []
    if not name.endswith((*_CSV, *_TSV, *_PARQUET)):
        raise CommandError(f"{path}: the name of a data file ends in {', '.join([*_CSV, *_TSV, *_PARQUET])}")
    with open(path, "rb"):
        pass  # every library has an error of its own for a file that is not there
    for library, settings in LIBRARIES.items():
        try:
            backend = import_module(library)
            if name.endswith(_PARQUET):
                frame = nw.read_parquet(str(path), backend=backend)
            else:
                separator = "," if name.endswith(_CSV) else "\t"
                frame = nw.read_csv(str(path), backend=backend, separator=separator, **settings)
        except ImportError as error:
            missing.append(f"{library} ({str(error).partition(chr(10))[0]})")
            continue
        except Exception as error:  # each library has its own kinds
            raise CommandError(f"{path}: {library} cannot read it: {error}") from error
        if not len(frame):
            raise CommandError(f"{path}: there are no rows in it")
        return frame
    raise CommandError(
        f"{path}: nothing that is installed reads it; install one of {', '.join(LIBRARIES)} "
        f"(python -m pip install polars). Tried: {'; '.join(missing)}"
    )


def check_columns(frame: Any, wanted: Iterable[str], where: Path) -> None:
    """Check that a frame has columns.

    Raises
    ------
    CommandError
        If it has not; says which may be meant, and which there are.
    """
    missing = [name for name in wanted if name not in frame.columns]
    if not missing:
        return
    close = difflib.get_close_matches(missing[0], frame.columns, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    columns = "columns" if len(missing) > 1 else "column"
    wanted, there = (listed(map(repr, names), most=20) for names in (missing, frame.columns))
    raise CommandError(f"{where}: no {columns} {wanted}{hint} there are {there}")


def split(frame: Any, target: str, where: Path, without: Sequence[str] = ()) -> tuple[Any, Array]:
    """Return X, as narwhals wraps it, and y.

    Parameters
    ----------
    frame : narwhals.DataFrame
    target : str
        The column that is y.
    where : Path
        The file, for error messages.
    without : sequence of str
        Columns that are left out of X.

    Raises
    ------
    CommandError
        If there is no such column, no column is left for X, or a value of y is missing.
    """
    check_columns(frame, [target, *without], where)
    X = frame.drop(target, *without)
    if not X.columns:
        raise CommandError(f"{where}: there is no column but {target!r}, so nothing to predict it from")
    y = np.asarray(frame[target].to_numpy())
    missing = int(np.isnan(y).sum() if y.dtype.kind == "f" else frame[target].is_null().sum())
    if missing:
        raise CommandError(f"{where}: column {target!r} has no value in {missing} of {len(y)} rows; remove them first")
    return X, y


def kind(dtype: Any) -> Literal["number", "text", "other"]:
    """Return what a column of a dtype is to a model: numbers (and truth values), or text, or something else."""
    if dtype.is_numeric() or dtype == nw.Boolean:
        return "number"
    return "text" if any(dtype == each for each in (nw.String, nw.Categorical, nw.Enum, nw.Object)) else "other"

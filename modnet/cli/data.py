"""Data files: CSV, read as text that becomes what a model knows, or what is in it; and Parquet, which has types.

What is in a file does not depend on the libraries for data frames that are installed: one of them holds the columns.
"""

import csv
import difflib
import gzip
import io
import re
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Any, Literal

import narwhals as nw
import numpy as np

from modnet.base import Array
from modnet.cli.shared import CommandError
from modnet.text import counted, listed

LIBRARIES = ("pandas", "polars", "pyarrow")
"""What may hold the columns: the first that is installed does."""

GAPS = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "?"})
"""What stands for a missing number, in any case. In a column of text only an empty field is missing."""

_KINDS = {"numbers": "number", "truth values": "number", "text": "text"}
_TRUTH = {"true": True, "false": False}
_CSV, _TSV, _PARQUET = (".csv", ".csv.gz"), (".tsv", ".tsv.gz"), (".parquet", ".pq")
_SEPARATORS = ",;\t|"
_DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}([ T].*)?|\d{1,2}([-/.])\d{1,2}\3\d{4}([ T].*)?")


@dataclass(frozen=True)
class DataFile:
    """The rows of a file.

    Attributes
    ----------
    path : Path
    columns : mapping of str to sequence of str, or to narwhals.Series
        The fields of a CSV file, as they are written; the columns of a Parquet file.
    lines : sequence of int
        The line in which each row of a CSV file begins.
    decimal : str
        What stands in front of a number's fraction in a CSV file.
    library : module, optional
        What holds the columns of frames that are made of a CSV file.
    """

    path: Path
    columns: Mapping[str, Any]
    lines: Sequence[int] = ()
    decimal: str = "."
    library: Any = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def place(self, row: int) -> str:
        """Return where a row is, as people count: "row 3 (line 4)"."""
        return f"row {row + 1:,}" + (f" (line {self.lines[row]:,})" if self.lines else "")

    def error(self, name: str, problem: str, remedy: str) -> CommandError:
        """Return an error about a column."""
        return CommandError(f"{self.path}: column {name!r} {problem}: {remedy}")

    def check_columns(self, wanted: Iterable[str]) -> None:
        """Check that there are columns.

        Raises
        ------
        CommandError
            If one is missing; says which may be meant, and which there are.
        """
        absent = [name for name in wanted if name not in self.columns]
        if not absent:
            return
        close = difflib.get_close_matches(absent[0], self.columns, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ";"
        columns = "columns" if len(absent) > 1 else "column"
        wanted, there = (listed(map(repr, names), most=20) for names in (absent, self.columns))
        raise CommandError(f"{self.path}: no {columns} {wanted}{hint} there are {there}")

    def frame(self, names: Iterable[str], types: Mapping[str, str] | None = None, categories: Any = None) -> Any:
        """Return columns as a data frame, which narwhals wraps.

        Parameters
        ----------
        names : iterable of str
        types : mapping of str to str, optional
            What was in the columns in training, in the words of the estimators' `Table`. A column of a CSV file
            without a type is numbers, or truth values, if everything in it is, and text otherwise.
        categories : mapping of str to sequence, optional
            The categories of columns in training. A word for a missing number that is none of them is missing.

        Raises
        ------
        CommandError
            If a column does not hold what it held in training.
        """
        types, categories = types or {}, categories or {}
        if not self.lines:
            for name, series in ((name, self.columns[name]) for name in names if name in types):
                here, before = kind(series.dtype), _KINDS.get(types[name])
                if before not in (None, here) and not missing(series).all():
                    problem = f"was {types[name]} in training, and is {series.dtype} here"
                    raise self.error(name, problem, "give it the type that it had")
            return nw.from_dict({name: self.columns[name] for name in names})
        found = {name: self._typed(name, types.get(name), categories.get(name, ())) for name in names}
        return nw.from_dict(found, backend=self.library)

    def check_values(self, X: Any, names: Iterable[str], *, rows: Array, gaps: bool, remedy: str) -> None:
        """Check that numbers are finite, and that none is missing where no layer takes that.

        Parameters
        ----------
        X : narwhals.DataFrame
        names : iterable of str
            The columns to look at.
        rows : ndarray of int, shape (n,)
            Where the rows of X are in the file.
        gaps : bool
            Whether a layer takes missing values.
        remedy : str
            What else helps than to fill in, or replace, what is wrong: with ``{}`` for options that leave columns out.

        Raises
        ------
        CommandError
            If not; names the columns and the first row.
        """
        absent = {}
        for name in names:
            values = X[name].to_numpy() if X[name].dtype.is_float() else np.zeros(len(X))
            if np.isinf(values).any():
                row = int(rows[np.isinf(values).argmax()])
                problem = f"holds {self.columns[name][row]} in {self.place(row)}, which is no finite number"
                raise self.error(name, problem, "replace it" + remedy.format(f"--without {quote(name)}"))
            if not gaps and (gone := missing(X[name])).any():
                absent[name] = (
                    f"{name!r} ({gone.sum()} of {len(gone)} rows), first in {self.place(rows[gone.argmax()])}"
                )
        if absent:
            without = remedy.format(" ".join(f"--without {quote(name)}" for name in absent))
            shown = ", ".join(absent.values())
            raise CommandError(
                f"{self.path}: values are missing in {shown}, and no layer takes that: fill them in{without}"
            )

    def _typed(self, name: str, type_: str | None, categories: Iterable[Any]) -> Any:
        """Return a column of a CSV file as an array of numbers, or a list of truth values or of text."""
        fields: Sequence[str] = self.columns[name]
        if type_ == "text":
            gaps = {each for each in set(fields) if is_gap(each)}.difference(categories)
            return [None if each in gaps else each for each in fields]
        if (truth := truth_values(fields)) is not None:
            return truth
        found = self.numbers(fields)
        if not isinstance(found, int):
            return found
        if type_ in ("numbers", "truth values"):
            problem = f"was {type_} in training, and is text here, as {fields[found]!r} in {self.place(found)}"
            raise self.error(name, problem, "put it right, or leave the field empty where the value is not known")
        return [each or None for each in fields]

    def numbers(self, fields: Sequence[str]) -> Array | int:
        """Return fields as numbers, NaN where one is missing; or the position of the first that is none."""
        written = fields if self.decimal == "." else [each.replace(self.decimal, ".") for each in fields]
        try:
            if "_" not in "".join(written):  # which Python reads in numbers, and nobody writes
                return np.array(written, float)  # four times as fast
        except ValueError:
            pass
        found = np.empty(len(written))
        for row, each in enumerate(written):
            try:
                found[row] = np.nan if is_gap(each) else float(each.replace("_", "no number"))
            except ValueError:
                return row
        return found


def is_gap(field: str) -> bool:
    """Return whether a field says that there is no number in it."""
    return field.strip().lower() in GAPS


def truth_values(fields: Sequence[str]) -> list[bool | None] | None:
    """Return fields as truth values, None where one is missing; None if they are something else.

    Examples
    --------
    >>> truth_values(["true", "", "False"]), truth_values(["true", "maybe"]), truth_values(["", ""])
    ([True, None, False], None, None)
    """
    truth = []
    for each in fields:
        truth.append(_TRUTH.get(each.strip().lower()))
        if truth[-1] is None and not is_gap(each):
            return None
    return truth if set(truth) != {None} else None


def first_date(fields: Iterable[Any]) -> str | None:
    """Return the first of a column's texts if all are dates, as "2024-01-31" and "31.1.2024" are.

    Examples
    --------
    >>> first_date([None, "2024-01-31", "2024-02-29 12:00"]), first_date(["1/2/2024", "unknown"])
    ('2024-01-31', None)
    """
    there = [each for each in fields if each is not None]
    return there[0] if there and all(_DATE.fullmatch(each) for each in there) else None


def read(path: Path, *, separator: str | None = None, encoding: str = "utf-8") -> DataFile:
    """Return the rows of a file.

    Parameters
    ----------
    path : Path
    separator : str, optional
        What stands between the fields of a CSV file; None: what its first lines show. Behind a semicolon numbers may
        have a decimal comma.
    encoding : str

    Raises
    ------
    CommandError
        If it is of another kind or cannot be understood, has no rows, or nothing that is installed holds its columns.
    OSError
        If it is not there.
    """
    name = path.name.lower()
    if not name.endswith((*_CSV, *_TSV, *_PARQUET)):
        raise CommandError(f"{path}: the name of a data file ends in {', '.join([*_CSV, *_TSV, *_PARQUET])}")
    with open(path, "rb"):
        pass  # every library has an error of its own for a file that is not there
    if name.endswith(_PARQUET):
        frame = _by_library(path, lambda library: nw.read_parquet(str(path), backend=library))
        found = DataFile(path, {name: frame[name] for name in frame.columns})
    else:
        library, text = _by_library(path, lambda library: library), _decoded(path, encoding)
        separator = separator or ("\t" if name.endswith(_TSV) else _separator(text))
        found = DataFile(path, *_fields(path, text, separator), "," if separator == ";" else ".", library)
    if not len(found):
        raise CommandError(f"{path}: there are no rows in it")
    return found


def _by_library(path: Path, use: Callable[[Any], Any]) -> Any:
    """Return what the first library for data frames makes of a file, if it is installed with all that it needs."""
    missing = []
    for library in LIBRARIES:
        try:
            return use(import_module(library))
        except ImportError as error:
            missing.append(f"{library} ({str(error).partition(chr(10))[0]})")
        except Exception as error:  # each library has its own kinds
            raise CommandError(f"{path}: {library} cannot read it: {error}") from error
    raise CommandError(
        f"{path}: nothing that is installed reads it; install one of {', '.join(LIBRARIES)} "
        f"(python -m pip install polars). Tried: {'; '.join(missing)}"
    )


# Text


def _decoded(path: Path, encoding: str) -> str:
    """Return the text in a file, which may be compressed."""
    found = path.read_bytes()
    try:
        found = gzip.decompress(found) if path.suffix.lower() == ".gz" else found
        text = found.decode(encoding).removeprefix("\ufeff")  # the mark that Excel puts in front
    except UnicodeDecodeError as error:
        line = len(found[: error.start + 1].splitlines())
        other = "utf-16" if found[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
        raise CommandError(
            f"{path}: cannot read it: line {line:,} is not in {encoding}, byte {found[error.start]:#x}: name the "
            f"encoding that it is in, such as --encoding {other}"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CommandError(f"{path}: cannot read it: no .gz file, or not the whole of one ({error})") from error
    if "\0" in text:
        raise CommandError(f"{path}: cannot read it: there are zero bytes in it, as in UTF-16: try --encoding utf-16")
    return text


def _separator(text: str) -> str:
    """Return what makes the most columns, of what makes as many in each of the first lines if there is such a sign."""
    columns, stream = dict.fromkeys(_SEPARATORS, (False, 0)), io.StringIO(text, "")  # a copy: one for all signs
    for each in _SEPARATORS:
        stream.seek(0)
        try:
            widths = [len(row) for row in islice(csv.reader(stream, delimiter=each), 50) if row]
        except csv.Error:
            continue
        columns[each] = (len(set(widths)) == 1 and widths[0] > 1, max(widths[:1], default=0))
    return max(columns, key=lambda each: columns[each])


def _fields(path: Path, text: str, separator: str) -> tuple[dict[str, Sequence[str]], Sequence[int]]:
    """Return the fields of a CSV file by columns, and the line in which each row begins."""
    reader = csv.reader(io.StringIO(text, ""), delimiter=separator, strict=True)
    rows, lines, line = [], array("q"), 1
    try:
        names = next(reader, [])
        if not names:
            raise CommandError(f"{path}: cannot read it: its first line names no columns")
        line = reader.line_num + 1
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
                lines.append(line)
            elif row:  # a line that is empty is none
                where = f"row {len(rows) + 1:,} (line {line:,})"
                counts = f"{counted(len(row), 'field')}, and the first line names {counted(len(names), 'column')}"
                raise CommandError(
                    f"{path}: cannot read it: {where} has {counts}, separated by {separator!r}: put the row right, or "
                    "name what separates them with --separator"
                )
            line = reader.line_num + 1
    except csv.Error as error:
        where = f"row {len(rows) + 1:,} (line {line:,})"
        raise CommandError(f"{path}: cannot read it: {where}: {error}; is a quotation mark not closed?") from error
    names = [name or f"column {i}" for i, name in enumerate(names, 1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CommandError(f"{path}: there are {names.count(twice)} columns called {twice!r}: give each its own name")
    return dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True)), lines


# Columns


def missing(series: Any) -> Array:
    """Return where a column, which narwhals wraps, holds nothing, NaN included: shape (n,), bool."""
    found: Array = np.isnan(series.to_numpy()) if series.dtype.is_float() else series.is_null().to_numpy()
    return found.astype(bool)


def kind(dtype: Any) -> Literal["number", "text", "other"]:
    """Return what a column of a dtype is to a model: numbers (and truth values), or text, or something else."""
    if dtype.is_numeric() or dtype == nw.Boolean:
        return "number"
    return "text" if any(dtype == each for each in (nw.String, nw.Categorical, nw.Enum, nw.Object)) else "other"


def features(file: DataFile, target: str, without: Sequence[str] = ()) -> Any:
    """Return all columns but the target, and those that are left out, as narwhals wraps them.

    Raises
    ------
    CommandError
        If there is no such column, or no column is left.
    """
    file.check_columns([target, *without])
    names = [name for name in file.columns if name not in (target, *without)]
    if not names:
        raise CommandError(f"{file.path}: there is no column but {target!r}, so nothing to predict it from")
    return file.frame(names)

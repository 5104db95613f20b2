"""The column to predict: what is in it, which estimator learns it, and how it is written for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from modnet import ModelSpec
from modnet.base import Array, Loss, served
from modnet.cli.data import DataFile, first_date, is_gap, missing, truth_values
from modnet.cli.shared import CommandError, note
from modnet.entries import OWN
from modnet.estimators import NestedParameters
from modnet.registry import estimators
from modnet.text import counted

CLASSES = 20
"""How many different whole numbers are taken for classes."""


@dataclass(frozen=True)
class TargetColumn:
    """The values of a target.

    Attributes
    ----------
    file : DataFile
    name : str
    rows : ndarray of int, shape (n,)
        The rows of the file that have a value.
    numbers : ndarray, shape (n,), optional
        The values as numbers, or truth values, if they are.
    labels : ndarray, shape (n,)
        The values as classes: numbers where they are written as Python writes them, and otherwise the text that is in
        the file, as for "007" or 2⁶³.
    """

    file: DataFile
    name: str
    rows: Array
    numbers: Array | None
    labels: Array

    def for_model(self, model: Any) -> Array:
        """Return y as an estimator learns it, or as one that is fitted knows it.

        Raises
        ------
        CommandError
            If it needs numbers and there is something else.
        """
        known = getattr(model, "classes_", None)
        if is_classifier(model) and (known is None or isinstance(known, list)):
            return self.labels
        if known is not None and known.dtype.kind in "USO":
            return self.labels.astype(str).astype(object)
        if self.numbers is None:
            there = f"but {self.labels[0]!r} in {self.file.place(self.rows[0])}"
            if known is not None:
                problem = f"does not hold the model's classes, which are {known}, {there}"
                raise self.file.error(self.name, problem, "choose another column")
            problem = f"holds no numbers, as regression needs them, {there}"
            raise self.file.error(self.name, problem, "choose another column, --task or --estimator")
        return self.numbers


def target_column(file: DataFile, name: str, *, skip_missing: bool = False) -> TargetColumn:
    """Return the values of a target.

    Parameters
    ----------
    file : DataFile
    name : str
    skip_missing : bool
        Whether to leave out rows that have no value, or a word for a missing number.

    Raises
    ------
    CommandError
        If a value is missing or infinite, or there are dates.
    """
    file.check_columns([name])
    column = file.columns[name]
    values = np.array(column, object) if file.lines else np.asarray(column.to_numpy())
    numbers = _numbers(file, column) if file.lines else values if values.dtype.kind in "biuf" else None
    if not file.lines:
        gone = missing(column)
    elif numbers is None:
        gone = np.array([not each or (skip_missing and is_gap(each)) for each in column])
    else:
        gone = np.array([is_gap(each) for each in column])
    rows = np.flatnonzero(~gone)
    if not len(rows) or (gone.any() and not skip_missing):
        where = f"{gone.sum()} of {len(gone)} rows, the first of them {file.place(int(gone.argmax()))}"
        remedy = "--skip-missing leaves them out" if len(rows) else "choose another column"
        raise file.error(name, f"has no value in {where}", remedy)
    values, numbers = values[rows], None if numbers is None else numbers[rows]
    if numbers is None:
        _check_text(file, name, rows, values)
        return TargetColumn(file, name, rows, None, values)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise file.error(name, f"holds {values[row]} in {file.place(rows[row])}", "replace it, or leave the row out")
    return TargetColumn(file, name, rows, *(_as_written(numbers, values) if file.lines else (numbers, values)))


def _numbers(file: DataFile, fields: Sequence[str]) -> Array | None:
    """Return the fields of a column as truth values or numbers, if they are; anything where one is missing."""
    if (truth := truth_values(fields)) is not None:
        return np.array(truth, bool)
    found = file.numbers(fields)
    return None if isinstance(found, int) else found


def _check_text(file: DataFile, name: str, rows: Array, values: Array) -> None:
    """Refuse dates; say it where a word for a missing number is taken for a class."""
    if values.dtype.kind == "M" or (file.lines and first_date(values) is not None):
        remedy = "make numbers of them, as days since a first date are, or choose another column"
        raise file.error(name, f"holds dates, such as {values[0]} in {file.place(rows[0])}", remedy)
    for each in filter(is_gap, dict.fromkeys(values) if file.lines else ()):
        found = rows[values == each]
        where = f"{counted(len(found), 'row')}, the first of them {file.place(found[0])}"
        note(
            f"{file.path}: column {name!r} holds {each!r} in {where}, for a class; --skip-missing leaves such rows out"
        )


def _as_written(numbers: Array, values: Array) -> tuple[Array, Array]:
    """Return numbers of a CSV file, integers if they are, and labels: text where numbers are written otherwise."""
    if numbers.dtype.kind == "b" or (numbers != np.floor(numbers)).any():
        return numbers, numbers
    if (abs(numbers) < 2.0**53).all() and (numbers.astype(np.int64).astype(str) == values).all():
        return numbers.astype(np.int64), numbers.astype(np.int64)
    return numbers, numbers if (numbers.astype(str) == values).all() else values


def estimator_for(
    spec: ModelSpec | None, target: TargetColumn, task: str = "auto", name: str | None = None, **params: Any
) -> tuple[NestedParameters, str]:
    """Return an estimator that learns a target, and why it is for classes or for numbers.

    Parameters
    ----------
    spec : ModelSpec, optional
        None: the estimator's defaults.
    target : TargetColumn
    task : {"auto", "classification", "regression"}
        "auto": a loss that serves one of the two only decides. Otherwise text and truth values are classes, and so are
        whole numbers if at most 20 are different, and each comes twice on average.
    name : str, optional
        Of a registered estimator; default: modnet's own for the task.
    **params : object
        Parameters that no spec has, such as ``random_state``.

    Raises
    ------
    CommandError
        If the estimator is for another task, or for none.
    """
    why = f"--estimator {name}" if name else f"--task {task}"
    if task == "auto" and name is None:
        tasks = {each == "regression" for each in served(spec.loss)} if spec and isinstance(spec.loss, Loss) else set()
        task, why = _task_of(target)
        if len(tasks) == 1:
            task, why = "regression" if tasks.pop() else "classification", "as the loss of the spec needs them"
    own = f"{OWN}:regressor" if task == "regression" else f"{OWN}:classifier"
    cls: Any = estimators.get("estimator", name or own)
    model: NestedParameters = cls(**params) if spec is None else cls.from_spec(spec, **params)
    learns = "classification" if is_classifier(model) else "regression" if is_regressor(model) else "no target"
    if learns == "no target" or task not in ("auto", learns):
        raise CommandError(f"{name} is a {type(model).__name__}, for {learns}: choose an estimator for the task")
    return model, why


def _task_of(target: TargetColumn) -> tuple[str, str]:
    """Return what a target is likely to be for, and why."""
    numbers = target.numbers
    if numbers is None or numbers.dtype.kind == "b":
        return "classification", f"{'text' if numbers is None else 'truth values'}: classes"
    different = np.unique(target.labels)
    other = "; --task {} learns {}"
    if (numbers != np.floor(numbers)).any():
        return "regression", "numbers with fractions"
    if len(different) <= min(CLASSES, len(numbers) / 2):
        return "classification", f"{counted(len(different), 'whole number')}: classes" + other.format(
            "regression", "numbers"
        )
    return "regression", f"{counted(len(different), 'whole number')}: numbers" + other.format(
        "classification", "classes"
    )

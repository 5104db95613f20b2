"""Predict the rows of a CSV or Parquet file with a saved model.

Columns are found by their names, whatever their order; others are ignored. Predictions are printed as CSV, a line per
row in the order of the file.
"""

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modnet.base import Array
from modnet.cli import data, specs
from modnet.cli.output import CommandError, emit, note
from modnet.estimators import ModNetTransformer
from modnet.estimators.persistence import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that train or save() has written")
    data.add_data(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a .csv file")
    parser.add_argument("--proba", action="store_true", help="print the probability of each class, too")
    specs.add_allow(parser)


def run(args: argparse.Namespace) -> int:
    """Predict; return the exit status."""
    model = load(args.model, allow=args.allow)
    if isinstance(model, ModNetTransformer):
        raise CommandError(f"{args.model} holds a ModNetTransformer, which makes features and predicts nothing")
    X = _features(model, data.read(args.data), args)
    columns = _named("prediction", model.predict(X))
    if args.proba:
        columns.update(_probabilities(model, X, args.model))
    lines = _csv(columns)
    rows = len(next(iter(columns.values())))
    if args.out is None:
        emit(args, columns, lines)
    else:
        args.out.write_text(lines + "\n", encoding="utf-8")
        emit(args, {"file": str(args.out), "rows": rows, "columns": list(columns)}, f"{args.out}: {rows:,} predictions")
    return 0


def _features(model: Any, frame: Any, args: argparse.Namespace) -> Any:
    """Return the columns that the model was trained on."""
    if not hasattr(model, "feature_names_in_"):
        if len(frame.columns) != model.n_features_in_:
            raise CommandError(
                f"{args.data}: the model was trained on {model.n_features_in_} columns without names, and here are "
                f"{len(frame.columns)}"
            )
        return np.asarray(frame.to_numpy())
    names = list(model.feature_names_in_)
    data.check_columns(frame, names, args.data)
    if ignored := [name for name in frame.columns if name not in names]:
        note(f"ignored, for the model was not trained on them: {', '.join(ignored)}")
    for column in model.table_.columns if model.table_ else ():
        found = frame.schema[column.name]
        if data.kind(found) != "number" and column.dtype != "category":
            raise CommandError(f"{args.data}: column {column.name!r} was numbers in training, and is {found} here")
    return frame.select(names).to_native()


def _probabilities(model: Any, X: Any, where: Path) -> dict[str, Array]:
    try:
        found = model.predict_proba(X)
    except AttributeError as error:
        raise CommandError(f"{where}: {error.__cause__ or 'a regressor has no classes to be probable'}") from error
    if isinstance(found, list):
        return {
            f"probability_{index}_{label}": column
            for index, (part, classes) in enumerate(zip(found, model.classes_, strict=True))
            for label, column in zip(classes, part.T, strict=True)
        }
    return {f"probability_{label}": column for label, column in zip(model.classes_, found.T, strict=True)}


def _named(name: str, found: Array) -> dict[str, Array]:
    """Return the columns of an array by name."""
    if found.ndim == 1:
        return {name: found}
    return {f"{name}_{index}": column for index, column in enumerate(found.T)}


def _csv(columns: dict[str, Array]) -> str:
    """Return columns as CSV, every number with all the digits that its dtype has."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(_rows(list(columns.values())))
    return text.getvalue().rstrip("\n")


def _rows(columns: Sequence[Array]) -> Any:
    return zip(*(map(str, column) for column in columns), strict=True)

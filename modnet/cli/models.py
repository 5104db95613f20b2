"""The commands that train the model of a spec on a data file, and that predict with a saved model."""

import argparse
import csv
import io
import math
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from modnet import ModelSpec
from modnet.acceleration import CompileTimer, accelerator_name, installed_accelerator
from modnet.base import Array
from modnet.callbacks import ProgressLines
from modnet.cli import data
from modnet.cli.data import DataFile
from modnet.cli.shared import CommandError, add, emit, note
from modnet.cli.target import TargetColumn, estimator_for, target_column
from modnet.errors import InputError, ModNetError
from modnet.estimators import NestedParameters, TrainingCurveDisplay
from modnet.estimators.persistence import load, save
from modnet.estimators.preparation import modules_of, takes
from modnet.estimators.table import Table
from modnet.files import write_whole
from modnet.registry import registry
from modnet.text import facts, listed

PICTURES = (".png", ".svg", ".pdf")


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``train``."""
    add(parser, "spec", nargs="?", help="a .json or .toml file; without one the estimator's defaults")
    add(parser, "data", "--separator", "--encoding", "--skip-missing", "--allow", "--without", "--task", "--estimator")
    add(parser, "--target", required=True)
    add(parser, "--out", required=True, metavar="MODEL", help="where to save the model, a .npz file")
    parser.add_argument(
        "--held-out", type=_share, default=0.2, metavar="SHARE", help="share of rows to score on (default: 0.2)"
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, help="decides the first weights, and which rows are held out (default: 0)"
    )
    parser.add_argument(
        "--max-time", type=_seconds, metavar="SECONDS", help="of training; it stops after the epoch then"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help=f"draw the training curve: {', '.join(PICTURES)}")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"should be a number in [0, 1), got {text!r}")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"should be a number of seconds above 0, got {text!r}")
    return value


def _seed(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 10 and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"should be a whole number from 0 to 2³² − 1, got {text!r}")
    return int(text)


def train(args: argparse.Namespace) -> None:
    """Train a model on a CSV or Parquet file, and save it: that of a spec, or an estimator with its defaults.

    Columns other than the target are features: numbers, and text if a layer takes codes of categories. Some rows are
    held out, and the model is scored on them, which it has never seen. With --task auto the loss decides if it serves
    one of the two tasks only. Otherwise text and truth values are classes, and so are whole numbers if at most 20 are
    different and each comes twice on average.

    In a CSV file a column is numbers if everything in it is; NA, N/A, NaN, null, None, "?" and nothing are missing
    ones there. In a column of text only an empty field is missing, and NA is a word like any other.
    """
    _check_outputs(args)
    spec = None if args.spec is None else ModelSpec.load(args.spec, allow=args.allow)
    file = data.read(args.data, separator=args.separator, encoding=args.encoding)
    target = target_column(file, args.target, skip_missing=args.skip_missing)
    X = data.features(file, args.target, args.without)[target.rows]
    with registry.allowing(args.allow):
        model, why = estimator_for(spec, target, args.task, args.estimator, random_state=args.seed)
    if args.max_time is not None:
        model.set_params(max_time=args.max_time)
    y = target.for_model(model)
    _check_types(file, X, model, target.rows)
    rows, held_out = _held_out(args, target, y, classes=is_classifier(model))
    accelerator = installed_accelerator()
    timer = CompileTimer(accelerator)
    with _placed(file, target.rows[rows]):
        seconds = _fit(model, X[rows].to_native(), y[rows], args)
    compile_seconds = timer.seconds  # of the training, without predictions
    score = _score(model, X[held_out].to_native(), y[held_out], y[rows]) if len(held_out) else None
    save(model, args.out)
    if args.picture:
        _draw(model, args.picture)
    networks = model.networks
    classes = model.classes_ if is_classifier(model) else None
    found = {
        "data": str(args.data),
        "rows": len(rows),
        "features": list(model.feature_names_in_),
        "target": args.target,
        "task": "regression" if classes is None else "classification",
        "task_because": why,
        "classes": classes,
        "estimator": type(model).__name__,
        "loss": registry.name_of(type(networks[0].spec_.loss)),
        "parameters": sum(each.theta_.size for each in networks),
        "epochs": sum(each.n_iter_ for each in networks),
        "max_iter": sum(each.spec_.training.max_iter for each in networks),
        "timed_out": max((getattr(each, "timed_out_", 0) for each in networks), default=0) or None,
        "seconds": seconds,
        "accelerator": accelerator_name(accelerator),
        "compile_seconds": compile_seconds,
        "loss_curve": networks[0].loss_curve_,
        "held_out": score,
        "model": str(args.out),
        "bytes": args.out.stat().st_size,
        "picture": str(args.picture) if args.picture else None,
    }
    emit(args, found, _text(found))


# Before training


def _spare_inputs(written: Iterable[Path | None], read: Iterable[Path]) -> None:
    """Check that no file that is read would be written to."""
    for out in filter(None, written):
        for given in read:
            if out.exists() and given.exists() and out.samefile(given):
                raise CommandError(f"{out} is read by this command, and would be overwritten: choose another name")


def _check_outputs(args: argparse.Namespace) -> None:
    """Check what would otherwise fail after training."""
    _spare_inputs([args.out, args.picture], filter(None, [args.spec, args.data]))
    for path in filter(None, [args.out, args.picture]):
        if path.is_dir() or not path.parent.is_dir():
            raise CommandError(f"{path}: {'is a' if path.is_dir() else 'lies in no'} directory")
    if args.picture and args.picture.suffix.lower() not in PICTURES:
        raise CommandError(f"{args.picture}: the name of a picture ends in {', '.join(PICTURES)}")
    if args.picture and find_spec("matplotlib") is None:
        raise CommandError("--picture needs matplotlib: python -m pip install matplotlib")


def _check_types(file: DataFile, X: Any, model: NestedParameters, rows: Array) -> None:
    """Check that the layers of an estimator take what is in the columns that they read, and that no value is wrong."""
    spec = model.to_spec()
    try:
        table = Table.of(X.to_native(), spec)
    except (ModNetError, TypeError, ValueError) as error:
        raise CommandError(f"{file.path}: {error} (--without leaves a column out)") from error
    assert table is not None, "columns of a file have names"
    kinds = {name: data.kind(X.schema[name]) for name in table.types}
    for name, kind in kinds.items():
        values = X[name].to_list() if file.lines and kind == "text" else []
        date = data.first_date(values)
        if date is not None or kind == "other":
            where = f"dates, such as {date!r} in {file.place(rows[values.index(date)])}" if date else ""
            found = where or f"{X.schema[name]}, neither numbers nor text"
            remedy = "make numbers of it, as days since a first date are, or leave it out"
            raise file.error(name, f"holds {found}", f"{remedy}: --without {quote(name)}")
    texts = [name for name, kind in kinds.items() if kind == "text" and name not in table.categories]
    if texts:
        columns = f"column {texts[0]!r} holds" if len(texts) == 1 else f"columns {', '.join(map(repr, texts))} hold"
        fields = file.columns[texts[0]]
        first = file.numbers(fields) if file.lines else 0
        assert isinstance(first, int), "it is text, because there is something that is no number"
        raise CommandError(
            f"{file.path}: {columns} text, and no layer of the spec takes codes of it, such as {fields[first]!r} in "
            f"{file.place(first)}: add one that does, as embedding and one_hot, or leave out what is text: "
            f"{' '.join(f'--without {quote(name)}' for name in texts)}"
        )
    gaps = takes("missing", modules_of(model, fitted=False))
    file.check_values(X, kinds, rows=rows, gaps=gaps, remedy=", or use {}")


def _held_out(args: argparse.Namespace, target: TargetColumn, y: Array, *, classes: bool) -> tuple[Array, Array]:
    """Return which rows to train on, and which to score on; of each class the same share, but not its only row."""
    rows, alone = np.arange(len(y)), np.zeros(len(y), bool)
    if not args.held_out:
        return rows, rows[:0]
    if classes:
        labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        alone = counts[codes] == 1
        for row in np.flatnonzero(alone):
            where = target.file.place(target.rows[row])
            note(
                f"{target.file.path}: column {target.name!r} holds {str(y[row])!r} in {where} only: it is trained on, "
                "not held out; --held-out 0 trains on all rows"
            )
    others, strata = rows[~alone], y[~alone] if classes else None
    try:
        train, held_out = train_test_split(others, test_size=args.held_out, stratify=strata, random_state=args.seed)
    except ValueError as error:
        each = f", one of each of {len(labels)} classes among them" if classes else ""
        raise CommandError(
            f"{target.file.path}: too few rows, {len(others)}, to train on some and to hold {args.held_out} of them out"
            f"{each}: another --held-out, or --held-out 0 to train on all rows"
        ) from error
    return np.sort(np.concatenate([train, rows[alone]])) if alone.any() else train, held_out


@contextmanager
def _placed(file: DataFile, rows: Array) -> Iterator[None]:
    """Say where in a file the row is that a layer cannot take; `rows`: where the rows are that it was given."""
    try:
        yield
    except InputError as error:
        where = file.place(rows[error.row])
        raise CommandError(f"{file.path}: {where}: {error.link or 'X'}: {error.text}") from error


# Training


def _fit(model: Any, X: Any, y: Array, args: argparse.Namespace) -> float:
    """Train; return the seconds that it takes."""
    if not args.quiet:
        drawn = sys.stdout.isatty() and not args.json and find_spec("rich") is not None
        model.set_callbacks(ProgressBar() if drawn else ProgressLines())
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the text says so when max_iter or max_time was reached
        model.fit(X, y)
    return time.perf_counter() - started


def _score(model: Any, X: Any, y: Array, seen: Array) -> dict[str, float]:
    """Return how good predictions are on rows that were held out, and how good they are without looking at X."""
    if is_classifier(model):
        labels, counts = np.unique(seen, return_counts=True)
        most = float(np.mean(y == labels[counts.argmax()]))
        return {"rows": len(y), "accuracy": model.score(X, y), "accuracy_of_most_frequent": most}
    return {
        "rows": len(y),
        "r2": model.score(X, y),
        "mean_absolute_error": float(np.mean(abs(model.predict(X) - y))),
        "mean_absolute_error_of_mean": float(np.mean(abs(seen.mean() - y))),
    }


def _draw(model: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    with plt.rc_context():
        plt.switch_backend("agg")  # no window: there may be no screen
        figure: Any = TrainingCurveDisplay.from_estimator(model.networks[0]).figure_
        figure.savefig(path)
        plt.close(figure)


def _text(found: dict[str, Any]) -> str:
    """Return what came of a training, for people."""
    held_out, classes = found["held_out"], found["classes"]
    rows = f"{found['rows']:,} rows to train on" + (f", {held_out['rows']:,} held out" if held_out else "")
    task = found["task"] if classes is None else f"{len(classes)} classes: {listed(classes, most=10)}"
    limit = "max_time" if found["timed_out"] else "max_iter" if found["epochs"] == found["max_iter"] else None
    end = f"epochs, all that {limit} allows," if limit else "epochs"
    lines = [
        ("data", f"{found['data']}: {rows}"),
        ("features", listed(found["features"], most=10)),
        ("target", f"{found['target']}, {task} ({found['task_because']})"),
        ("model", f"{found['estimator']}, {found['parameters']:,} parameters, {found['loss']}"),
        ("training", f"{found['epochs']} {end} in {found['seconds']:.2f} s, loss {found['loss_curve'][-1]:.4g}"),
    ]
    if found["compile_seconds"] >= 0.05:
        waited = f"for {found['accelerator']} to compile; modnet doctor --warm-up does that ahead"
        lines.append(("", f"{found['compile_seconds']:.1f} s of it {waited}"))
    if held_out and classes is not None:
        most = f"(always the most frequent class: {held_out['accuracy_of_most_frequent']:.3f})"
        lines.append(("held out", f"accuracy {held_out['accuracy']:.3f} {most}"))
    elif held_out:
        mean = f"(always the mean: {held_out['mean_absolute_error_of_mean']:.4g})"
        error = held_out["mean_absolute_error"]
        lines.append(("held out", f"R² {held_out['r2']:.3f}, mean absolute error {error:.4g} {mean}"))
    lines.append(("saved", f"{found['model']}, {found['bytes'] / 1000:,.0f} kB"))
    if found["picture"]:
        lines.append(("picture", found["picture"]))
    return facts(lines, wrap=False)


# Prediction


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``predict``."""
    add(parser, "model", help="a file that train or save() has written")
    add(parser, "data", "--separator", "--encoding", "--allow")
    add(parser, "--out", help="write a .csv file")
    parser.add_argument("--proba", action="store_true", help="print the probability of each class, too")


def predict(args: argparse.Namespace) -> None:
    """Predict the rows of a CSV or Parquet file with a saved model.

    Columns are found by their names, whatever their order; others are ignored. What a column of a CSV file held in
    training, it is read as. Predictions are printed as CSV, a line per row in the order of the file.
    """
    _spare_inputs([args.out], [args.model, args.data])
    model = load(args.model, allow=args.allow)
    if not (is_classifier(model) or is_regressor(model)):
        raise CommandError(f"{args.model} holds a {type(model).__name__}, which makes features and predicts nothing")
    file = data.read(args.data, separator=args.separator, encoding=args.encoding)
    X = _features(model, file)
    with _placed(file, np.arange(len(file))):
        y = model.predict(X)
    columns = {"prediction": y} if y.ndim == 1 else {f"prediction_{i}": column for i, column in enumerate(y.T)}
    if args.proba:
        columns.update(_probabilities(model, X, args.model))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    # str: every number with all the digits that its dtype has.
    writer.writerows(zip(*(map(str, column) for column in columns.values()), strict=True))
    if args.out is None:
        emit(args, columns, text.getvalue().rstrip("\n"))
        return
    write_whole(args.out, lambda file: file.write(text.getvalue().encode()))
    written = {"file": str(args.out), "rows": len(y), "columns": list(columns)}
    emit(args, written, f"{args.out}: {len(y):,} predictions")


def _features(model: Any, file: DataFile) -> Any:
    """Return the columns that the model was trained on, with the types that they had."""
    named = hasattr(model, "feature_names_in_")
    if not named and len(file.columns) != model.n_features_in_:
        found = (
            f"the model was trained on {model.n_features_in_} columns without names, and here are {len(file.columns)}"
        )
        raise CommandError(f"{file.path}: {found}")
    names = list(model.feature_names_in_ if named else file.columns)
    file.check_columns(names)
    if ignored := [name for name in file.columns if name not in names]:
        note(f"ignored, because the model was not trained on them: {', '.join(ignored)}")
    (network, *_) = model.networks
    table = network.table_
    types = {} if table is None else table.types
    X = file.frame(names, types, {} if table is None else table.categories)
    gaps = takes("missing", modules_of(network, fitted=True))
    read = names if table is None else types
    file.check_values(X, read, rows=np.arange(len(file)), gaps=gaps, remedy="")
    return X.to_native() if named else np.asarray(X.to_numpy())


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

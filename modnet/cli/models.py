"""The commands that train the model of a spec on a data file, and that predict with a saved model."""

import argparse
import csv
import io
import sys
import time
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from modnet import ModelSpec
from modnet.acceleration import CompileTimer, accelerator_name, installed_accelerator
from modnet.base import Array, Inputs, Loss, Module, served
from modnet.callbacks import EpochCallback
from modnet.cli import data
from modnet.cli.shared import CommandError, add, emit, note
from modnet.entries import OWN
from modnet.estimators import BaseModNet, TrainingCurveDisplay
from modnet.estimators.persistence import load, save
from modnet.estimators.table import Table
from modnet.files import write_whole
from modnet.registry import estimators, registry
from modnet.text import facts, listed

CLASSES = 20
"""How many different whole numbers are taken for classes."""

PICTURES = (".png", ".svg", ".pdf")


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``train``."""
    add(parser, "spec", "--allow", "data", "--without", "--task", "--estimator")
    add(parser, "--target", required=True)
    add(parser, "--out", required=True, metavar="MODEL", help="where to save the model, a .npz file")
    parser.add_argument(
        "--held-out", type=_share, default=0.2, metavar="SHARE", help="share of rows to score on (default: 0.2)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides the first weights, and which rows are held out (default: 0)"
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


def train(args: argparse.Namespace) -> None:
    """Train the model of a spec on a CSV or Parquet file, and save it.

    Columns other than the target are features: numbers, and text if a layer of the spec takes codes of categories. Some
    rows are held out, and the model is scored on them, which it has never seen. With --task auto the loss decides if it
    serves one of the two tasks only; otherwise text, truth values and whole numbers of at most 20 different values are
    classes.
    """
    _check_outputs(args)
    spec = ModelSpec.load(args.spec, allow=args.allow)
    X, y = data.split(data.read(args.data), args.target, args.data, args.without)
    _check_features(X, spec, args.data)
    with registry.allowing(args.allow):
        model = estimator_for(spec, y, args.task, args.estimator, random_state=args.seed)
    rows, held_out = np.arange(len(y)), np.arange(0)
    if args.held_out:
        strata = y if is_classifier(model) else None
        rows, held_out = train_test_split(rows, test_size=args.held_out, stratify=strata, random_state=args.seed)
    accelerator = installed_accelerator()
    timer = CompileTimer(accelerator)
    seconds = _fit(model, X[rows].to_native(), y[rows], args)
    compile_seconds = timer.seconds  # of the training, without predictions
    score = _score(model, X[held_out].to_native(), y[held_out], y[rows]) if len(held_out) else None
    save(model, args.out)
    if args.picture:
        _draw(model, args.picture)
    classes = model.classes_ if is_classifier(model) else None
    found = {
        "data": str(args.data),
        "rows": len(rows),
        "features": list(model.feature_names_in_),
        "target": args.target,
        "task": "regression" if classes is None else "classification",
        "classes": classes,
        "estimator": type(model).__name__,
        "loss": registry.name_of(type(model.spec_.loss)),
        "parameters": model.theta_.size,
        "epochs": model.n_iter_,
        "max_iter": spec.training.max_iter,
        "seconds": seconds,
        "accelerator": accelerator_name(accelerator),
        "compile_seconds": compile_seconds,
        "loss_curve": model.loss_curve_,
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
    _spare_inputs([args.out, args.picture], [args.spec, args.data])
    for path in filter(None, [args.out, args.picture]):
        if path.is_dir() or not path.parent.is_dir():
            raise CommandError(f"{path}: {'is a' if path.is_dir() else 'lies in no'} directory")
    if args.picture and args.picture.suffix.lower() not in PICTURES:
        raise CommandError(f"{args.picture}: the name of a picture ends in {', '.join(PICTURES)}")
    if args.picture and find_spec("matplotlib") is None:
        raise CommandError("--picture needs matplotlib: python -m pip install matplotlib")


def _check_features(X: Any, spec: ModelSpec, where: Path) -> None:
    """Check that the layers take what is in the columns that they read."""
    layers = [each for _, each in spec.modules() if isinstance(each, Module | Inputs)]
    table = Table.of(X.to_native(), spec)
    assert table is not None, "columns of a file have names"
    kinds = {name: data.kind(X.schema[name]) for name in table.types}
    for name in (name for name, kind in kinds.items() if kind == "other"):
        found = f"{X.schema[name]}, neither numbers nor text"
        raise CommandError(f"{where}: column {name!r} holds {found}: --without {name} leaves it out")
    texts = [name for name, kind in kinds.items() if kind == "text" and name not in table.categories]
    if texts:
        columns = f"column {texts[0]!r} holds" if len(texts) == 1 else f"columns {', '.join(map(repr, texts))} hold"
        raise CommandError(
            f"{where}: {columns} text, and no layer of the spec takes codes of it, as embedding and one_hot "
            f"do; add one, or leave out what is text: {' '.join(f'--without {name}' for name in texts)}"
        )
    gaps = {name: count for name in kinds if (count := int(X[name].is_null().sum()))}
    if gaps and not any(layer.takes_missing for layer in layers):
        shown = ", ".join(f"{name!r} ({count} of {len(X)} rows)" for name, count in gaps.items())
        raise CommandError(
            f"{where}: values are missing in {shown}, and no layer of the spec takes that; fill them in or leave the "
            f"columns out: {' '.join(f'--without {name}' for name in gaps)}"
        )


def estimator_for(spec: ModelSpec, y: Array, task: str = "auto", name: str | None = None, **params: Any) -> BaseModNet:
    """Return an estimator with the parameters of a spec, and others, that learns y.

    Parameters
    ----------
    spec : ModelSpec
    y : ndarray, shape (n,)
    task : {"auto", "classification", "regression"}
        "auto": a loss that serves one of the two only decides; otherwise text, truth values and whole numbers of at
        most 20 different values are classes.
    name : str, optional
        Of a registered estimator; default: modnet's own for the task.
    **params : object
        Parameters that no spec has, such as ``random_state``.

    Raises
    ------
    CommandError
        If the estimator is for another task or for none, or y holds no numbers, and it is regression.

    Examples
    --------
    >>> type(estimator_for(ModelSpec(), np.array(["a", "b", "a"]))).__name__
    'ModNetClassifier'
    >>> type(estimator_for(ModelSpec(), np.arange(100))).__name__
    'ModNetRegressor'
    """
    if task == "auto" and name is None:
        tasks = {each == "regression" for each in served(spec.loss)} if isinstance(spec.loss, Loss) else set()
        few = len(np.unique(y)) <= CLASSES if y.dtype.kind in "iu" else y.dtype.kind != "f"
        task = "regression" if (tasks.pop() if len(tasks) == 1 else not few) else "classification"
    own = f"{OWN}:regressor" if task == "regression" else f"{OWN}:classifier"
    model: BaseModNet = estimators.get("estimator", name or own).from_spec(spec, **params)
    learns = "classification" if is_classifier(model) else "regression" if is_regressor(model) else "no target"
    if learns == "no target" or task not in ("auto", learns):
        raise CommandError(f"{name} is a {type(model).__name__}, for {learns}: choose an estimator for the task")
    if learns == "regression" and y.dtype.kind not in "biuf":
        raise CommandError("the target holds no numbers, as regression needs them")
    return model


# Training


class _Lines(EpochCallback):
    """A callback that prints the loss ten times in a training."""

    def __init__(self, epochs: int) -> None:
        self._epochs, self._every = epochs, max(1, epochs // 10)

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Print the epoch's loss."""
        epoch = context.task_id + 1
        if context.task_name == "epoch" and epoch % self._every == 0:
            note(f"epoch {epoch:{len(str(self._epochs))}d}/{self._epochs}  loss {estimator.loss_curve_[-1]:.6f}")


def _fit(model: Any, X: Any, y: Array, args: argparse.Namespace) -> float:
    """Train; return the seconds that it takes."""
    if not args.quiet:
        drawn = sys.stdout.isatty() and not args.json and find_spec("rich") is not None
        model.set_callbacks(ProgressBar() if drawn else _Lines(model.max_iter))
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the text says so when max_iter was reached
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
        figure: Any = TrainingCurveDisplay.from_estimator(model).figure_
        figure.savefig(path)
        plt.close(figure)


def _text(found: dict[str, Any]) -> str:
    """Return what came of a training, for people."""
    held_out, classes = found["held_out"], found["classes"]
    rows = f"{found['rows']:,} rows to train on" + (f", {held_out['rows']:,} held out" if held_out else "")
    task = found["task"] if classes is None else f"{len(classes)} classes: {listed(classes, most=10)}"
    end = "epochs, all that max_iter allows," if found["epochs"] == found["max_iter"] else "epochs"
    lines = [
        ("data", f"{found['data']}: {rows}"),
        ("features", listed(found["features"], most=10)),
        ("target", f"{found['target']}, {task}"),
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
    add(parser, "data", "--allow")
    add(parser, "--out", help="write a .csv file")
    parser.add_argument("--proba", action="store_true", help="print the probability of each class, too")


def predict(args: argparse.Namespace) -> None:
    """Predict the rows of a CSV or Parquet file with a saved model.

    Columns are found by their names, whatever their order; others are ignored. Predictions are printed as CSV, a line
    per row in the order of the file.
    """
    _spare_inputs([args.out], [args.model, args.data])
    model = load(args.model, allow=args.allow)
    if not (is_classifier(model) or is_regressor(model)):
        raise CommandError(f"{args.model} holds a {type(model).__name__}, which makes features and predicts nothing")
    X = _features(model, data.read(args.data), args)
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


def _features(model: Any, frame: Any, args: argparse.Namespace) -> Any:
    """Return the columns that the model was trained on."""
    if not hasattr(model, "feature_names_in_"):
        wanted, there = model.n_features_in_, len(frame.columns)
        if there != wanted:
            found = f"the model was trained on {wanted} columns without names, and here are {there}"
            raise CommandError(f"{args.data}: {found}")
        return np.asarray(frame.to_numpy())
    names = list(model.feature_names_in_)
    data.check_columns(frame, names, args.data)
    if ignored := [name for name in frame.columns if name not in names]:
        note(f"ignored, because the model was not trained on them: {', '.join(ignored)}")
    for name, held in model.table_.types.items() if model.table_ else ():
        found = frame.schema[name]
        if data.kind(found) != "number" and held in ("numbers", "truth values"):
            raise CommandError(f"{args.data}: column {name!r} was numbers in training, and is {found} here")
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

"""Train the model of a spec on a CSV or Parquet file, and save it.

Columns other than the target are features: numbers, and text if a layer of the spec takes codes of categories. Some
rows are held out, and the model is scored on them, which it has never seen. With --task auto the loss decides if it
serves one of the two tasks only; otherwise text, truth values and whole numbers of at most 20 different values are
classes.
"""

import argparse
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from modnet import ModelSpec
from modnet.acceleration import CompileTimer, accelerator_name, installed_accelerator
from modnet.base import Array
from modnet.callbacks import EpochCallback
from modnet.cli import arguments, data, tasks
from modnet.cli.output import CommandError, emit, note
from modnet.estimators import ModNetClassifier, TrainingCurveDisplay
from modnet.estimators.nested import modules
from modnet.estimators.persistence import save
from modnet.registry import registry
from modnet.text import facts, listed

PICTURES = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    arguments.add(parser, "spec", "--allow", "data", "--without", "--task")
    arguments.add(parser, "--target", required=True)
    parser.add_argument("--out", required=True, type=Path, metavar="MODEL", help="where to save the model, a .npz file")
    parser.add_argument(
        "--held-out", type=_share, default=0.2, metavar="SHARE", help="share of rows to score on (default: 0.2)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides the first weights, and which rows are held out (default: 0)"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help=f"draw the training curve: {', '.join(PICTURES)}")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(args: argparse.Namespace) -> int:
    """Train; return the exit status."""
    _check_outputs(args)
    spec = arguments.spec_of(args)
    frame = data.read(args.data)
    X, y = data.split(frame, args.target, args.data, args.without)
    _check_features(X, spec, args.data)
    model = tasks.estimator_for(spec, y, args.task, random_state=args.seed)
    classes = isinstance(model, ModNetClassifier)
    rows, held_out = _rows(y, args.held_out, args.seed, stratify=classes)
    accelerator = installed_accelerator()
    timer = CompileTimer(accelerator)
    seconds = _fit(model, _taken(X, rows), y[rows], args)
    compile_seconds = timer.seconds  # of the training, without predictions
    score = _score(model, _taken(X, held_out), y[held_out], y[rows]) if len(held_out) else None
    save(model, args.out)
    if args.picture:
        _draw(model, args.picture)
    found = {
        "data": str(args.data),
        "rows": len(rows),
        "features": list(model.feature_names_in_),
        "target": args.target,
        "task": "classification" if classes else "regression",
        "classes": model.classes_ if isinstance(model, ModNetClassifier) else None,
        "estimator": type(model).__name__,
        "loss": registry.name_of(type(model.spec_.loss)),
        "parameters": model.theta_.size,
        "epochs": model.n_iter_,
        "max_iter": spec.training.max_iter,
        "seconds": seconds,
        "accelerator": accelerator_name(accelerator),
        "compile_seconds": compile_seconds,
        "loss_curve": model.loss_curve_,
        "held_out": None if score is None else {"rows": len(held_out), **score},
        "model": str(args.out),
        "bytes": args.out.stat().st_size,
        "picture": str(args.picture) if args.picture else None,
    }
    emit(args, found, _text(found))
    return 0


# Before training


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"should be a number in [0, 1), got {text!r}")
    return value


def _check_outputs(args: argparse.Namespace) -> None:
    """Check what would otherwise fail after training."""
    for path in filter(None, [args.out, args.picture]):
        if path.is_dir() or not path.parent.is_dir():
            raise CommandError(f"{path}: {'is a' if path.is_dir() else 'lies in no'} directory")
    if args.picture and args.picture.suffix.lower() not in PICTURES:
        raise CommandError(f"{args.picture}: the name of a picture ends in {', '.join(PICTURES)}")
    if args.picture and find_spec("matplotlib") is None:
        raise CommandError("--picture needs matplotlib: python -m pip install matplotlib")


def _check_features(X: Any, spec: ModelSpec, where: Path) -> None:
    """Check that the layers take what is in the columns."""
    frame, layers = nw.from_native(X), [module for _, module in modules(spec.layers)]
    kinds = {name: data.kind(dtype) for name, dtype in frame.schema.items()}
    for name in (name for name, kind in kinds.items() if kind == "other"):
        found = f"{frame.schema[name]}, neither numbers nor text"
        raise CommandError(f"{where}: column {name!r} holds {found}: --without {name} leaves it out")
    texts = [name for name, kind in kinds.items() if kind == "text"]
    if texts and not any(layer.takes_codes for layer in layers):
        columns = f"column {texts[0]!r} holds" if len(texts) == 1 else f"columns {', '.join(map(repr, texts))} hold"
        raise CommandError(
            f"{where}: {columns} text, and no layer of the spec takes codes of categories, as "
            f"embedding and one_hot do; add one, or leave out what is text: "
            f"{' '.join(f'--without {name}' for name in texts)}"
        )
    gaps = {name: int(frame[name].is_null().sum()) for name in frame.columns}
    gaps = {name: count for name, count in gaps.items() if count}
    if gaps and not any(layer.takes_missing for layer in layers):
        shown = ", ".join(f"{name!r} ({count} of {len(frame)} rows)" for name, count in gaps.items())
        raise CommandError(
            f"{where}: values are missing in {shown}, and no layer of the spec takes that; fill them in or leave the "
            f"columns out: {' '.join(f'--without {name}' for name in gaps)}"
        )


def _rows(y: Array, share: float, seed: int, *, stratify: bool) -> tuple[Array, Array]:
    """Return the rows to train on and those to score on."""
    rows = np.arange(len(y))
    if not share:
        return rows, rows[:0]
    train, held_out = train_test_split(rows, test_size=share, stratify=y if stratify else None, random_state=seed)
    return train, held_out


def _taken(X: Any, rows: Array) -> Any:
    return nw.to_native(nw.from_native(X)[rows])


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
    if isinstance(model, ModNetClassifier):
        labels, counts = np.unique(seen, return_counts=True)
        return {
            "accuracy": model.score(X, y),
            "accuracy_of_most_frequent": float(np.mean(y == labels[counts.argmax()])),
        }
    return {
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


# For people


def _text(found: dict[str, Any]) -> str:
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

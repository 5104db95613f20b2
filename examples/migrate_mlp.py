"""Migrating an MLPClassifier
==========================

One import line, the same model, and then what that line makes possible::

    - from sklearn.neural_network import MLPClassifier
    + from modnet.neural_network import MLPClassifier

Trains both on handwritten digits of which the eights are rare, compares loss curves, predictions and time, and goes on
to the same network with class weights and dropout, which an `MLPClassifier` cannot have. Draws the curves and what
becomes of the eights::

    python migrate_mlp.py [directory for migrate_mlp.png, default: the current one]
"""

import json
import statistics
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import sklearn.neural_network
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split

import modnet.neural_network
from modnet import ModelSpec, ModNetClassifier

RARE = 8


def main() -> None:
    """Train both, compare, go on, draw."""
    X_train, X_test, y_train, y_test = digits_with_few_eights()
    theirs, ours = compare(X_train, y_train)
    same = np.array_equal(theirs.predict(X_test), ours.predict(X_test))
    print(f"same predictions on {len(X_test)} test rows: {same}\n")

    spec = ours.to_spec()
    print_spec(spec)

    try:
        sklearn.neural_network.MLPClassifier((128, 64), class_weight="balanced")
    except TypeError as error:
        print(f"\nscikit-learn's own does not go further:\n  {error}\n")
    weighted = ModNetClassifier.from_spec(spec, class_weight="balanced", random_state=0)
    first, second = spec.layers
    dropping = clone(weighted).set_params(layers=(first, {"type": "dropout", "rate": 0.5}, second))
    models = {
        "MLPClassifier, sklearn.neural_network": theirs,
        "MLPClassifier, modnet.neural_network": ours,
        'its spec and class_weight="balanced"': weighted.fit(X_train, y_train),
        "… and dropout between the layers": dropping.fit(X_train, y_train),
    }
    recalls = print_scores(models, X_test, y_test)

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(theirs, ours, recalls, directory / "migrate_mlp.png")


def digits_with_few_eights() -> list[np.ndarray]:
    """Return pixels in [0, 1] and digits, to train and to test; of the eights to train on, one in ten is left."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.5, stratify=y, random_state=0)
    kept = (y_train != RARE) | (np.random.default_rng(0).random(len(y_train)) < 0.1)
    return [X_train[kept], X_test, y_train[kept], y_test]


def train(neural_network: ModuleType, X: np.ndarray, y: np.ndarray) -> Any:
    """Train the MLPClassifier of one package or the other: all that differs is where it is imported from."""
    return neural_network.MLPClassifier((128, 64), max_iter=300, random_state=0).fit(X, y)


def compare(X: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """Train both, print how they differ, and return them."""
    seconds: dict[ModuleType, list[float]] = {sklearn.neural_network: [], modnet.neural_network: []}
    models = {}
    for _ in range(3):
        for package, taken in seconds.items():  # in turn: whatever else the machine does disturbs both
            start = time.perf_counter()
            models[package] = train(package, X, y)
            taken.append(time.perf_counter() - start)

    theirs, ours = models.values()
    curves = np.array([theirs.loss_curve_, ours.loss_curve_])
    print(f"epochs, both: {theirs.n_iter_}")
    print(f"largest relative difference of the losses: {np.max(np.abs(curves[1] / curves[0] - 1)):.1e}")
    before, after = map(statistics.median, seconds.values())
    print(f"median time to fit: scikit-learn {before:.2f} s, modnet {after:.2f} s, ratio {after / before:.2f}")
    return theirs, ours


def print_spec(spec: ModelSpec) -> None:
    """Print the network, the loss and the optimizer of a spec as JSON, without the initializers."""
    fields = json.loads(spec.to_json())
    print("to_spec() says in JSON what the model is, among other things:")
    for layer in fields["layers"]:
        show("layer", {name: value for name, value in layer.items() if "initializer" not in name})
    for name in ("loss", "optimizer"):
        show(name, fields[name])
    print(f"the JSON gives back the same spec: {ModelSpec.from_json(spec.to_json()) == spec}")


def show(name: str, value: dict[str, Any]) -> None:
    """Print a name and a JSON object in lines of at most 80 characters."""
    print(textwrap.fill(f"{name:9} {json.dumps(value)}", 80, initial_indent="  ", subsequent_indent=12 * " "))


def print_scores(models: dict[str, Any], X: np.ndarray, y: np.ndarray) -> list[float]:
    """Print how many digits each model reads, and how many of the rare ones, and return the latter."""
    recalls = [float(recall_score(y == RARE, model.predict(X) == RARE)) for model in models.values()]
    table = Table("model", title=f"{len(y)} test rows, {np.sum(y == RARE)} of them eights")
    for column in ("accuracy", "recall of eights"):
        table.add_column(column, justify="right")
    for (name, model), recall in zip(models.items(), recalls, strict=True):
        table.add_row(name, f"{model.score(X, y):.3f}", f"{recall:.3f}")
    Console().print(table)
    return recalls


def draw(theirs: Any, ours: Any, recalls: list[float], path: Path) -> None:
    """Draw both loss curves, one upon the other, and how many eights each model finds."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(theirs.loss_curve_, color="tab:orange", linewidth=6, alpha=0.5, label="scikit-learn")
    left.semilogy(ours.loss_curve_, color="tab:blue", label="modnet")
    left.set(title="The same training", xlabel="epoch", ylabel="loss")
    left.legend(frameon=False)
    names = ["scikit-learn", "modnet", "… class weights", "… and dropout"]
    bars = right.barh(names, recalls, color=["tab:orange", *3 * ["tab:blue"]], alpha=0.7)
    right.bar_label(bars, fmt="%.2f", padding=3)
    right.invert_yaxis()
    right.set(title="and then a better model", xlabel="recall of the rare eights", xlim=(0, 1.05))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    print(f"curves and recalls: {path}")


if __name__ == "__main__":
    main()

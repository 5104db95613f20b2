"""Imbalanced classes
==================

One row in twenty is of the class that matters, and a network may overlook it.

Trains the same network with ``class_weight=None`` and ``class_weight="balanced"``, with scikit-learn's progress bar,
prints what each finds of the rare class, and draws the precision and recall that each could have had::

    python imbalanced.py [directory for imbalanced.png, default: the current one]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.callback import ProgressBar
from sklearn.datasets import make_classification
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split

from modnet import ModNetClassifier

CLASSES = ("usual", "rare")
COLORS = (("tab:blue", "Blues"), ("tab:orange", "Oranges"))


def main() -> None:
    """Train both, report, draw."""
    X, y = make_classification(
        10_000, n_features=8, n_informative=4, weights=[0.95], class_sep=0.5, flip_y=0, random_state=1
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    models = {}
    for class_weight in (None, "balanced"):
        # What differs are the weights alone, so the rest is the textbook's: columns as they are, the best epoch kept.
        model = ModNetClassifier((64, 32), inputs=None, loss="cross_entropy", optimizer="adam", random_state=0)
        model.set_params(early_stopping=True, cooldown=0, max_iter=300, class_weight=class_weight)
        print(f"class_weight={class_weight}")
        # The bar counts to max_iter epochs, and is full as soon as early stopping ends the training.
        models[f"{class_weight}"] = model.set_callbacks(ProgressBar()).fit(X_train, y_train)

    print()
    print_scores(models, X_test, y_test)

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(models, X_test, y_test, directory / "imbalanced.png")


def print_scores(models: dict[str, ModNetClassifier], X: np.ndarray, y: np.ndarray) -> None:
    """Print how well each model does on rows that it has not seen."""
    table = Table(title=f"{len(y)} test rows, {np.mean(y):.1%} of them rare")
    table.add_column("class_weight")
    for column in models:
        table.add_column(column, justify="right")
    scores = {
        "accuracy": accuracy_score,
        "balanced accuracy": balanced_accuracy_score,
        "recall of the rare class": recall_score,
        "precision of the rare class": precision_score,
    }
    for name, score in scores.items():
        table.add_row(name, *(f"{score(y, model.predict(X)):.3f}" for model in models.values()))
    table.add_section()
    p = [model.predict_proba(X)[:, 1] for model in models.values()]
    # The order of the rows hardly changes, and the probabilities are no longer those of the data.
    table.add_row("average precision", *(f"{average_precision_score(y, each):.3f}" for each in p))
    table.add_row("mean probability of rare", *(f"{each.mean():.3f}" for each in p))
    Console().print(table)


def draw(models: dict[str, ModNetClassifier], X: np.ndarray, y: np.ndarray, path: Path) -> None:
    """Draw the precision and recall of every threshold, and how the rows are told apart at 0.5."""
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    panels = figure.subplot_mosaic([["curve", "None"], ["curve", "balanced"]], width_ratios=(1.9, 1))

    curve = panels["curve"]
    for (name, model), (color, colormap) in zip(models.items(), COLORS, strict=True):
        draw_curve(curve, name, model, X, y, color)
        ConfusionMatrixDisplay.from_estimator(
            model,
            X,
            y,
            display_labels=CLASSES,
            normalize="true",
            values_format=".1%",
            cmap=colormap,
            colorbar=False,
            im_kw={"vmin": 0, "vmax": 1},
            ax=panels[name],
        )
        panels[name].set_title(f"class_weight={name}", color=color)
        panels[name].set(xlabel="predicted", ylabel="true")
    curve.set(title="The rare class at every threshold (dots: 0.5)", xlabel="recall", ylabel="precision")
    curve.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="auto")
    curve.spines[["top", "right"]].set_visible(False)
    curve.grid(alpha=0.3)
    curve.legend(loc="lower left", frameon=False)
    figure.savefig(path, dpi=150)
    print(f"precision and recall: {path}")


def draw_curve(axes: Axes, name: str, model: ModNetClassifier, X: np.ndarray, y: np.ndarray, color: str) -> None:
    """Draw one model's curve, and the point on it where `predict` is."""
    label = f"class_weight={name}"
    PrecisionRecallDisplay.from_estimator(model, X, y, ax=axes, name=label, curve_kwargs={"color": color})
    predicted = model.predict(X)
    axes.plot(recall_score(y, predicted), precision_score(y, predicted), "o", color=color, markersize=9)


if __name__ == "__main__":
    main()

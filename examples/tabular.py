"""An ensemble for tables beside its peers
=======================================

The most accurate network on a table, scikit-learn's MLP, gradient boosting, and a stack of both.

Four tables that scikit-learn has or makes, with the same new rows for all, and defaults everywhere; scikit-learn's
MLP gets columns and numbers standardized. Prints errors, seconds, and what the ensemble knows of itself; draws the
errors::

    python tabular.py [directory for tabular.png, default: the current one]
"""

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from modnet_tabular import TabularClassifier, TabularRegressor
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_digits, make_friedman1, make_moons
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingClassifier,
    StackingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    """Fit all, print a table, look into one of the ensembles, draw."""
    print("error on new rows: 1 − accuracy, or RMSE / standard deviation (seconds)\n")
    names = ("MLP", "boosting", "stack of both", "modnet-tabular")
    print(f"{'':14s}" + "".join(f"{name:>16s}" for name in names))
    errors: dict[str, list[float]] = {}
    for title, X, y in tables():
        X, X_new, y, y_new = train_test_split(X, y, test_size=0.3, random_state=0)
        cells, models, errors[title] = [], peers(len(np.unique(y)) <= 10), []
        for model in models:
            started = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # scikit-learn's MLP on 200 epochs
                model.fit(X, y)
            errors[title].append(error(model, X_new, y_new))
            cells.append(f"{errors[title][-1]:.3f} ({time.perf_counter() - started:3.1f})")
        print(f"{title:14s}" + "".join(f"{cell:>16s}" for cell in cells))
        if title == "digits":
            told = models[-1], X_new, y_new
    show(*told)

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(names, errors, directory / "tabular.png")


def tables() -> list[tuple[str, Any, Any]]:
    """Return names, columns and targets."""
    return [
        ("breast cancer", *load_breast_cancer(return_X_y=True, as_frame=True)),
        ("digits", *load_digits(return_X_y=True)),
        ("two moons", *make_moons(1500, noise=0.25, random_state=0)),
        ("friedman1", *make_friedman1(1500, noise=1.0, random_state=0)),
    ]


def peers(classes: bool) -> list[Any]:
    """Return the four estimators, with defaults."""
    if classes:
        mlp = make_pipeline(StandardScaler(), MLPClassifier(random_state=0))
        boosting = HistGradientBoostingClassifier(random_state=0)
        stack = StackingClassifier([("mlp", mlp), ("boosting", boosting)])
        return [mlp, boosting, stack, TabularClassifier(random_state=0)]
    network = TransformedTargetRegressor(MLPRegressor(random_state=0), transformer=StandardScaler())
    mlp = make_pipeline(StandardScaler(), network)
    boosting = HistGradientBoostingRegressor(random_state=0)
    stack = StackingRegressor([("mlp", mlp), ("boosting", boosting)])
    return [mlp, boosting, stack, TabularRegressor(random_state=0)]


def error(model: Any, X: Any, y: Any) -> float:
    """Return the share of rows that are wrong, or √(1 − R²)."""
    found = 1 - float(model.score(X, y))
    return found if is_classifier(model) else float(np.sqrt(found))


def show(model: Any, X: Any, y: Any) -> None:
    """Print what an ensemble knows of itself, and that its probabilities can be believed."""
    epochs = ", ".join(str(member.n_iter_) for member in model.estimators_)
    seen = ~np.isnan(model.held_out_prediction_[:, 0])
    print(f"\ndigits: {len(model.estimators_)} members, of {epochs} epochs; temperature {model.temperature_:.2f}")
    print(f"rows of X that some member has held out: {seen.mean():.0%}")
    print(f"log-loss on new rows {log_loss(y, model.predict_proba(X)):.3f}")


def draw(names: list[str], errors: dict[str, list[float]], path: Path) -> None:
    """Draw the errors of each table in a panel of its own."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    colors = ["tab:orange", "tab:green", "tab:gray", "tab:blue"]
    for axes, (title, found) in zip(figure.subplots(1, len(errors), sharey=True), errors.items(), strict=True):
        axes.bar_label(axes.barh(names, found, color=colors, alpha=0.8), fmt="%.3f", padding=3)
        axes.set(title=title, xlim=(0, 1.3 * max(found)))
        axes.spines[["top", "right"]].set_visible(False)
    axes.invert_yaxis()  # of all
    figure.supxlabel("error on new rows")
    figure.savefig(path, dpi=150)
    print(f"errors: {path}")


if __name__ == "__main__":
    main()

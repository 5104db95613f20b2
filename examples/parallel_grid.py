"""A grid over architectures in two processes
==========================================

Some of its combinations cannot work.

Whole architectures are values of ``layers``; inside one, parameters have paths, by the name of a layer or for all that
have them. A network that cannot be built, or that diverges, gets the score nan, and the search goes on. Prints scores
and reasons, and draws the scores::

    python parallel_grid.py [directory for parallel_grid.png, default: the current one]
"""

import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, train_test_split

from modnet import ModNetRegressor
from modnet.errors import ModNetError
from modnet.layers import Dense, Parallel, Residual

GRID = [
    # Inside the architecture that the model has: a layer by its name, and a field of every layer that has it.
    {"layers__trunk__units": [16, 64], "layers__all__activation": ["relu", "tanh"]},
    # Other architectures: numbers of units, names, mappings and instances, mixed.
    {
        "layers": [
            (32, {"type": "dropout", "rate": 0.1}, 32),
            (32, Residual([Dense(32, activation="relu"), Dense(32)])),
            (Parallel([Dense(32, activation="relu"), Dense(32, activation="tanh")]), 16),
        ]
    },
    # Neither can work: a residual block puts out as many numbers as it takes in, and such steps diverge.
    {"layers": [(32, Residual([Dense(16)]))]},
    {"optimizer": ["sgd"], "optimizer__learning_rate": [100.0]},
]


def main() -> None:
    """Search, report, draw."""
    X, y = make_friedman1(900, noise=1.0, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

    layers = (Dense(32, activation="relu", name="trunk"), Dense(16, activation="relu", name="head"))
    model = ModNetRegressor(layers, random_state=0)
    search = GridSearchCV(model, GRID, cv=3, n_jobs=2)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FitFailedWarning)
        warnings.filterwarnings("ignore", "One or more of the test scores are non-finite", UserWarning)
        search.fit(X_train, y_train)

    print_results(search.cv_results_)
    for warning in caught:
        first, *_ = str(warning.message).strip().splitlines()
        print(f"\n{warning.category.__name__}: {first}")
    print_reasons(model, search.cv_results_, X_train, y_train)
    print(f"\nR² of the best on rows that the search has not seen: {search.score(X_test, y_test):.3f}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(search.cv_results_, directory / "parallel_grid.png")


def print_results(results: dict[str, Any]) -> None:
    """Print what the search found, the best first."""
    table = Table("parameters", title="Friedman's first problem, 3-fold cross-validation")
    for column in ("R²", "fit time", "rank"):
        table.add_column(column, justify="right", no_wrap=True)
    for i in results["rank_test_score"].argsort(kind="stable"):
        mean, std = results["mean_test_score"][i], results["std_test_score"][i]
        table.add_row(
            as_text(results["params"][i]),
            "nan" if np.isnan(mean) else f"{mean:.3f} ± {std:.3f}",
            f"{results['mean_fit_time'][i]:.2f} s",
            f"{results['rank_test_score'][i]}",
            end_section=True,
        )
    Console().print(table, markup=False)


def print_reasons(model: ModNetRegressor, results: dict[str, Any], X: np.ndarray, y: np.ndarray) -> None:
    """Fit what failed once more, alone, and print what it has to say."""
    for params, mean in zip(results["params"], results["mean_test_score"], strict=True):
        if np.isnan(mean):
            try:
                clone(model).set_params(**params).fit(X, y)
            except ModNetError as error:
                print(as_text(params))
                print(
                    textwrap.fill(f"{type(error).__name__}: {error}", 80, initial_indent="  ", subsequent_indent="  ")
                )


def as_text(params: dict[str, Any]) -> str:
    """Return parameters, one per line."""
    return "\n".join(f"{name} = {value}" for name, value in params.items())


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw the scores of all folds, the best combination on top, and which have none."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    order = results["rank_test_score"].argsort(kind="stable")
    for place, i in enumerate(order):
        folds = [results[f"split{fold}_test_score"][i] for fold in range(3)]
        axes.plot(folds, 3 * [place], "o", color="tab:blue", alpha=0.7, markersize=9)
        axes.plot(results["mean_test_score"][i], place, "|", color="black", markersize=24)
    for place in np.flatnonzero(np.isnan(results["mean_test_score"][order])):
        axes.annotate(
            "it failed, and the search went on", (0.02, place), xycoords=("axes fraction", "data"), va="center"
        )
    named = [textwrap.fill(", ".join(as_text(results["params"][i]).splitlines()), 58) for i in order]
    axes.set_yticks(range(len(order)), [name.replace("layers__", "").replace("optimizer__", "") for name in named])
    axes.set(title="R² of three folds, and their mean", ylim=(len(order) - 0.5, -0.5))
    axes.tick_params("y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=150)
    print(f"scores: {path}")


if __name__ == "__main__":
    main()

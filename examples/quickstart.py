"""Handwritten digits: a grid search
=================================

It goes over architectures, units and learning rates, as scikit-learn does it.

Prints the table of results, the held-out accuracy and the winner as JSON, and draws the winner's learning curve::

    python quickstart.py [directory for quickstart.png, default: the current one]
"""

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from modnet import ModelSpec, ModNetClassifier
from modnet.layers import Dense, Dropout, Residual


def main() -> None:
    """Search, report, draw."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    # No number of epochs has to be found: early stopping sees when to cool down. Pixels are numbers of one kind, so
    # inputs="standardize" will do; the default, for tables of any kind, makes more columns of them.
    model = ModNetClassifier(layers=(64,), inputs="standardize", random_state=0)
    grid = [
        # Inside one architecture: the width of its layer and the optimizer's learning rate.
        {"layers__0__units": [32, 128], "optimizer__learning_rate": [0.001, 0.01]},
        # Whole architectures: numbers of units, mappings, names and instances, mixed.
        {
            "layers": [
                (128, 64),
                (128, {"type": "dropout", "rate": 0.5}, 64),
                (Dense(64, activation="tanh"), Dropout(0.2)),
                (64, Residual([Dense(64, activation="relu"), "dropout", Dense(64)])),
            ]
        },
    ]
    search = GridSearchCV(model, grid, cv=3).fit(X_train, y_train)

    print_results(search.cv_results_)
    print(f"\nheld-out accuracy of the winner: {search.score(X_test, y_test):.3f}")

    winner = search.best_estimator_
    text = winner.to_spec().to_json()
    print_layers(text)
    print(f"the JSON gives back the same spec: {ModelSpec.from_json(text) == winner.to_spec()}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw_learning_curve(winner, directory / "quickstart.png")


def print_results(results: dict[str, Any]) -> None:
    """Print what a grid search found, the best first."""
    table = Table("parameters", title="Digits, 3-fold cross-validation")
    for column in ("accuracy", "fit time", "rank"):
        table.add_column(column, justify="right", no_wrap=True)
    for i in results["rank_test_score"].argsort(kind="stable"):
        table.add_row(
            "\n".join(f"{name} = {value}" for name, value in results["params"][i].items()),
            f"{results['mean_test_score'][i]:.3f} ± {results['std_test_score'][i]:.3f}",
            f"{results['mean_fit_time'][i]:.2f} s",
            f"{results['rank_test_score'][i]}",
            end_section=True,
        )
    Console().print(table, markup=False)


def print_layers(text: str) -> None:
    """Print the layers of a spec's JSON, one per line, without the initializers."""
    print("its layers as JSON:")
    for layer in json.loads(text)["layers"]:
        print(" ", json.dumps({name: value for name, value in layer.items() if "initializer" not in name}))


def draw_learning_curve(net: ModNetClassifier, path: Path) -> None:
    """Draw training and validation loss over epochs, and where the cool-down begins."""
    training, validation = net.loss_curve_, net.validation_loss_curve_
    scouting = range(1, net.cooldown_start_ + 1)
    best = min(scouting, key=lambda epoch: validation[epoch - 1])

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, net.n_iter_ + 1), training, color="tab:blue", label="training")
    axes.plot(scouting, validation[: len(scouting)], color="tab:orange", label="validation")
    axes.plot(best, validation[best - 1], "o", color="black", label=f"epoch {best}, the best of the scout")
    label = f"cool-down: from the weights of epoch {best}, on all rows"
    axes.axvspan(len(scouting) + 0.5, net.n_iter_ + 0.5, color="tab:blue", alpha=0.1, linewidth=0, label=label)
    axes.set(title="Digits: learning curve of the winner", xlabel="epoch", ylabel="cross-entropy of smoothed labels")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    print(f"learning curve: {path}")


if __name__ == "__main__":
    main()

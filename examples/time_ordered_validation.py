"""Early stopping on a time series
===============================

The validation set has to be the latest rows, and goes through a pipeline as X_val.

Eight readings a day share the day's weather, and what else happened on that day and nobody measured. Random validation
rows lie among training rows of the same day: their loss falls for as long as the network learns days by heart, and
promises what no later day keeps. Trains on five series both ways, prints promise and truth, and draws one series::

    python time_ordered_validation.py [directory for time_ordered_validation.png, default: the current one]
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from scipy.signal import lfilter
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetRegressor

DAYS, READINGS = 250, 8
VALIDATION = slice(160 * READINGS, 200 * READINGS)
TEST = slice(200 * READINGS, None)  # later than all that training, scaling and stopping see
N_SERIES, DRAWN = 5, 0


def main() -> None:
    """Train on each series both ways, report, draw."""
    # Metadata routing: X_val and y_val reach the network, which asks for them, and the pipeline transforms X_val.
    sklearn.set_config(enable_metadata_routing=True)

    fits = []
    for seed in range(N_SERIES):
        X, y = demand(np.random.default_rng(seed))
        fits.append((fit(X, y, in_order=False), fit(X, y, in_order=True)))
    print_losses(fits)

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(fits[DRAWN], directory / "time_ordered_validation.png")


# The data


def demand(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a demand and what explains it: the hour and the weather, to which it reacts more strongly day by day."""
    day, hour = np.divmod(np.arange(DAYS * READINGS), READINGS)
    phase = 2 * np.pi * hour / READINGS
    weather = np.column_stack([from_day_to_day(0.8, rng) for _ in range(5)])[day]
    unmeasured = from_day_to_day(0.5, rng)[day]

    temperature, wind = weather[:, 0], weather[:, 1]
    drift = 0.5 * (day / DAYS - 0.5)
    y = np.sin(phase) + 0.5 * np.cos(2 * phase)
    y += (0.7 + 0.35 * np.cos(phase) + drift) * temperature + 0.3 * wind
    y += 0.6 * unmeasured + rng.normal(0, 0.2, len(y))
    return np.column_stack([np.sin(phase), np.cos(phase), weather]), y


def from_day_to_day(memory: float, rng: np.random.Generator) -> np.ndarray:
    """Return a process of variance 1 whose every day is `memory` times the day before, and news."""
    return lfilter([np.sqrt(1 - memory**2)], [1, -memory], rng.normal(size=DAYS))


# Training


class Snapshots:
    """A callback in scikit-learn's protocol: keeps the network as it is after each epoch."""

    def __init__(self) -> None:
        self.networks: list[ModNetRegressor] = []

    def setup(self, estimator: Any, context: Any) -> None:
        """Forget the fit before."""
        self.networks.clear()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Wait for the end."""

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: ModNetRegressor) -> None:
        """Keep the network of an epoch."""
        if context.task_name == "epoch":
            self.networks.append(fitted_estimator)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Keep what there is."""


def fit(X: np.ndarray, y: np.ndarray, *, in_order: bool) -> dict[str, Any]:
    """Train on the days before the test, with early stopping; return the curves and what they come to."""
    snapshots = Snapshots()
    # Early stopping as in the textbook: the weights of the best epoch are kept, and losses are in the units of y.
    net = ModNetRegressor(
        layers=(64, 64),
        inputs=None,
        optimizer="adam",
        batch_size=100,
        early_stopping=True,
        cooldown=0,
        validation_fraction=0.2,
        scale_target=False,
        n_iter_no_change=20,
        max_iter=1000,
        random_state=0,
    )
    net.set_fit_request(X_val=True, y_val=True).set_callbacks(snapshots)
    model = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])

    if in_order:
        before = slice(VALIDATION.start)
        model.fit(X[before], y[before], X_val=X[VALIDATION], y_val=y[VALIDATION])
    else:
        before = slice(VALIDATION.stop)
        model.fit(X[before], y[before])  # early stopping sets a random fifth of the rows aside by itself

    # No training may look at the test rows. The snapshots tell afterwards what it would have seen.
    X_test = model["scale"].transform(X[TEST])
    return {
        "training": net.loss_curve_,
        "validation": net.validation_loss_curve_,
        "test": [loss(y[TEST], each.predict(X_test)) for each in snapshots.networks],
        "kept": int(np.argmin(net.validation_loss_curve_)),
        "test of the model": loss(y[TEST], model.predict(X[TEST])),
    }


def loss(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the loss that the network trains on."""
    return float(np.mean((predicted - y) ** 2) / 2)


# The report


def print_losses(fits: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Print what each validation set promised of the epoch that it chose, and what came true on the test days."""
    table = Table(title="Loss ½(ŷ − y)² where early stopping by two validation sets ends")
    table.add_column("series")
    for way in ("random", "in order"):
        for column in ("epoch", "validation", "test"):
            table.add_column(f"{way}\n{column}", justify="right")
    rows = np.array([[number for fitted in pair for number in at_the_kept_epoch(fitted)] for pair in fits])
    for i, row in enumerate(rows):
        table.add_row(f"{i}", *as_text(row), end_section=i == len(rows) - 1)
    table.add_row("mean", *as_text(rows.mean(axis=0)))
    Console().print(table)
    print(f"validating in order has the lower test loss in {np.sum(rows[:, 5] < rows[:, 2])} of {len(rows)} series")


def at_the_kept_epoch(fitted: dict[str, Any]) -> tuple[int, float, float]:
    """Return the epoch that was kept, counted from 1, and its validation and test loss."""
    kept = fitted["kept"]
    return kept + 1, fitted["validation"][kept], fitted["test of the model"]


def as_text(row: np.ndarray) -> list[str]:
    """Return epochs and losses as text."""
    return [f"{number:.0f}" if i % 3 == 0 else f"{number:.3f}" for i, number in enumerate(row)]


def draw(pair: tuple[dict[str, Any], dict[str, Any]], path: Path) -> None:
    """Draw the losses of one series over epochs, for both validation sets."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    titles = ("validation rows: at random", "validation rows: the latest")
    for axes, fitted, title in zip(panels, pair, titles, strict=True):
        draw_curves(axes, fitted)
        axes.set(title=title, xlabel="epoch")
        axes.set_xticks([1, 10, 100], ["1", "10", "100"])
        axes.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
        axes.minorticks_off()
    panels[0].set_ylabel("J = ½(ŷ − y)²")
    figure.savefig(path, dpi=150)
    print(f"curves of series {DRAWN}: {path}")


def draw_curves(axes: Axes, fitted: dict[str, Any]) -> None:
    """Draw training, validation and test loss over epochs, and where the weights come from."""
    epochs, kept = range(1, len(fitted["training"]) + 1), fitted["kept"]
    axes.loglog(epochs, fitted["training"], color="tab:blue", label="training")
    axes.loglog(epochs, fitted["validation"], color="tab:orange", label="validation")
    axes.loglog(epochs, fitted["test"], color="tab:green", label="later days, which training never sees")
    label = f"epoch {kept + 1}, whose weights are kept"
    axes.plot(kept + 1, fitted["validation"][kept], "o", color="black", label=label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", frameon=False)


if __name__ == "__main__":
    main()

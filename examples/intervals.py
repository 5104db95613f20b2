"""Intervals in the units of what is predicted
===========================================

The quantiles of prices near 200,000, and how many prices keep to them.

A network trained on the quantile loss says between which prices a flat is sold, more widely where prices vary more.
Nothing is scaled by hand, neither the columns nor the prices. Counts for flats that it has not seen how many prices lie
below each quantile and within each interval: a network that knows its own rows too well promises too much, and a small
penalty makes it cautious. Prints that table, and draws the intervals and the table::

    python intervals.py [directory for intervals.png, default: the current one]
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import train_test_split

from modnet import ModNetRegressor

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
INTERVALS = {0.9: (0, 6), 0.8: (1, 5), 0.5: (2, 4)}
PENALTIES = {"no penalty": 0.0, "alpha=0.3": 0.3}


def main() -> None:
    """Train, report, draw."""
    X, price = flats(8000, np.random.default_rng(0))
    X_train, X_test, y_train, y_test = train_test_split(X, price, test_size=0.5, random_state=0)
    print(f"prices: mean {y_train.mean():,.0f}, standard deviation {y_train.std():,.0f}\n")

    quantiles, below = {}, {}
    for name, alpha in PENALTIES.items():
        model = ModNetRegressor(loss={"type": "quantile", "quantiles": LEVELS}, alpha=alpha, random_state=0)
        model.fit(X_train, y_train)
        quantiles[name] = model.predict_quantiles(X_test)  # a column per level, in the units of the prices
        below[name] = (y_test.to_numpy()[:, np.newaxis] <= quantiles[name]).mean(axis=0)
    print_coverage(quantiles, below)

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    draw_intervals(left, model, X_test, y_test)
    draw_coverage(right, below)
    figure.savefig(directory / "intervals.png", dpi=150)
    print(f"intervals and coverage: {directory / 'intervals.png'}")


def flats(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Return flats and their prices, which vary more for large and old ones; of some nobody knows how old they are."""
    X = pd.DataFrame({"town": rng.choice(["Bonn", "Rome", "Ulm"], n, p=[0.5, 0.2, 0.3])})
    X = X.assign(area=rng.gamma(6, 12, n).clip(20, 200).round(), built=1900 + rng.beta(2, 1, n) * 124 // 1)
    per_area = X["town"].map({"Bonn": 2700, "Rome": 3800, "Ulm": 2300}) + 12 * (X["built"] - 1980).clip(0)
    spread = (8_000 + 350 * X["area"]) * np.where(X["built"] < 1950, 2, 1)
    price = per_area * X["area"] + spread * rng.gumbel(0, 0.6, n)  # some are sold far above what is usual
    X.loc[rng.random(n) < 0.1, "built"] = np.nan
    return X, price.round(-2)


def print_coverage(quantiles: dict[str, np.ndarray], below: dict[str, np.ndarray]) -> None:
    """Print how many prices lie below each quantile and within each interval, beside how many should."""
    table = Table("share of the prices", title=f"{len(quantiles['no penalty'])} flats that training has not seen")
    for column in ("nominal", *below):
        table.add_column(column, justify="right")
    for i, level in enumerate(LEVELS):
        observed = (f"{shares[i]:.3f}" for shares in below.values())
        table.add_row(f"below the {level:.0%} quantile", f"{level:.2f}", *observed)
    table.add_section()
    for level, (low, high) in INTERVALS.items():
        observed = (f"{shares[high] - shares[low]:.3f}" for shares in below.values())
        table.add_row(f"in the {level:.0%} interval", f"{level:.2f}", *observed)
    Console().print(table)
    widths = (f"{(q[:, -1] - q[:, 0]).mean():,.0f} with {name}" for name, q in quantiles.items())
    print(f"mean width of the 90% interval: {', '.join(widths)}")


def draw_intervals(axes: Axes, model: ModNetRegressor, X: pd.DataFrame, y: pd.Series) -> None:
    """Draw prices and intervals by area, for the flats of one town."""
    area = np.arange(25, 161)
    for built, color in ((1935, "tab:orange"), (2010, "tab:blue")):
        alike = (X["town"] == "Bonn") & (X["built"].sub(built).abs() <= 10)
        axes.plot(X["area"][alike], y[alike] / 1000, ".", color=color, markersize=5)
        grid = pd.DataFrame({"town": "Bonn", "area": area.astype(float), "built": float(built)})
        q = model.predict_quantiles(grid) / 1000
        axes.fill_between(area, q[:, 0], q[:, -1], color=color, alpha=0.25, label=f"90 % interval, built {built}")
        axes.plot(area, q[:, 3], color=color)
    axes.set(
        title="Flats in Bonn, built ten years earlier or later; medians", xlabel="area, m²", ylabel="price in thousands"
    )
    axes.set(xlim=(25, 160), ylim=(0, 650))
    axes.legend(loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def draw_coverage(axes: Axes, below: dict[str, np.ndarray]) -> None:
    """Draw the share of prices below each quantile against its level."""
    axes.plot([0, 1], [0, 1], color="black", linewidth=1)
    for (name, shares), color in zip(below.items(), ("tab:red", "tab:green"), strict=True):
        axes.plot(LEVELS, shares, "o", color=color, markersize=7, alpha=0.8, label=name)
    axes.set(title="How many prices lie below", xlabel="level of the quantile", ylabel="share of the flats not seen")
    axes.set(aspect="equal", xlim=(0, 1), ylim=(0, 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", frameon=False)


if __name__ == "__main__":
    main()

"""Losses and outliers
===================

Five losses on data with outliers, and a band of quantiles: what a network learns depends on how it is measured.

One row in twelve is far off. The same network is trained with each loss and held against the curve without outliers; a
sixth one predicts the 5 %, 50 % and 95 % quantiles at once, from clean data whose noise grows from left to right::

    python robust_losses.py [directory for robust_losses.png, default: the current one]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from modnet import ModNetRegressor

LOSSES = {
    "squared_error": "tab:red",
    "absolute_error": "tab:blue",
    "huber": "tab:green",
    "log_cosh": "tab:purple",
    "gaussian_nll": "tab:orange",
}
LEVELS = (0.05, 0.5, 0.95)


def curve(x: np.ndarray) -> np.ndarray:
    """Return what is to be found."""
    return np.sin(2 * x) + 0.5 * x


def main() -> None:
    """Train, report, draw."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-3, 3, 600))
    y = curve(x) + rng.normal(scale=0.15, size=len(x))
    far = rng.permutation(len(x)) < len(x) / 12
    y[far] += rng.uniform(3, 9, far.sum())
    grid = np.linspace(-3, 3, 400)

    found = {loss: network(loss).fit(x[:, np.newaxis], y).predict(grid[:, np.newaxis]) for loss in LOSSES}
    table = Table(title=f"{len(x)} rows, {far.sum()} of them far above the curve")
    table.add_column("loss")
    table.add_column("mean distance from the curve", justify="right")
    for loss, predicted in found.items():
        table.add_row(loss, f"{np.abs(predicted - curve(grid)).mean():.3f}")
    Console().print(table)

    spread = 0.1 + 0.15 * (x + 3)
    noisy = curve(x) + spread * rng.normal(size=len(x))
    bands = network({"type": "quantile", "quantiles": LEVELS}).fit(x[:, np.newaxis], noisy)
    inside = bands.predict_quantiles(x[:, np.newaxis])
    share = np.mean((inside[:, 0] <= noisy) & (noisy <= inside[:, 2]))
    crossings = int((np.diff(bands.predict_quantiles(grid[:, np.newaxis]), axis=1) < 0).sum())
    print(f"\nrows between the 5 % and the 95 % quantile: {share:.1%}; crossings: {crossings}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_losses(left, x, y, grid, found)
    draw_bands(right, x, noisy, grid, bands.predict_quantiles(grid[:, np.newaxis]))
    figure.savefig(directory / "robust_losses.png", dpi=150)
    print(f"picture: {directory / 'robust_losses.png'}")


def network(loss: object) -> ModNetRegressor:
    """Return the network that is trained with each loss."""
    # inputs=None: one number that is small already, so that curves are as smooth as tanh is. δ of Huber's loss is 1
    # standard deviation of y, outliers included.
    return ModNetRegressor(
        layers=(64, 64),
        activation="tanh",
        inputs=None,
        loss=loss,
        optimizer={"type": "adam", "learning_rate": 0.005, "schedule": "cosine"},
        batch_size=50,
        max_iter=400,
        random_state=0,
    )


def draw_losses(axes: Axes, x: np.ndarray, y: np.ndarray, grid: np.ndarray, found: dict[str, np.ndarray]) -> None:
    """Draw the data, the curve without outliers and what each loss has found."""
    axes.plot(x, y, ".", color="0.75", markersize=4)
    axes.plot(grid, curve(grid), "k--", linewidth=1.5, label="without outliers")
    for loss, predicted in found.items():
        # Huber's loss and log cosh find nearly the same curve.
        axes.plot(grid, predicted, color=LOSSES[loss], label=loss, linewidth=4 if loss == "huber" else 1.5)
    axes.set(title="One row in twelve is far off", xlabel="x", ylabel="y", ylim=(-3, 12))
    tidy(axes)


def draw_bands(axes: Axes, x: np.ndarray, y: np.ndarray, grid: np.ndarray, quantiles: np.ndarray) -> None:
    """Draw the data and the quantiles."""
    axes.plot(x, y, ".", color="0.75", markersize=4)
    axes.fill_between(grid, quantiles[:, 0], quantiles[:, 2], color="tab:blue", alpha=0.2, label="5 % to 95 %")
    axes.plot(grid, quantiles[:, 1], color="tab:blue", label="median")
    axes.set(title="Quantiles of noise that grows", xlabel="x", ylabel="y")
    tidy(axes)


def tidy(axes: Axes) -> None:
    """Show a legend and less frame."""
    axes.legend(loc="upper left", ncols=2, facecolor="white", framealpha=0.9, edgecolor="none")
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()

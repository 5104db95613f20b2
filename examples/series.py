"""An hourly series: an LSTM
=========================

The rhythm depends on a regime; an LSTM behind a convolution sees it, with layers from the plugin modnet-sequence::

    python -m pip install -e plugins/modnet-sequence

Demand for heat has a daily and a weekly rhythm, which gusty days change; how gusty it is, no single hour of wind tells,
only how much the last hours differ. Ridge regression, a dense network and a recurrent one get the same 24 hours, and
predict the next. Prints what is left of the variance of later months, and draws a week of them::

    python series.py [directory for series.png, default: the current one]
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetRegressor

HOURS, STEPS, LATER, WEEK = 6000, 24, 1200, 168
LAYERS = ({"type": "conv1d", "filters": 24, "kernel_size": 1, "activation": "relu"}, {"type": "lstm", "units": 24})
# Windows overlap, so rows held out at random would promise too much: few epochs, the rate falling to nothing.
TRAINING = {"inputs": "standardize", "max_iter": 25, "early_stopping": False, "batch_size": 64, "random_state": 0}
ADAM = {"type": "adam", "learning_rate": 0.003, "schedule": "cosine"}


def main() -> None:
    """Train all three on the earlier hours, report on the later ones, draw."""
    hours, gusty = demand(np.random.default_rng(0))
    X, y = windows(hours)
    models: dict[str, tuple[Any, np.ndarray]] = {
        "Ridge": (make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))), X.reshape(len(X), -1)),
        "dense network": (ModNetRegressor((64, 64), optimizer=ADAM, **TRAINING), X.reshape(len(X), -1)),
        "LSTM": (ModNetRegressor(LAYERS, optimizer=ADAM, **TRAINING), X),
    }
    predicted = {}
    for name, (model, rows) in models.items():
        started = time.perf_counter()
        predicted[name] = model.fit(rows[:-LATER], y[:-LATER]).predict(rows[-LATER:])
        seconds = time.perf_counter() - started
        print(f"{name:14s} R² on later hours {r2_score(y[-LATER:], predicted[name]):.3f}  ({seconds:4.1f} s)")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(y[-LATER:], gusty[-LATER:], predicted, directory / "series.png")


def demand(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return demand, wind and calendar, shape (hours, 5), and whether it was gusty, which no model is told."""
    hour = np.arange(HOURS)
    angle, weekend = 2 * np.pi * hour / 24, hour // 24 % 7 >= 5
    gusty = np.cumsum(rng.random(HOURS) < 1 / 36) % 2
    wind = np.where(gusty, 1.0, 0.25) * rng.normal(size=HOURS)
    rhythm = np.where(weekend, 0.5, 1.0) * np.sin(angle - 2)
    load = 2 + rhythm + gusty * (0.8 - 0.7 * rhythm) + 0.2 * rng.normal(size=HOURS)
    return np.stack([load, wind, np.sin(angle), np.cos(angle), weekend], axis=1), gusty


def windows(hours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return STEPS hours as a row each, shape (n, STEPS, 5), and the demand of the hour behind."""
    rows = np.lib.stride_tricks.sliding_window_view(hours[:-1], STEPS, axis=0).swapaxes(1, 2)
    return rows, hours[STEPS:, 0]


def draw(y: np.ndarray, gusty: np.ndarray, predicted: dict[str, np.ndarray], path: Path) -> None:
    """Draw a week of demand with what Ridge and the LSTM had said, and the errors of all in both regimes."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    week, errors = figure.subplots(1, 2, width_ratios=(3, 1))
    hours = np.arange(WEEK)
    week.fill_between(hours, y.min(), y.max(), where=gusty[:WEEK] > 0, color="0.9", step="mid", label="gusty")
    week.plot(hours, y[:WEEK], color="black", linewidth=1.2, label="demand")
    for name, colour in (("Ridge", "C1"), ("LSTM", "C0")):
        week.plot(hours, predicted[name][:WEEK], color=colour, linewidth=1, label=f"{name}, an hour before")
    week.set(xlabel="hours", ylabel="demand", title="A week that no model had seen", ylim=(y.min(), y.max()))
    week.legend(fontsize=8, ncols=2, loc="lower center")
    for shift, (regime, label) in enumerate(((0, "calm"), (1, "gusty"))):
        rmse = [np.sqrt(np.mean((y - each)[gusty == regime] ** 2)) for each in predicted.values()]
        errors.bar(np.arange(len(rmse)) + 0.4 * shift - 0.2, rmse, width=0.4, color=("0.6", "0.3")[shift], label=label)
    errors.axhline(0.2, color="C3", linewidth=1, label="noise")
    errors.set_xticks(range(len(predicted)), [name.replace(" ", "\n") for name in predicted])
    errors.set(title="Root mean squared error")
    errors.legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=150)
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()

"""Monte Carlo dropout
===================

Predictions with dropout left on, whose spread says where a network has not seen enough.

A curve is learnt from 200 noisy points between −2 and 2 and predicted up to 4. Each pass drops other units; the passes
agree where there was data, and part outside. The spread is that of the mean, and knows nothing of the noise of y: for
intervals that hold, take MAPIE, or a loss with quantiles (intervals.py). Prints a table, and draws the passes::

    python monte_carlo_dropout.py [directory for monte_carlo_dropout.png, default: the current one]

Gal & Ghahramani (2016), Dropout as a Bayesian approximation, ICML.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.base import is_classifier

import modnet


def predictions(model, X, passes=100):
    """Return predictions with noise on, one per pass: probabilities, or numbers in the units of y.

    X is an array, and numbers are one column. Batch normalization would take statistics of X.
    """
    plain = model.predict(X)
    traces = [modnet.trace(model, X, plain, training=True, seed=seed) for seed in range(passes)]
    found = np.array([each["y_hat"] for each in traces])
    if is_classifier(model):
        return found
    straight = np.polyfit(traces[0]["y"][:, 0], plain, 1)  # from the loss's scale to that of y
    return np.polyval(straight, found[:, :, 0])


def main():
    """Fit, print mean and spread inside and outside of what was seen, draw."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(200, 1))
    y = 100 + 20 * np.sin(2 * X[:, 0]) + rng.normal(size=200)
    layers = (64, {"type": "dropout", "rate": 0.1}, 64, {"type": "dropout", "rate": 0.1})
    model = modnet.ModNetRegressor(layers, inputs="standardize", early_stopping=False, random_state=0).fit(X, y)
    grid = np.linspace(-4, 4, 161)[:, np.newaxis]
    found = predictions(model, grid)
    print("    x   mean  spread")
    for x, passes in zip(grid[::20, 0], found[:, ::20].T, strict=True):
        print(f"{x:5.1f}  {passes.mean():5.1f}  {passes.std():6.2f}{'' if abs(x) <= 2 else '   outside'}")

    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    directory.mkdir(parents=True, exist_ok=True)
    draw(X, y, grid[:, 0], found, directory / "monte_carlo_dropout.png")


def draw(X, y, x, found, path):
    """Draw what was learnt from, some passes, their mean, and two of their deviations around it."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    mean, spread = found.mean(axis=0), found.std(axis=0)
    axes.fill_between(x, mean - 2 * spread, mean + 2 * spread, color="tab:blue", alpha=0.2, label="± 2 deviations")
    axes.plot(x, found[:10].T, color="tab:blue", linewidth=0.6, alpha=0.6)
    axes.plot(x, mean, color="tab:blue", linewidth=2, label="mean of 100 passes; thin: ten of them")
    axes.plot(X[:, 0], y, ".", color="black", markersize=3, label="what was learnt from")
    axes.set(title="The passes part where nothing was seen", xlabel="x", ylabel="y")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(path, dpi=150)
    print(f"the passes: {path}")


if __name__ == "__main__":
    main()

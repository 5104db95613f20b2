"""Monte Carlo dropout
===================

Predictions with dropout left on, whose spread says where a network has not seen enough.

A curve is learnt from 200 noisy points between −2 and 2 and predicted up to 4. Each pass drops other units; the passes
agree where there was data, and part outside. The spread is that of the mean, and knows nothing of the noise of y: for
intervals that hold, take MAPIE, or a loss with quantiles (intervals.py). Prints a table::

    python monte_carlo_dropout.py

Gal & Ghahramani (2016), Dropout as a Bayesian approximation, ICML.
"""

import numpy as np
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
    """Fit, and print mean and spread inside and outside of what was seen."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(200, 1))
    y = 100 + 20 * np.sin(2 * X[:, 0]) + rng.normal(size=200)
    layers = (64, {"type": "dropout", "rate": 0.1}, 64, {"type": "dropout", "rate": 0.1})
    model = modnet.ModNetRegressor(layers, inputs="standardize", early_stopping=False, random_state=0).fit(X, y)
    grid = np.linspace(-4, 4, 9)[:, np.newaxis]
    found = predictions(model, grid)
    print("    x   mean  spread")
    for x, mean, spread in zip(grid[:, 0], found.mean(axis=0), found.std(axis=0), strict=True):
        print(f"{x:5.1f}  {mean:5.1f}  {spread:6.2f}{'' if abs(x) <= 2 else '   outside'}")


if __name__ == "__main__":
    main()

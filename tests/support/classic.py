"""The settings of scikit-learn's MLP, for tests of the textbook's network: nothing in front, one rate, no stages."""

from typing import Any

CLASSIC: dict[str, Any] = {
    "inputs": None,
    "optimizer": "adam",
    "alpha": 0.0001,
    "batch_size": "auto",
    "early_stopping": False,
    "cooldown": 0.0,
    "max_iter": 200,
    "n_iter_no_change": 10,
    "scale_target": False,
    "dtype": "auto",
}
"""Estimators of ours with these, and layers of one's own, train as `sklearn.neural_network` does, batches apart."""

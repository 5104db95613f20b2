"""Links: the functions that turn raw outputs into probabilities, rates and scales, without overflow."""

from typing import Literal

import numpy as np
from scipy.special import expit, log_expit, log_softmax

from modnet import Array
from modnet_standard.activations.softmax import Softmax

ClassLink = Literal["softmax", "sigmoid"]
"""What turns logits into probabilities: softmax for one of k classes, sigmoid for each column on its own."""


def probabilities(link: ClassLink, z: Array) -> Array:
    """Return softmax(z) or σ(z)."""
    # expit, and not the faster sigmoid of hidden layers: it keeps the digits of a probability close to 0.
    p: Array = Softmax().f(z) if link == "softmax" else expit(z)
    return p


def log_probabilities(link: ClassLink, z: Array) -> Array:
    """Return log softmax(z) or log σ(z), exact where a probability rounds to 0."""
    logs: Array = log_softmax(z, axis=-1) if link == "softmax" else log_expit(z)
    return logs


def exponential(z: Array) -> Array:
    """Return e^z, inf where it is larger than any float."""
    with np.errstate(over="ignore"):  # an infinite rate is what such a z means
        return np.exp(z)


def softplus_and_sigmoid(z: Array) -> tuple[Array, Array]:
    """Return log(1 + e^z) and its derivative σ(z) from one exponential, both exact in both tails."""
    z = np.ascontiguousarray(z)  # of a few columns of a wider array, every pass would go row by row
    e = np.exp(-np.abs(z))  # in (0, 1]: log(1 + e^z) = max(z, 0) + log(1 + e^−|z|)
    return np.log1p(e) + np.maximum(z, 0), np.where(z >= 0, 1, e) / (1 + e)

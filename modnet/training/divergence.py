"""Divergence: where the first value that is not finite came up in training, and why it is likely to have."""

import numpy as np

from modnet.base import Array, Progress
from modnet.network import Network
from modnet.network.trial import non_finite_links
from modnet.training.batches import Data


def diagnosis(
    network: Network, theta: Array, state: Array, batch: Data, value: float, rate: float, progress: Progress
) -> str:
    """Say where and why a loss became inf or NaN.

    Parameters
    ----------
    network : Network
    theta, state : ndarray
        As they are now.
    batch : Data
        The rows on which it did.
    value : float
        The loss.
    rate : float
        The learning rate; 0 if there is none.
    progress : Progress
    """
    where = f"the loss became {value} in epoch {progress.epoch + 1}, step {progress.step + 1}"
    x, t = _largest(batch.x), _largest(batch.t)
    slower = f"a learning rate that is too large ({rate:g}: try {rate / 10:g})" if rate else ""
    scale = f"inputs or targets that are not scaled (here |x| ≤ {x:.3g}, |t| ≤ {t:.3g}; StandardScaler helps)"
    causes = [slower, scale] if max(x, t) < 100 else [scale, slower]
    likely = f"Likely causes: {', or '.join(filter(None, causes))}"
    if not np.isfinite(theta).all():
        return f"{where}: the weights have grown beyond bounds. {likely}"
    links = non_finite_links(network, theta, state, batch.x)
    if not links:
        return f"{where}, though every layer's output is finite. {likely}"
    first = links[0].title
    return f"{where}: the output of {first} is the first that is not finite. {likely}, or a defect in that layer"


def _largest(array: Array) -> float:
    return float(abs(array).max()) if array.shape[0] else 0.0

"""Divergence: where the first value that is not finite came up in training, and why it is likely to have."""

from typing import TYPE_CHECKING

import numpy as np

from modnet.base import Array
from modnet.errors import NonFiniteError
from modnet.network.trial import non_finite_links
from modnet.training.batches import Data

if TYPE_CHECKING:
    from modnet.training.loop import Trainer


def diverged(trainer: "Trainer", batch: Data, value: float) -> NonFiniteError:
    """Return the error that says where and why a loss became inf or NaN.

    Parameters
    ----------
    trainer : Trainer
        As it is now.
    batch : Data
        The rows on which it did.
    value : float
        The loss.
    """
    now, before = trainer.progress, trainer.before
    where = f"the loss became {value} in epoch {now.epoch + before.epoch + 1}, step {now.step + before.step + 1}"
    rate, x, t = trainer.optimizer_state.learning_rate, _largest(batch.x), _largest(batch.t)
    slower = f"a learning rate that is too large ({rate:g}: try {rate / 10:g})" if rate else ""  # 0 if there is none
    scale = f"inputs or targets that are not scaled (here |x| ≤ {x:.3g}, |t| ≤ {t:.3g}; StandardScaler helps)"
    causes = [slower, scale] if max(x, t) < 100 else [scale, slower]
    likely = f"Likely causes: {', or '.join(filter(None, causes))}"
    if not np.isfinite(trainer.moving).all():
        return NonFiniteError(f"{where}: the weights have grown beyond bounds. {likely}")
    links = non_finite_links(trainer.network, trainer.moving, trainer.moving_state, batch.x)
    if not links:
        return NonFiniteError(f"{where}, though every layer's output is finite. {likely}")
    found = f"{where}: the output of {links[0].title} is the first that is not finite"
    return NonFiniteError(f"{found}. {likely}, or a defect in that layer")


def _largest(array: Array) -> float:
    return float(abs(array).max()) if array.shape[0] else 0.0

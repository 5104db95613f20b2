"""The engine of a training: what runs in place of a network's links, its loss and its optimizer's step.

Without an accelerator that is modnet's own; with one it is what the accelerator offers, once it has been compared.
"""

from typing import Any

import numpy as np

from modnet.acceleration.comparing import agrees, asked
from modnet.acceleration.fusing import accelerated
from modnet.base import Accelerator, Array, Loss, Optimizer, Solver
from modnet.network import Network

_ROWS = 5


class Engine:
    """What runs a training.

    Parameters
    ----------
    network : Network
    loss : Loss
    optimizer : Optimizer or Solver
    accelerator : Accelerator or None
    dtype : dtype
        Of θ.

    Attributes
    ----------
    accelerator : Accelerator or None
    network : Network
        On the same θ, with the links that run.
    loss : Loss
        What runs in its place: its own until `compare_loss` has seen a truth.
    rule : Optimizer or None
        Whose `step` moves θ, on the optimizer's state; None: there is a solver.

    Warns
    -----
    RuntimeWarning
        Once, for each offer of the accelerator that raises or differs; modnet's own runs then.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer | Solver,
        accelerator: Accelerator | None,
        dtype: "np.dtype[Any]",
    ) -> None:
        self.accelerator, self.loss, self._own_loss, self._dtype = accelerator, loss, loss, np.dtype(dtype)
        self.network = accelerated(network, accelerator, dtype)
        self.rule = optimizer if isinstance(optimizer, Optimizer) else None
        if accelerator is not None and self.rule is not None:
            self.rule = fused_optimizer(self.rule, accelerator, self._dtype)

    def compare_loss(self, t: Array) -> None:
        """Choose the `loss` that runs on a truth: the accelerator's, if it has one that agrees on its first rows."""
        if self.accelerator is not None:
            width = self.network.output_shape[-1]
            self.loss = fused_loss(self._own_loss, self.accelerator, t, width, self._dtype)


def fused_loss(loss: Loss, accelerator: Accelerator, t: Array, width: int, dtype: "np.dtype[Any]") -> Loss:
    """Return the accelerator's version of a loss, or the loss itself.

    Parameters
    ----------
    loss : Loss
    accelerator : Accelerator
    t : ndarray
        The truth, on whose first rows the two are compared.
    width : int
        Columns of the raw output.
    dtype : dtype
        Of θ.
    """
    key, what = (accelerator, loss, dtype), repr(loss)
    offer = asked(accelerator, key, what, Loss, lambda: accelerator.loss(loss))
    if offer is None:
        return loss
    rows = t[:_ROWS]
    raw = np.random.default_rng(0).normal(size=(len(rows), width)).astype(dtype)

    def results(each: Loss) -> list[Array]:
        found: list[Array] = []
        for weight in (None, np.linspace(0.5, 2, len(rows), dtype=dtype)):
            value, draw = each.value_and_gradient(rows, raw, weight=weight)
            found += [np.asarray(value, dtype), draw]
        return found

    return offer if agrees(accelerator, key, what, offer, loss, results) else loss


def fused_optimizer(optimizer: Optimizer, accelerator: Accelerator, dtype: "np.dtype[Any]") -> Optimizer:
    """Return the accelerator's version of an optimizer, or the optimizer itself."""
    key, what = (accelerator, optimizer, dtype), repr(optimizer)
    offer = asked(accelerator, key, what, Optimizer, lambda: accelerator.optimizer(optimizer))

    def results(each: Optimizer) -> list[Array]:
        rng = np.random.default_rng(0)
        theta = rng.normal(size=17).astype(dtype)
        state = optimizer.init(theta)
        for rule in (each, each, each, optimizer, optimizer):  # either can go on where the other has stopped
            rule.step(theta, rng.normal(size=17).astype(dtype), state)
        return [theta]

    return offer if offer is not None and agrees(accelerator, key, what, offer, optimizer, results) else optimizer

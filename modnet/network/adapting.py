"""Adapting: layers that take note of the data before training, such as one that standardizes, see it here."""

import numpy as np

from modnet.base import Array, Context
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.network.running import Pass, Runner

_BLOCK = 2**18
"""Elements per link and block, as in prediction."""


def adapt(network: Network, theta: Array, state: Array, x: Array, weight: Array | None = None) -> None:
    """Show the rows to train on to every link that adapts, one link after the other, block by block.

    Parameters
    ----------
    network : Network
    theta, state : ndarray
        As from `Network.initialize`; the state is changed in place.
    x : ndarray or scipy.sparse CSR matrix, shape (n, *input_shape), dtype of θ
    weight : ndarray, shape (n,), optional
        Of the rows, positive.
    """
    adapting = [link for link in network.walk() if link.module.adapts]
    if not adapting:
        return
    network.check_rows(x)
    widest = max(max((1, *link.input_shape, *link.output_shape)) for link in network.walk())
    block = max(1, _BLOCK // widest)
    for link in adapting:
        shown = _Shown(link)
        for start in range(0, x.shape[0], block):
            rows = x[start : start + block]
            shown.weight = None if weight is None else weight[start : start + block]
            # What is computed behind a link that has not seen all data yet may overflow; nobody looks at it.
            with np.errstate(all="ignore"):
                Pass(network, theta, state, rows=rows.shape[0], runner=shown.runner).forward(rows)


class _Shown:
    """Runs a link after showing it its input."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.weight: Array | None = None
        self.grad_params, self.grad_input = link.module.grad_params, link.module.grad_input

    def runner(self, link: Link) -> Runner:
        return self if link is self._link else link.module

    def forward(self, ctx: Context, x: Array) -> Array:
        self._link.module.adapt(ctx, x, weight=self.weight)
        return self._link.module.forward(ctx, x)

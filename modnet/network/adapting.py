"""Adapting: layers that take note of the data before training, such as one that standardizes, see it here."""

import numpy as np

from modnet.base import Array
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.network.running import Pass, context_of


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
    for link in network.walk():
        if link.module.adapts:
            network.check_rows(x)
            for rows in network.blocks(x.shape[0]):
                arriving = _arriving(network, link, theta, state, x[rows])
                ctx = context_of(link, theta, state, rows=len(arriving))
                link.module.adapt(ctx, arriving, weight=None if weight is None else weight[rows])


def _arriving(network: Network, link: Link, theta: Array, state: Array, x: Array) -> Array:
    """Return what comes in at a link when rows are sent through the network."""
    caught: list[Array] = []

    def catch(each: Link, name: str, array: Array) -> None:
        if each is link and name == "x":
            caught.append(array)

    # What is computed behind a link that has not seen all data yet may overflow; nobody looks at it.
    with np.errstate(all="ignore"):
        Pass(network, theta, state, rows=x.shape[0], hook=catch).forward(x)
    return caught[0]

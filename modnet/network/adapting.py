"""Adapting: layers that take note of the data before training, such as one that standardizes, see it here."""

from functools import partial

import numpy as np

from modnet.base import Array
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.network.running import Pass


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
        if not link.module.adapts:
            continue
        network.check_rows(x)
        for rows in network.blocks(x.shape[0]):
            arriving: list[Array] = []
            catch = partial(_catch, arriving, link)
            running = Pass(network, theta, state, rows=rows.stop - rows.start, hook=catch)
            # What is computed behind a link that has not seen all data yet may overflow; nobody looks at it.
            with np.errstate(all="ignore"):
                running.forward(x[rows])
            weights = None if weight is None else weight[rows]
            link.module.adapt(running.context_of(link), arriving[0], weight=weights)


def _catch(arriving: list[Array], link: Link, each: Link, name: str, array: Array) -> None:
    """As a hook: keep what comes in at a link."""
    if each is link and name == "x":
        arriving.append(array)

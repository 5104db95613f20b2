"""How many threads BLAS gets: small products take longer on several than on one, above all on a busy machine.

The limit is that of the process while it lasts, so predictions set none, though many rows would take half the time on
one thread of a busy machine: of several threads that predict at once, each would find other limits, and get other bits.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from modnet.network import Network

SMALL = 2**22
"""Multiplications in the largest product of a step up to which one thread is taken. 20-64-64-2 on 256 rows, with 2²⁰ of
them, gains 6 % by a second thread on a quiet machine and takes four times as long on a busy one; 784-100-10 on 200
rows, with 2²⁴, gains 35 %."""


_controller = cache(ThreadpoolController)
"""What knows the libraries that this process has loaded: to look for them takes 1 ms."""

_TURN = Lock()
"""Held by whoever has set BLAS to one thread: of two that overlap, one would put back the other's limit."""


@contextmanager
def few_threads(network: Network, rows: int) -> Iterator[None]:
    """Within it BLAS works on one thread if the network is small, and else on as many as before.

    Of several at a time in one process, the first decides; the others leave BLAS as they find it.

    Parameters
    ----------
    network : Network
    rows : int
        Per step.
    """
    largest = max(
        (
            math.prod(link.input_shape[:-1]) * (place.stop - place.start)
            for link in network.walk()
            for place in link.places.values()
        ),
        default=0,
    )
    if rows * largest > SMALL or not _TURN.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _TURN.release()

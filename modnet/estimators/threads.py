"""Threads of BLAS: one for a network whose products are so small that several gain little and can lose much.

Several threads wait for each other by spinning. Where another program wants their cores, small products take several
times as long as on one thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

from modnet.network import Network

SMALL = 2**22
"""Multiplications in the largest product of a step up to which one thread is taken. 20-64-64-2 on 256 rows, with 2²⁰ of
them, gains 6 % by a second thread on a quiet machine and takes four times as long on a busy one; 784-100-10 on 200
rows, with 2²⁴, gains 35 %."""


_TURN = Lock()
"""Held by the training that has set BLAS to one thread: of two that overlap, one would put back the other's limit."""


@contextmanager
def few_threads(network: Network, rows: int) -> Iterator[None]:
    """Within it BLAS works on one thread if the network is small, and else on as many as before.

    Of several trainings at a time in one process, the first decides; the others leave BLAS as they find it.

    Parameters
    ----------
    network : Network
    rows : int
        Per step.
    """
    largest = max((place.stop - place.start for link in network.walk() for place in link.places.values()), default=0)
    if rows * largest > SMALL or not _TURN.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _TURN.release()


@cache
def _controller() -> Any:
    """Return what knows the libraries that this process has loaded: to look for them takes 1 ms."""
    return import_module("threadpoolctl").ThreadpoolController()

"""What a call allocates: bytes at its peak, as Python and NumPy ask for them."""

import gc
import tracemalloc
from collections.abc import Callable


def peak_of(call: Callable[[], object]) -> int:
    """Return the most bytes that a call holds at once beyond those that were there before; its result counts."""
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

"""Two callers of one component, deterministically: while one is on its way, the other runs whenever it could.

Threads that race show a shared buffer in one run of many. Here the interpreter is asked to stop before every call and
every operation of the component's own code, and each time another thread runs through from start to end.
"""

import opcode
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, TypeVar

from modnet.testing.rules import is_library

_STOPS = {code for name, code in opcode.opmap.items() if name.startswith(("CALL", "BINARY", "STORE_SUBSCR", "RETURN"))}
_SECONDS = 0.2
"""How long the other may take: it waits for ever, if the component holds a lock, and that is a way to be right."""

_T = TypeVar("_T")


def interleaved(run: Callable[[], _T], other: Callable[[], object]) -> _T:
    """Return what `run` returns, while `other` runs in another thread at every point where threads may take turns.

    At each place in the code that is the case one time.
    """
    seen: set[tuple[CodeType, int]] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if is_library(frame):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        here = (frame.f_code, frame.f_lasti)
        if event == "opcode" and frame.f_code.co_code[frame.f_lasti] in _STOPS and here not in seen:
            seen.add(here)
            wait([pool.submit(other)], _SECONDS)
        return trace

    with ThreadPoolExecutor(1) as pool, traced(trace):
        return run()


@contextmanager
def traced(trace: Callable[[FrameType, str, Any], Any]) -> Iterator[None]:
    """Let a function see what this thread runs in the block, as `sys.settrace` does."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)

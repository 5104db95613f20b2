"""Timing calls in turn, so that a busy moment of the machine does not hit one of them only."""

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

T = TypeVar("T")


def seconds_of(call: Callable[[], object], times: int = 1) -> float:
    """Return how long a call takes, as a mean over so many in a row."""
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times


def interleaved(
    calls: Mapping[str, Callable[[], object]], rounds: int, *, at_least: float = 0.0
) -> dict[str, list[float]]:
    """Return the seconds of every call in each round; each round begins with another one.

    Calls should have been made once before. One that is shorter than `at_least` seconds is repeated for so long, and
    counts with its mean.
    """
    names, times = list(calls), dict.fromkeys(calls, 1)
    if at_least:
        times = {name: max(1, int(at_least / seconds_of(call))) for name, call in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % max(1, len(names))
        for name in names[first:] + names[:first]:
            gc.collect()
            found[name].append(seconds_of(calls[name], times[name]))
    return found


@dataclass(frozen=True)
class Times:
    """The middle and the ends of some durations."""

    median: float
    shortest: float
    longest: float

    @classmethod
    def of(cls, durations: Sequence[float], scale: float = 1.0) -> Self:
        """Return them, multiplied by a scale."""
        found = statistics.median(durations), min(durations), max(durations)
        return cls(*(scale * each for each in found))


def each_ready(make: Callable[[Any], T], contenders: Iterable[Any], failures: list[str]) -> dict[str, T]:
    """Return what is made for each contender, by name; whoever raises is named in `failures` and left out."""
    found = {}
    for contender in contenders:
        try:
            found[contender.name] = make(contender)
        except Exception as error:  # a peer's own trouble ends its turn, and not the run
            message = (str(error).strip() or "no message").splitlines()[0]
            failures.append(f"{contender.name}: {type(error).__name__}: {message[:200]}")
    return found

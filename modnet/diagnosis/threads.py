"""Threads: how many cores this process may use, how many threads BLAS takes, and what limits them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from modnet.diagnosis.blas import Library
from modnet.diagnosis.finding import Finding, counted, listed

_VARIABLES = {
    "openblas": "OPENBLAS_NUM_THREADS",
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
    "flexiblas": "OMP_NUM_THREADS",
}
"""What limits the threads of each library."""

_LIMITS = (
    *dict.fromkeys(_VARIABLES.values()),
    "GOTO_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


@dataclass(frozen=True)
class Cores:
    """The cores.

    Attributes
    ----------
    machine : int
        Of the machine.
    available : int
        For this process: what is left by its affinity and the CPU quota of its container.
    """

    machine: int
    available: int


def cores() -> Cores:
    """Return how many cores there are."""
    machine = os.cpu_count() or 1
    return Cores(machine, min(machine, import_module("joblib").cpu_count()))


def limits(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment variables that are set and limit threads.

    Examples
    --------
    >>> limits({"OPENBLAS_NUM_THREADS": "2", "HOME": "/"})
    {'OPENBLAS_NUM_THREADS': '2'}
    """
    return {name: environment[name] for name in _LIMITS if name in environment}


def thread_findings(found: Sequence[Library], cores: Cores) -> Iterator[Finding]:
    """Yield the libraries that take more threads than there are cores."""
    by_threads: dict[tuple[str, int], list[str]] = {}
    for library in found:
        if library.threads > cores.available:
            by_threads.setdefault((library.name, library.threads), []).append(library.owner)
    for (name, threads), owners in by_threads.items():
        yield Finding(
            "blas-threads",
            "note",
            listed(owners),
            f"{counted(threads, 'thread')} on {counted(cores.available, 'core')}: they wait for each other",
            f"set {_VARIABLES.get(name, 'OMP_NUM_THREADS')}={cores.available} in the environment before Python starts",
        )

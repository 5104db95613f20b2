"""Measuring BLAS kernels against each other, each in a process of its own: a process keeps the kernel it began with.

Wider vectors are no promise: on a Zen 4 CPU, which has AVX-512, a network trained 0.89 to 0.95 times as fast on the
SkylakeX kernel as on Haswell's, in three runs. So what is recommended after measuring is what was measured.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modnet.diagnosis.blas import CORETYPE, Cpu, setting
from modnet.diagnosis.finding import Finding

_WORTH = 1.1
"""How much faster a kernel has to measure to be recommended."""

_ROUNDS = 3

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Several threads would measure how busy the machine is: one that waits for its core stops them all."""


@dataclass(frozen=True)
class Measurement:
    """How fast a kernel is, on one thread.

    Attributes
    ----------
    kernel : str
        The kernel in use, as the library calls it.
    coretype : str or None
        What `OPENBLAS_CORETYPE` was set to for it; "": it was unset, so that the library chose; None: it was what it
        is in this environment.
    gflops : dict of str to float
        Speed of a float32 product of square matrices by their size, in 10⁹ operations per second.
    step_ms : float
        Duration of a training step of 784-512-256-10 on 128 rows, float32, Adam.
    right : bool
        Whether its products are; see `modnet.diagnosis.kernel_trial`.
    """

    kernel: str
    coretype: str | None
    gflops: dict[str, float]
    step_ms: float
    right: bool = True

    def better_of(self, other: "Measurement") -> "Measurement":
        """Return the best of two measurements of one kernel."""
        gflops = {size: max(speed, other.gflops[size]) for size, speed in self.gflops.items()}
        step_ms, right = min(self.step_ms, other.step_ms), self.right and other.right
        return Measurement(self.kernel, self.coretype, gflops, step_ms, right)


def measure(cpu: Cpu, seconds: float = 60.0) -> tuple[Measurement, ...]:
    """Return how fast the kernel in use is, and after it those that could be used instead.

    Parameters
    ----------
    cpu : Cpu
    seconds : float
        How long one process may take.

    Returns
    -------
    tuple of Measurement
        Where the environment sets `OPENBLAS_CORETYPE`, what the library chooses by itself comes second. Without kernels
        that this build of the library does not have. Empty if nothing could be measured.
    """
    found: dict[str | None, Measurement] = {}
    names: list[str | None] = [None, *([""] if CORETYPE in os.environ else []), *cpu.kernels]
    for _ in range(_ROUNDS):  # in turn, so that a busy moment does not hit one of them only
        for name in tuple(names):
            one = _measured(name, [known.kernel for other, known in found.items() if other != name], seconds)
            if one is None:
                names.remove(name)
            else:
                found[name] = one.better_of(found[name]) if name in found else one
    return tuple(found.values())


def measured_findings(found: Sequence[Measurement]) -> Iterator[Finding]:
    """Yield the kernel that trains faster than the one in use, if there is one, or that the one in use is wrong."""
    if not found or found[0].coretype is not None:
        return
    present = found[0]
    best = max((each for each in found if each.right), key=lambda each: _gain(each, present), default=present)
    unset = f"unset {CORETYPE} in the environment: the library chooses {best.kernel} by itself"
    remedy = setting(best.kernel) if best.coretype else unset
    if not present.right:
        wrong = f"kernel {present.kernel}, the one in use, multiplies matrices wrongly on this CPU"
        another = remedy if best is not present else "no kernel of this library is right: install another NumPy"
        yield Finding("blas-kernel-wrong", "problem", "numpy", wrong, another)
    elif _gain(best, present) >= _WORTH:
        yield Finding(
            "blas-kernel",
            "note",
            "numpy",
            f"kernel {best.kernel} trains {present.step_ms / best.step_ms:.2f} times as fast as {present.kernel}, the "
            "one in use",
            remedy,
        )


def _gain(one: Measurement, present: Measurement) -> float:
    """Return how much faster one kernel is, in products and in training: a gain in only one of them was luck."""
    products = [one.gflops[size] / present.gflops[size] for size in one.gflops]
    return min(math.prod(products) ** (1 / len(products)), present.step_ms / one.step_ms)


def _measured(coretype: str | None, known: Sequence[str], seconds: float) -> Measurement | None:
    """Run the benchmark with a setting, see `Measurement`; return None if it does not run, or the kernel is known."""
    environment = {**os.environ, **_ONE_THREAD, **({CORETYPE: coretype} if coretype else {})}
    if coretype == "":
        environment.pop(CORETYPE, None)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "modnet.diagnosis.kernel_benchmark", *known],
            capture_output=True,
            text=True,
            env=environment,
            timeout=seconds,
            check=True,
        )
        numbers = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        return None  # a kernel that the CPU cannot run ends in an illegal instruction
    if "step_ms" not in numbers:
        return None
    return Measurement(
        numbers["kernel"] or "not known", coretype, numbers["gflops"], numbers["step_ms"], numbers["right"]
    )

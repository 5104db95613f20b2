"""A trial of a BLAS kernel before a program takes it for itself: that it runs, computes right, and is faster.

``python -m modnet.diagnosis.kernel_trial`` prints a line of JSON: the kernel in use, whether its products are right,
and how long one takes. A trial of another kernel is that, in a process that has chosen it: a library that does not know
a CPU has not been tested on it, and a kernel may end in an illegal instruction, in wrong numbers, or in no gain.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from modnet.base import Array
from modnet.diagnosis.blas import CORETYPE, loaded, of_numpy

_SIZE = 512
"""Rows and columns of the matrices that are timed: a product takes 2 ms of AVX2."""

_ROUNDS = 20
_ODD = 129, 67, 131
"""Rows, inner length and columns that no block size divides, which is where kernels have been wrong."""

_WORTH = 1.1
"""How much faster a kernel has to be to be taken."""


@dataclass(frozen=True)
class Trial:
    """How a kernel did.

    Attributes
    ----------
    kernel : str or None
        As the library calls it.
    right : bool
        Whether products agree with sums that no BLAS has a part in.
    seconds : float
        Of a float32 product of square matrices, on one thread.
    """

    kernel: str | None
    right: bool
    seconds: float

    def beats(self, other: "Trial") -> bool:
        """Return whether this kernel computes right, and faster than another.

        Examples
        --------
        >>> Trial("SkylakeX", True, 0.0011).beats(Trial("Haswell", True, 0.0021))
        True
        """
        return self.right and _WORTH * self.seconds <= other.seconds


def present() -> Trial:
    """Try the kernel of this process."""
    library = of_numpy(loaded())
    return Trial(library.kernel if library else None, is_right(), _seconds())


def proves(kernel: str, seconds: float = 20.0) -> bool:
    """Return whether a kernel computes right, and faster than the one in use; tried in a process of its own.

    Parameters
    ----------
    kernel : str
    seconds : float
        How long the process may take.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "modnet.diagnosis.kernel_trial"],
            capture_output=True,
            text=True,
            env={**os.environ, CORETYPE: kernel},
            timeout=seconds,
            check=True,
        )
        other = Trial(**json.loads(done.stdout))
    except (subprocess.SubprocessError, OSError, ValueError, TypeError):
        return False  # it ended otherwise than with its line: in an illegal instruction, say
    return other.kernel == kernel and other.beats(present())


def is_right(product: Callable[[Array, Array], Array] = np.matmul) -> bool:
    """Return whether x W, xᵀ dz and dz Wᵀ are what a plain loop makes of them, in float32 and float64."""
    rng = np.random.default_rng(0)
    n, inner, columns = _ODD
    for dtype in (np.float32, np.float64):
        x, W = rng.normal(size=(n, inner)).astype(dtype), rng.normal(size=(inner, columns)).astype(dtype)
        dz = rng.normal(size=(n, columns)).astype(dtype)
        pairs: list[tuple[Any, Any]] = [(x, W), (x.mT, dz), (dz, W.mT)]
        for one, other in pairs:
            # Seven times the error that was seen, which grows like the square root of the number of terms.
            bound = 100 * np.sqrt(one.shape[-1]) * np.finfo(dtype).eps
            if not np.allclose(product(one, other), np.einsum("ij,jk->ik", one, other), rtol=0, atol=bound):
                return False
    return True


def _seconds() -> float:
    """Return the shortest of several runs: the one that nothing else on the machine disturbed."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, _SIZE, _SIZE)).astype(np.float32)
    out, best = np.empty_like(a), np.inf
    # Several threads would measure how busy the machine is: one that waits for its core stops them all.
    with import_module("threadpoolctl").threadpool_limits(1, user_api="blas"):
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            np.matmul(a, b, out=out)
            best = min(best, time.perf_counter() - started)
    return float(best)


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(present())))

"""What a BLAS kernel is worth: products of matrices and a training step, timed in a process that has chosen one.

``python -m modnet.diagnosis.kernel_benchmark [KERNEL …]`` prints a line of JSON: the kernel in use and, unless it is
one of those named, how fast it is. `modnet.diagnosis.measure` runs it.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from modnet.base import Loss
from modnet.diagnosis.blas import loaded, of_numpy
from modnet.diagnosis.kernel_trial import is_right
from modnet.spec import ModelSpec
from modnet.training import Data, Trainer, TrainingSettings

SIZES = (128, 512, 1024)
"""Rows and columns of the square matrices."""

NET = (784, 512, 256, 10)
BATCH = 128
_STEPS = 4
_SECONDS = 0.3


def main(known: Sequence[str]) -> None:
    """Measure, and print the numbers."""
    library = of_numpy(loaded())
    kernel = library.kernel if library else None
    numbers: dict[str, Any] = {"kernel": kernel}
    if kernel not in known:
        numbers |= {"right": is_right(), "gflops": {str(size): _gflops(size) for size in SIZES}, "step_ms": _step_ms()}
    print(json.dumps(numbers))


def _gflops(size: int) -> float:
    """Return the speed of a float32 product in 10⁹ operations per second."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, size, size)).astype(np.float32)
    out = np.empty_like(a)
    return 2 * size**3 / _best(lambda: np.matmul(a, b, out=out)) / 1e9


def _step_ms() -> float:
    """Return how long a step of training takes: forward, backward and Adam, float32."""
    rng = np.random.default_rng(0)
    layers = [{"type": "dense", "units": units, "activation": "relu"} for units in NET[1:-1]]
    spec = ModelSpec.from_dict({"layers": layers, "loss": "cross_entropy"})
    assert isinstance(spec.loss, Loss)
    network = spec.network(NET[0], NET[-1])
    theta, state = network.initialize(rng, np.float32)
    loss = replace(spec.loss, **spec.loss.tasks["multiclass"])
    settings = TrainingSettings(batch_size=BATCH, shuffle=False)
    trainer = Trainer(network, loss, spec.optimizer, settings, theta, state, shuffle_rng=rng, noise_rng=rng)
    rows = BATCH * _STEPS
    data = Data(rng.normal(size=(rows, NET[0])).astype(np.float32), rng.integers(NET[-1], size=rows))
    return _best(lambda: trainer.epoch(data)) / _STEPS * 1e3


def _best(call: Callable[[], object]) -> float:
    """Return the shortest of several runs in seconds: the one that nothing else on the machine disturbed."""
    call()
    best, ends = np.inf, time.perf_counter() + _SECONDS
    while time.perf_counter() < ends:
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return float(best)


if __name__ == "__main__":
    main(sys.argv[1:])

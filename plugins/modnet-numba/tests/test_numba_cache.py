"""Kernels on disk: what one process compiled, the next one finds; and compiling ahead."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

from modnet_numba import Numba
from modnet_numba.compiling import kernel

TRAINING = """
import json, sys, time
import numpy as np
from modnet import ModNetClassifier
from modnet_numba import activation, cross_entropy, dense, passes, tape

X = np.random.default_rng(0).normal(size=(60, 4)).astype("f4")
start = time.perf_counter()
model = ModNetClassifier(
    (8, {"type": "dense", "units": 4, "activation": {"type": "leaky_relu", "negative_slope": 0.125}}, "softplus"),
    max_iter=300, tol=0, random_state=0, accelerator="numba").fit(X, np.arange(60) % 3)
seconds = time.perf_counter() - start
kernels = [dense._add, dense._sum, cross_entropy._softmax, passes.adam, tape.play]
kernels += [each for kernels in dense._KERNELS.values() for each in kernels[:2]]
kernels += [each for kernels in activation._KERNELS.values() for each in kernels]
found = sum(sum(each.compiled.stats.cache_hits.values()) for each in kernels)
made = sum(sum(each.compiled.stats.cache_misses.values()) for each in kernels)
print(json.dumps([found, made, seconds, model.theta_.tolist(), "numba.typed.typeddict" in sys.modules]))
"""


def trained(directory: Path, **environment: str) -> Any:
    """Train in a process; return how many kernels were found on disk, how many made, seconds, θ, whether Numba
    got ready to compile, and lines on stderr.
    """
    variables = {**os.environ, "NUMBA_CACHE_DIR": str(directory), **environment}
    finished = subprocess.run(
        [sys.executable, "-c", TRAINING], env=variables, check=True, capture_output=True, text=True
    )
    return [*json.loads(finished.stdout), finished.stderr.count("modnet-numba is compiling")]


def test_a_second_process_compiles_nothing_and_does_not_get_ready_to(tmp_path: Path):
    found, made, seconds, theta, ready, told = trained(tmp_path)
    assert (found, ready, told) == (0, True, 1)
    assert made > 5
    found, again, less, same, ready, told = trained(tmp_path)
    assert (found, again, ready, told) == (made, 0, False, 0)  # to get ready takes as long as to import Numba
    assert less < seconds / 2
    assert same == theta


def test_a_directory_that_cannot_be_written_to_is_no_obstacle():
    def doubled(x: Any) -> None:
        x *= 2

    code = doubled.__code__.replace(co_filename="<nowhere>")
    assert kernel(type(doubled)(code, {}))(3.0) is None


@pytest.mark.slow
def test_compiling_ahead_leaves_little_to_do():
    for dtype in ("float32", "float64"):
        Numba().warm_up(dtype)
        assert Numba().warm_up(dtype) < 2


WAITING = """
import numpy as np
from modnet import ModNetRegressor
from modnet_numba import Numba

X = np.random.default_rng(0).normal(size=(60, 4)).astype("f4")
assert Numba().compile_seconds() == 0
model = ModNetRegressor((8,), max_iter=2, tol=10, n_iter_no_change=1, verbose=True, accelerator="numba")
model.summary(4, 1)
assert Numba().compile_seconds() == 0
model.fit(X, X[:, 0])
print(Numba().compile_seconds())
"""


def test_a_fit_that_compiles_says_how_long_and_one_that_finds_it_on_disk_says_nothing(tmp_path: Path):
    variables = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", WAITING], env=variables, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for _ in range(2)
    )
    assert first[0] == f"waited {float(first[-1]):.1f} s for numba to compile; modnet doctor --warm-up does that ahead"
    assert second[0].startswith("epoch")
    assert float(second[-1]) == 0 < float(first[-1])

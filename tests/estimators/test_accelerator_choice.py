"""Which accelerator an estimator takes: what is installed, what it is told, or none; and what is imported for it."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

IMPORTED = """
import sys
import numpy as np
from modnet import ModNetRegressor
X = np.random.default_rng(0).normal(size=(40, 3))
model = ModNetRegressor((4,), accelerator={accelerator!r}, max_iter=20, tol=1e9, n_iter_no_change=1).fit(X, X[:, 0])
model.predict(X)
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("numba", "llvmlite", "modnet_numba")))
"""


def imported(accelerator: str | None) -> str:
    """Return what training and predicting in a process of its own imports of Numba."""
    command = [sys.executable, "-W", "error", "-c", IMPORTED.format(accelerator=accelerator)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_without_an_accelerator_nothing_of_numba_is_imported():
    assert imported(None) == "[]"


@pytest.mark.skipif(find_spec("modnet_numba") is not None, reason="modnet-numba is installed")
def test_where_modnet_numba_is_not_installed_nothing_of_numba_is_imported():
    assert imported("auto") == "[]"


@pytest.mark.skipif(find_spec("modnet_numba") is None, reason="modnet-numba is not installed")
def test_where_modnet_numba_is_installed_it_is_what_auto_takes():
    assert "'modnet_numba.accelerator'" in imported("auto")

"""Which accelerator an estimator takes: what is installed, what it is told, or none; and what is imported for it."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

CODE = """
import sys
import numpy as np
from modnet import ModNetRegressor
X = np.random.default_rng(0).normal(size=(40, 3))
for accelerator in (None, "auto"):
    model = ModNetRegressor((4,), accelerator=accelerator, max_iter=60, random_state=0).fit(X, X[:, 0])
    model.predict(X)
    print(sorted(name for name in sys.modules if name.partition(".")[0] in ("numba", "llvmlite", "modnet_numba")))
"""


@pytest.fixture(scope="module")
def imported() -> list[str]:
    """What training and predicting in another process imports of Numba: without an accelerator, then with "auto"."""
    command = [sys.executable, "-W", "error", "-c", CODE]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_without_an_accelerator_nothing_of_numba_is_imported(imported: list[str]):
    assert imported[0] == "[]"


@pytest.mark.skipif(find_spec("modnet_numba") is not None, reason="modnet-numba is installed")
def test_where_modnet_numba_is_not_installed_nothing_of_numba_is_imported(imported: list[str]):
    assert imported[1] == "[]"


@pytest.mark.skipif(find_spec("modnet_numba") is None, reason="modnet-numba is not installed")
def test_where_modnet_numba_is_installed_it_is_what_auto_takes(imported: list[str]):
    assert "'modnet_numba.accelerator'" in imported[1]

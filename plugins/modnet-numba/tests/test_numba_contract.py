"""The contract of components, held by every fused component and by the accelerator."""

from collections.abc import Callable

import pytest

pytest.importorskip("numba")

from modnet_numba import Numba
from modnet_numba.activation import FusedActivation
from modnet_numba.cross_entropy import FusedCrossEntropy
from modnet_numba.dense import FusedDense, FusedDenseActivation
from modnet_numba.dropout import FusedDropout
from modnet_numba.embedding import FusedEmbedding
from modnet_numba.normalization import FusedNorm
from modnet_numba.optimizers import FusedOptimizer
from modnet_numba.squared_error import FusedSquaredError

from modnet.testing import checks_of

COMPONENTS = [
    FusedActivation,
    FusedCrossEntropy,
    FusedDense,
    FusedDenseActivation,
    FusedDropout,
    FusedEmbedding,
    FusedOptimizer,
    FusedNorm,
    FusedSquaredError,
    Numba,
]
NOT_HERE = {"it_works_in_a_grid_search"}
"""A fused component is never in a spec, and so in no grid; each worker process would import Numba for it."""

CHECKS = [
    pytest.param(check, id=f"{example!r}-{name}")
    for cls in COMPONENTS
    for example in cls.examples()
    for name, check in checks_of(example)
    if name not in NOT_HERE
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: Callable[[], None]):
    check()

"""Parallel with several members: branches without parameters know nothing of the members that others have."""

from types import SimpleNamespace

import numpy as np
import pytest

from modnet import Context
from modnet.activations import Tanh
from modnet.layers import Dense, Parallel

M, N = 3, 4


class Branch:
    """A chain that puts out an array."""

    def __init__(self, y):
        self.y = y

    def forward(self, x):
        return self.y


@pytest.mark.parametrize("merge", ["concat", "add", "mean"])
def test_a_branch_without_members_is_joined_to_every_member_of_the_others(merge):
    rng = np.random.default_rng(0)
    single, several = rng.normal(size=(N, 2)), rng.normal(size=(M, N, 2))
    none = SimpleNamespace()
    for outputs in ([single, several], [several, single], [single, single, several]):
        parallel = Parallel([Tanh(), Dense(2), Dense(2)][: len(outputs)], merge)
        children = tuple(Branch(output) for output in outputs)
        ctx = Context(p=none, g=none, s=none, rng=rng, children=children)
        y = parallel.forward(ctx, np.empty((N, 2)))
        for m in range(M):
            parts = [output[m] if output.ndim == 3 else output for output in outputs]
            expected = np.hstack(parts) if merge == "concat" else sum(parts) / (1 if merge == "add" else len(parts))
            np.testing.assert_allclose(y[m], expected, rtol=1e-14)

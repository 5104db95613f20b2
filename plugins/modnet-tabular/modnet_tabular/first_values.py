"""First values that the papers ask for, and modnet's own initializers do not draw."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from modnet import Array, Initializer, Shape


class Around(Initializer):
    """U(−r, r), whatever the shape."""

    r: Annotated[float, Field(gt=0)]

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        return rng.uniform(-self.r, self.r, shape)


class Alike(Initializer):
    """U(−r, r) in the first row, and the same in all others: members of an ensemble start with one bias."""

    r: Annotated[float, Field(gt=0)]

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r), repeated along axis −2."""
        return np.repeat(rng.uniform(-self.r, self.r, (*shape[:-2], 1, shape[-1])), shape[-2], axis=-2)


class Signs(Initializer):
    """−1 or 1, each with probability ½."""

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return −1 and 1."""
        return rng.choice([-1.0, 1.0], shape)


def inverse_root(n: int) -> float:
    """Return 1/√n, the bound of first weights for n inputs in all these papers, as in PyTorch.

    Examples
    --------
    >>> inverse_root(4)
    0.5
    """
    return 1 / math.sqrt(n)

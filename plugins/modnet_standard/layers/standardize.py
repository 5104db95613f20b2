"""Standardize: inputs get mean 0 and standard deviation 1, as they have it in the data to train on.

Mean and deviation are taken once, before training starts.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from modnet import Array, Context, Parameter, Shape
from modnet_standard.initializers.constants import Ones, Zeros
from modnet_standard.layers.inputs import PerFeature, per_feature

_CONSTANT = 1e-12
"""A column whose standard deviation is this small beside its mean is constant: what is left is rounding in float64."""


class Standardize(PerFeature):
    """Standardized inputs: y = (x − μ) / σ, with the mean μ and the standard deviation σ of each column of the data.

    Both are taken from the rows to train on before training starts, with their weights, and stay as they are; a
    constant column has σ = 1. Before it has seen data it is the identity. ∂J/∂x = dy / σ.

    It is scikit-learn's StandardScaler as a layer: inside a branch it standardizes what the branch sees, and it is
    stored with the network.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance, The American Statistician 37 (how the
    statistics of two blocks of rows are joined).

    Examples
    --------
    >>> from modnet.layers import Dense, Standardize
    >>> [Standardize(), Dense(8, activation="tanh")]
    [Standardize(), Dense(units=8, activation=Tanh())]
    >>> list(Standardize().parameters((3,)))
    ['count', 'mean', 'rest', 'deviation', 'factor']
    """

    reads: ClassVar[frozenset[str]] = frozenset()
    adapts: ClassVar[bool] = True

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the state: the sum of weights, μ as mean + rest, σ, and the factor 1/σ, or 1 for constant columns.

        In float32 the mean is rounded; `rest` is what rounding took off. Without it blocks would not add up: for sorted
        values of mean 1e4 and σ = 1 in blocks of 200 the mean ends up 0.16 off, with it 0.0004.
        """
        count = {"count": Parameter((1, 1), Zeros(), trainable=False, regularized=False)}
        first = [("mean", Zeros()), ("rest", Zeros()), ("deviation", Zeros()), ("factor", Ones())]
        return count | per_feature(input_shape, first, trainable=False)

    def adapt(self, ctx: Context, x: Array, *, weight: Array | None = None) -> None:
        """Join the statistics of the rows seen before, a, with those of a block, b.

        With n = nₐ + nᵦ and δ = μᵦ − μₐ: μ = μₐ + δ nᵦ/n and σ² = (nₐ σₐ² + nᵦ σᵦ²)/n + δ² nₐ nᵦ/n².
        """
        s, x = ctx.s, x.astype(np.float64)
        share = np.ones(len(x)) if weight is None else weight.astype(np.float64)
        n_b = float(share.sum())
        if n_b == 0:
            return
        share = share[np.newaxis] / n_b
        mean_b = share @ x
        variance_b = share @ np.square(x - mean_b)
        n_a, mean_a = s.count.astype(np.float64), s.mean.astype(np.float64) + s.rest
        n, delta = n_a + n_b, mean_b - mean_a
        a, b = n_a / n, n_b / n
        mean = mean_a + delta * b
        deviation = np.sqrt(a * np.square(s.deviation, dtype=np.float64) + b * variance_b + np.square(delta) * a * b)
        constant = deviation <= _CONSTANT * np.abs(mean)
        s.count[...], s.mean[...], s.deviation[...] = n, mean, deviation
        s.rest[...] = mean - s.mean
        s.factor[...] = 1 / np.where(constant, 1, deviation)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return (x − μ) / σ."""
        y: Array = np.subtract(x, ctx.s.mean, out=ctx.out)
        np.multiply(y, ctx.s.factor, out=y)
        return y

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy / σ."""
        dx: Array = np.multiply(dy, ctx.s.factor, out=ctx.dx)
        return dx

"""Standardize: each column of the data with mean 0 and standard deviation 1.

Both are taken once, before training.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from modnet import Array, Blocks, Context, Graph, Parameter, Shape, Value
from modnet_standard.arrays import by_rows
from modnet_standard.initializers.distributions import Ones, Zeros
from modnet_standard.layers.inputs import PerFeature, per_feature

__all__ = ["Standardize"]


_CONSTANT = 1e-12
"""A column whose standard deviation is this small beside its mean is constant: what is left is rounding in float64."""


class Standardize(PerFeature):
    """Standardized inputs: y = (x − μ) / σ, with the mean μ and the standard deviation σ of each column of the data.

    Both are taken from the rows to train on before training starts, with their weights, at all positions of rows of
    several axes, and stay as they are; a constant column has σ = 1. Before it has seen data it is the identity.
    ∂J/∂x = dy / σ.

    It is scikit-learn's StandardScaler as a layer: inside a branch it standardizes what the branch sees, and it is
    stored with the network.

    Parameters
    ----------
    scale : bool
        Whether to divide by σ; False: y = x − μ.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

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
    ['mean', 'factor']
    """

    reads: ClassVar[frozenset[str]] = frozenset()
    adapts: ClassVar[bool] = True
    fixed: ClassVar[bool] = True

    scale: bool = True

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return the state: μ, and the factor 1/σ, or 1 for constant columns."""
        return per_feature(input_shape, [("mean", Zeros()), ("factor", Ones())], trainable=False)

    def adapt(self, ctx: Context, blocks: Blocks) -> None:
        """Join the statistics of the blocks before, a, with those of the next, b, in float64.

        With n = nₐ + nᵦ and δ = μᵦ − μₐ: μ = μₐ + δ nᵦ/n and σ² = (nₐ σₐ² + nᵦ σᵦ²)/n + δ² nₐ nᵦ/n².
        """
        positions = math.prod(ctx.input_shape[:-1])
        n, mean, variance = 0.0, np.zeros(ctx.s.mean.shape), np.zeros(ctx.s.mean.shape)
        for x, weight in blocks:
            share = np.ones(len(x)) if weight is None else weight.astype(np.float64)
            share, x = np.repeat(share, positions), by_rows(x).astype(np.float64)
            n_b = float(share.sum())
            share = share[np.newaxis] / n_b
            mean_b = share @ x
            x -= mean_b  # a copy, and the only one: blocks are what takes memory here
            variance_b = share @ np.square(x, out=x)
            n += n_b
            delta, b = mean_b - mean, n_b / n
            mean += delta * b
            variance += b * (variance_b - variance) + np.square(delta) * b * (1 - b)
        deviation = np.sqrt(variance)
        ctx.s.mean[...] = mean
        if self.scale:
            ctx.s.factor[...] = 1 / np.where(deviation <= _CONSTANT * np.abs(mean), 1, deviation)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return (x − μ) / σ."""
        y: Array = np.subtract(x, ctx.s.mean, out=ctx.out)
        np.multiply(y, ctx.s.factor, out=y)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return (x - graph.s.mean) * graph.s.factor

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy / σ."""
        dx: Array = np.multiply(dy, ctx.s.factor, out=ctx.dx)
        return dx

"""Normalizations of each row, LayerNorm and RMSNorm: a row is read, measured and written while it is in the cache."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np

from modnet import Array, Context, Module, Parameter, Shape, Slot
from modnet.layers import LayerNorm, RMSNorm
from modnet_numba.compiling import kernel


@kernel
def _forward(
    x: Array, gamma: Array | None, beta: Array | None, centered: bool, epsilon: float, statistics: Array, y: Array
) -> None:
    """Write y = γ ∘ (x − μ) r + β; statistics = μ, or 0 if not centered, and r = 1 / √(mean (x − μ)² + epsilon)."""
    n, d = x.shape
    number = x.dtype.type
    for i in range(n):
        mean = number(0)
        if centered:
            for j in range(d):
                mean += x[i, j]
            mean /= number(d)
        square = number(0)
        for j in range(d):
            square += (x[i, j] - mean) ** 2
        r = number(1) / np.sqrt(square / number(d) + number(epsilon))
        statistics[0, i], statistics[1, i] = mean, r
        for j in range(d):
            c = (x[i, j] - mean) * r
            c = c if gamma is None else c * gamma[0, j]
            y[i, j] = c if beta is None else c + beta[0, j]


@kernel
def _sums(x: Array, statistics: Array, dy: Array, dgamma: Array | None, dbeta: Array | None) -> None:
    """∂J/∂γ = Σ rows r (dy ∘ (x − μ)), ∂J/∂β = Σ rows dy."""
    if dgamma is not None:
        dgamma[:] = 0
    if dbeta is not None:
        dbeta[:] = 0
    for i in range(x.shape[0]):
        mean, r = statistics[0, i], statistics[1, i]
        for j in range(x.shape[1]):
            if dgamma is not None:
                dgamma[0, j] += dy[i, j] * (x[i, j] - mean) * r
            if dbeta is not None:
                dbeta[0, j] += dy[i, j]


@kernel
def _backward(x: Array, gamma: Array | None, centered: bool, statistics: Array, dy: Array, dx: Array) -> None:
    """Write dx = r (e − mean e − (x − μ) r² mean(e ∘ (x − μ))) with e = dy ∘ γ; without mean e if not centered."""
    n, d = x.shape
    number = x.dtype.type
    for i in range(n):
        mean, r = statistics[0, i], statistics[1, i]
        sum_e, sum_ec = number(0), number(0)
        for j in range(d):
            e = dy[i, j] if gamma is None else dy[i, j] * gamma[0, j]
            dx[i, j] = e
            sum_e += e
            sum_ec += e * (x[i, j] - mean)
        mean_e = sum_e / number(d) if centered else number(0)
        of_c = r * r * (sum_ec / number(d))
        for j in range(d):
            dx[i, j] = r * (dx[i, j] - mean_e - (x[i, j] - mean) * of_c)


class FusedRowNorm(Module):
    """The twin of LayerNorm or RMSNorm: y = γ ∘ (x − μ) / √(mean (x − μ)² + epsilon) + β, and its derivatives.

    Parameters
    ----------
    norm : LayerNorm or RMSNorm
        The original; for RMSNorm μ is 0.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    norm: Annotated[LayerNorm | RMSNorm, Slot("layer")]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it for both, with γ and β, with one of them, and with none."""
        return (*map(cls, LayerNorm.examples()), *map(cls, RMSNorm.examples()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return self.norm.output_shape(input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β."""
        return self.norm.parameters(input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = γ ∘ (x − μ) r + β."""
        norm = self.norm
        if _has_members(ctx, x):
            return norm.forward(ctx, x)
        y = np.empty(x.shape, x.dtype) if ctx.out is None else ctx.out
        gamma = ctx.p.gamma if norm.use_scale else None
        beta = ctx.p.beta if norm.use_bias else None
        statistics = ctx.scratch("statistics", (2, len(x)), x.dtype)
        _forward(x, gamma, beta, isinstance(norm, LayerNorm), norm.epsilon, statistics, y)
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ and ∂J/∂β."""
        norm = self.norm
        if _has_members(ctx, dy):
            norm.grad_params(ctx, dy)
        elif norm.use_scale or norm.use_bias:
            dgamma = ctx.g.gamma if norm.use_scale else None
            dbeta = ctx.g.beta if norm.use_bias else None
            _sums(ctx.x, ctx.scratch("statistics", (2, len(dy)), dy.dtype), dy, dgamma, dbeta)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x."""
        norm = self.norm
        if _has_members(ctx, dy):
            return norm.grad_input(ctx, dy)
        dx = np.empty(dy.shape, dy.dtype) if ctx.dx is None else ctx.dx
        gamma = ctx.p.gamma if norm.use_scale else None
        statistics = ctx.scratch("statistics", (2, len(dy)), dy.dtype)
        _backward(ctx.x, gamma, isinstance(norm, LayerNorm), statistics, dy, dx)
        return dx


def _has_members(ctx: Context, x: Array) -> bool:
    """Return whether there is a leading axis of members: it is left to the original."""
    return x.ndim > 2 or any(each.ndim > 2 for each in vars(ctx.p).values())

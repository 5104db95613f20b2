"""Batch normalization: statistics, running statistics and output in one call; nothing kept but mean and spread."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np

from modnet import Array, Context, Module, Parameter, Shape, Slot
from modnet.layers import BatchNorm
from modnet_numba.compiling import kernel


@kernel
def _forward(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    running_mean: Array,
    running_variance: Array,
    by_batch: bool,
    momentum: float,
    epsilon: float,
    statistics: Array,
    y: Array,
) -> None:
    """Write y = γ ∘ (x − μ) r + β; statistics = μ and r = 1 / √(σ² + epsilon), of the batch or the running ones."""
    n, d = x.shape
    number = x.dtype.type
    mean, r = statistics[0], statistics[1]
    if by_batch:
        mean[:] = 0
        r[:] = 0  # holds the variance at first
        for i in range(n):
            for j in range(d):
                mean[j] += x[i, j]
        for j in range(d):
            mean[j] /= number(n)
        for i in range(n):
            for j in range(d):
                r[j] += (x[i, j] - mean[j]) ** 2
        old, new, unbiased = number(1 - momentum), number(momentum), number(n / (n - 1))
        for j in range(d):
            r[j] /= number(n)
            running_mean[0, j] = old * running_mean[0, j] + new * mean[j]
            running_variance[0, j] = old * running_variance[0, j] + new * (unbiased * r[j])
    else:
        mean[:] = running_mean[0]
        r[:] = running_variance[0]
    for j in range(d):
        r[j] = number(1) / np.sqrt(r[j] + number(epsilon))
    for i in range(n):
        for j in range(d):
            c = (x[i, j] - mean[j]) * (r[j] if gamma is None else gamma[0, j] * r[j])
            y[i, j] = c if beta is None else c + beta[0, j]


@kernel
def _sums(x: Array, statistics: Array, dy: Array, dgamma: Array, dbeta: Array) -> None:
    """∂J/∂γ = r ∘ Σ rows dy ∘ (x − μ), ∂J/∂β = Σ rows dy."""
    mean, r = statistics[0], statistics[1]
    dgamma[:] = 0
    dbeta[:] = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            dgamma[0, j] += dy[i, j] * (x[i, j] - mean[j])
            dbeta[0, j] += dy[i, j]
    for j in range(x.shape[1]):
        dgamma[0, j] *= r[j]


@kernel
def _backward(
    x: Array, gamma: Array | None, statistics: Array, by_batch: bool, dgamma: Array, dbeta: Array, dy: Array, dx: Array
) -> None:
    """Write dx = γ r ∘ (dy − ∂J/∂β / n − (x − μ) r ∘ ∂J/∂γ / n), or γ r ∘ dy for the running statistics."""
    n, d = x.shape
    mean, r = statistics[0], statistics[1]
    gain, of_one, of_c = np.empty(d, x.dtype), np.empty(d, x.dtype), np.empty(d, x.dtype)
    for j in range(d):
        gain[j] = r[j] if gamma is None else gamma[0, j] * r[j]
        of_one[j], of_c[j] = dbeta[0, j] / x.dtype.type(n), r[j] * dgamma[0, j] / x.dtype.type(n)
    for i in range(n):
        if by_batch:
            for j in range(d):
                dx[i, j] = (dy[i, j] - of_one[j] - (x[i, j] - mean[j]) * of_c[j]) * gain[j]
        else:
            for j in range(d):
                dx[i, j] = dy[i, j] * gain[j]


class FusedBatchNorm(Module):
    """The twin of batch normalization: y = γ ∘ (x − μ) / √(σ² + epsilon) + β, and its derivatives.

    Parameters
    ----------
    norm : BatchNorm
        The original.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    norm: Annotated[BatchNorm, Slot("layer")]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with γ and β, with one of them, and with none."""
        return tuple(cls(example) for example in BatchNorm.examples())

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return self.norm.output_shape(input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β, and the running mean and variance as state."""
        return self.norm.parameters(input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = γ ∘ (x − μ) r + β."""
        if _has_members(ctx, x):
            return self.norm.forward(ctx, x)
        y = np.empty(x.shape, x.dtype) if ctx.out is None else ctx.out
        _forward(
            x,
            ctx.p.gamma if self.norm.use_scale else None,
            ctx.p.beta if self.norm.use_bias else None,
            ctx.s.mean,
            ctx.s.variance,
            ctx.training and len(x) > 1,
            self.norm.momentum,
            self.norm.epsilon,
            ctx.scratch("statistics", (2, x.shape[-1]), x.dtype),
            y,
        )
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ and ∂J/∂β."""
        if _has_members(ctx, dy):
            self.norm.grad_params(ctx, dy)
            return
        dgamma, dbeta = self._gradients(ctx)
        _sums(ctx.x, ctx.scratch("statistics", (2, dy.shape[-1]), dy.dtype), dy, dgamma, dbeta)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x."""
        if _has_members(ctx, dy):
            return self.norm.grad_input(ctx, dy)
        dgamma, dbeta = self._gradients(ctx)
        dx = np.empty(dy.shape, dy.dtype) if ctx.dx is None else ctx.dx
        statistics = ctx.scratch("statistics", (2, dy.shape[-1]), dy.dtype)
        gamma = ctx.p.gamma if self.norm.use_scale else None
        _backward(ctx.x, gamma, statistics, ctx.training and len(dy) > 1, dgamma, dbeta, dy, dx)
        return dx

    def _gradients(self, ctx: Context) -> tuple[Array, Array]:
        """Return where ∂J/∂γ and ∂J/∂β are kept: ∂J/∂x needs both, also where γ or β is left out."""
        shape, dtype = ctx.s.mean.shape, ctx.s.mean.dtype
        dgamma = ctx.g.gamma if self.norm.use_scale else ctx.scratch("dγ", shape, dtype)
        dbeta = ctx.g.beta if self.norm.use_bias else ctx.scratch("dβ", shape, dtype)
        return dgamma, dbeta


def _has_members(ctx: Context, x: Array) -> bool:
    """Return whether there is a leading axis of members: it is left to the original."""
    return x.ndim > 2 or ctx.s.mean.ndim > 2

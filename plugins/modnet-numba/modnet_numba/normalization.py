"""Normalizations, of each column over the batch and of each row: what is measured and what it is for in one call.

Nothing is kept for the way back but a mean and a spread of each column, or of each row.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np

from modnet import Array, Context, Module, Parameter, Shape, Slot
from modnet.layers import BatchNorm, LayerNorm, RMSNorm
from modnet_numba.compiling import kernel, part, readable
from modnet_numba.products import by_rows


@part
def _normalize(
    lines: range, x: Array, rows: Array | None, columns: Array | None, gamma: Array | None, beta: Array | None, y: Array
) -> None:
    """Write y = γ ∘ (x − μ) r + β in some lines, given μ and r of each row or of each column."""
    zero = x.dtype.type(0)
    for i in lines:
        mean, r = (zero, zero) if rows is None else (rows[0, i], rows[1, i])
        for j in range(x.shape[1]):
            if columns is not None:
                mean, r = columns[0, j], columns[1, j]
            c = (x[i, j] - mean) * (r if gamma is None else r * gamma[0, j])
            y[i, j] = c if beta is None else c + beta[0, j]


@part
def _project(lines: range, x: Array, rows: Array | None, columns: Array | None, e: Array | None, dx: Array) -> None:
    """Write dx = r (e − p − (x − μ) q) in some lines, given μ, r, p and q of each row or column; no e: dx holds it."""
    zero = x.dtype.type(0)
    for i in lines:
        mean, r, p, q = (zero, zero, zero, zero) if rows is None else (rows[0, i], rows[1, i], rows[2, i], rows[3, i])
        for j in range(x.shape[1]):
            if columns is not None:
                mean, r, p, q = columns[0, j], columns[1, j], columns[2, j], columns[3, j]
            dx[i, j] = r * ((dx[i, j] if e is None else e[i, j]) - p - (x[i, j] - mean) * q)


@kernel
def _by_columns(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    running_mean: Array,
    running_variance: Array,
    by_batch: bool,
    momentum: float,
    epsilon: float,
    columns: Array,
    y: Array,
) -> None:
    """Write y = γ ∘ (x − μ) r + β; columns = μ and r = 1 / √(σ² + epsilon), of the batch or the running ones."""
    n, d = x.shape
    number = x.dtype.type
    mean, r = columns[0], columns[1]
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
    _normalize(range(n), x, None, columns, gamma, beta, y)


@kernel
def _by_rows(
    x: Array, gamma: Array | None, beta: Array | None, centered: bool, epsilon: float, rows: Array, y: Array
) -> None:
    """Write y = γ ∘ (x − μ) r + β; rows = μ, or 0 if not centered, and r = 1 / √(mean (x − μ)² + epsilon)."""
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
        rows[0, i], rows[1, i] = mean, number(1) / np.sqrt(square / number(d) + number(epsilon))
        _normalize(range(i, i + 1), x, rows, None, gamma, beta, y)


@kernel
def _sums(
    x: Array, rows: Array | None, columns: Array | None, dy: Array, dgamma: Array | None, dbeta: Array | None
) -> None:
    """∂J/∂γ = Σ rows dy ∘ (x − μ) r, ∂J/∂β = Σ rows dy, given μ and r of each row or of each column."""
    if dgamma is not None:
        dgamma[:] = 0
    if dbeta is not None:
        dbeta[:] = 0
    zero = x.dtype.type(0)
    for i in range(x.shape[0]):
        mean, r = (zero, zero) if rows is None else (rows[0, i], rows[1, i])
        for j in range(x.shape[1]):
            if dgamma is not None and rows is not None:
                dgamma[0, j] += dy[i, j] * (x[i, j] - mean) * r
            if dgamma is not None and columns is not None:
                dgamma[0, j] += dy[i, j] * (x[i, j] - columns[0, j])
            if dbeta is not None:
                dbeta[0, j] += dy[i, j]
    if dgamma is not None and columns is not None:
        for j in range(x.shape[1]):
            dgamma[0, j] *= columns[1, j]


@kernel
def _back_by_columns(
    x: Array, gamma: Array | None, columns: Array, by_batch: bool, dgamma: Array, dbeta: Array, dy: Array, dx: Array
) -> None:
    """Write dx = γ r ∘ (dy − ∂J/∂β / n − (x − μ) r ∘ ∂J/∂γ / n), or γ r ∘ dy for the running statistics."""
    n, d = x.shape
    number = x.dtype.type
    of = np.empty((4, d), x.dtype)
    for j in range(d):
        r = columns[1, j]
        of[0, j], of[1, j] = columns[0, j], r if gamma is None else gamma[0, j] * r
        of[2, j], of[3, j] = dbeta[0, j] / number(n), r * dgamma[0, j] / number(n)
    if by_batch:
        _project(range(n), x, None, of, dy, dx)
    else:
        for i in range(n):
            for j in range(d):
                dx[i, j] = dy[i, j] * of[1, j]


@kernel
def _back_by_rows(x: Array, gamma: Array | None, centered: bool, rows: Array, dy: Array, dx: Array) -> None:
    """Write dx = r (e − mean e − (x − μ) r² mean(e ∘ (x − μ))) with e = dy ∘ γ; without mean e if not centered."""
    n, d = x.shape
    number = x.dtype.type
    of = np.empty((4, n), x.dtype)
    for i in range(n):
        mean, r = rows[0, i], rows[1, i]
        for j in range(d):
            dx[i, j] = dy[i, j] if gamma is None else dy[i, j] * gamma[0, j]
        sum_e, sum_ec = number(0), number(0)
        for j in range(d):  # sums in a loop that stores nothing, as in squared_error
            sum_e += dx[i, j]
            sum_ec += dx[i, j] * (x[i, j] - mean)
        of[0, i], of[1, i] = mean, r
        of[2, i], of[3, i] = sum_e / number(d) if centered else number(0), r * r * (sum_ec / number(d))
        _project(range(i, i + 1), x, of, None, None, dx)


def _readable(x: Array) -> Array:
    """Return x by rows, as kernels take what they only read."""
    return readable(by_rows(x))


class FusedNorm(Module):
    """A normalization, fused: y = γ ∘ (x − μ) / √(σ² + epsilon) + β, and its derivatives.

    Parameters
    ----------
    norm : BatchNorm, LayerNorm or RMSNorm
        The original. μ and σ² are those of each column over the batch (BatchNorm) or of each row; for RMSNorm μ is 0.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    norm: Annotated[BatchNorm | LayerNorm | RMSNorm, Slot("layer")]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it for all three, with γ and β, with one of them, and with none."""
        return tuple(cls(example) for norm in (BatchNorm, LayerNorm, RMSNorm) for example in norm.examples())

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return self.norm.output_shape(input_shape)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β, and of BatchNorm the running mean and variance as state."""
        return self.norm.parameters(input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = γ ∘ (x − μ) r + β."""
        norm, statistics = self.norm, self._statistics(ctx, x)
        y = np.empty(x.shape, x.dtype) if ctx.out is None else ctx.out
        gamma, beta = self._gamma(ctx), readable(ctx.p.beta) if norm.use_bias else None
        if type(norm) is BatchNorm:
            by_batch, mean, variance = self._by_batch(ctx, x), ctx.s.mean, ctx.s.variance
            if not by_batch:
                mean, variance = readable(mean), readable(variance)
            settings = by_batch, norm.momentum, norm.epsilon
            _by_columns(_readable(x), gamma, beta, mean, variance, *settings, statistics, by_rows(y))
        else:
            _by_rows(_readable(x), gamma, beta, type(norm) is LayerNorm, norm.epsilon, statistics, by_rows(y))
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ and ∂J/∂β."""
        dgamma, dbeta = self._gradients(ctx)
        if dgamma is not None or dbeta is not None:
            statistics = self._statistics(ctx, dy)
            rows, columns = (None, statistics) if type(self.norm) is BatchNorm else (statistics, None)
            _sums(_readable(ctx.x), rows, columns, by_rows(dy), dgamma, dbeta)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x."""
        x, statistics = _readable(ctx.x), self._statistics(ctx, dy)
        dx = np.empty(dy.shape, dy.dtype) if ctx.dx is None else ctx.dx
        if type(self.norm) is BatchNorm:
            sums = self._by_batch(ctx, dy), *self._gradients(ctx)
            _back_by_columns(x, self._gamma(ctx), statistics, *sums, by_rows(dy), by_rows(dx))
        else:
            _back_by_rows(x, self._gamma(ctx), type(self.norm) is LayerNorm, statistics, by_rows(dy), by_rows(dx))
        return dx

    def _statistics(self, ctx: Context, x: Array) -> Array:
        """Return where μ and r are kept, of each column or of each row."""
        size = x.shape[-1] if type(self.norm) is BatchNorm else math.prod(x.shape[:-1])
        return ctx.scratch("statistics", (2, size), x.dtype)

    @staticmethod
    def _by_batch(ctx: Context, x: Array) -> bool:
        """Return whether BatchNorm goes by the batch: one number has no variance."""
        return ctx.training and math.prod(x.shape[:-1]) > 1

    def _gamma(self, ctx: Context) -> Array | None:
        return readable(ctx.p.gamma) if self.norm.use_scale else None

    def _gradients(self, ctx: Context) -> tuple[Array | None, Array | None]:
        """Return where ∂J/∂γ and ∂J/∂β are kept; BatchNorm's ∂J/∂x needs both, also where γ or β is left out."""
        dgamma = ctx.g.gamma if self.norm.use_scale else None
        dbeta = ctx.g.beta if self.norm.use_bias else None
        if type(self.norm) is BatchNorm:
            shape, dtype = ctx.s.mean.shape, ctx.s.mean.dtype
            dgamma = ctx.scratch("dγ", shape, dtype) if dgamma is None else dgamma
            dbeta = ctx.scratch("dβ", shape, dtype) if dbeta is None else dbeta
        return dgamma, dbeta

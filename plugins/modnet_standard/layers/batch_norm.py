"""BatchNorm: every feature is standardized over the batch, then given a mean and a scale that are learnt."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Parameter, Shape, Unit
from modnet_standard.initializers.ones import Ones
from modnet_standard.initializers.zeros import Zeros
from modnet_standard.layers.shapes import features, shape_with
from modnet_standard.products import column_sums


class BatchNorm(Module):
    """Batch normalization: y = γ ∘ x̂ + β with x̂ = (x − μ) / √(σ² + epsilon), μ and σ² of each feature over the batch.

    In prediction μ and σ² are running means over the batches of training. With r = 1 / √(σ² + epsilon) and n rows the
    derivatives are ∂J/∂γ = Σ rows dy ∘ x̂, ∂J/∂β = Σ rows dy and, through μ and σ² as well,
    ∂J/∂x = γ r ∘ (dy − ∂J/∂β / n − x̂ ∘ ∂J/∂γ / n); in prediction γ r ∘ dy.

    One row has no variance: a batch of one is normalized by the running statistics, also in training, and leaves them
    as they are.

    Parameters
    ----------
    momentum : float
        Share of the newest batch in the running statistics, in [0, 1], as in PyTorch; Keras calls 1 − momentum so.
    epsilon : float
        Added to the variance, > 0.
    use_scale, use_bias : bool
        Whether there is a γ, and a β.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Ioffe & Szegedy (2015), Batch normalization: accelerating deep network training by reducing internal covariate
    shift, ICML, algorithm 1 (forward) and sec. 3 (derivatives).

    Examples
    --------
    >>> from modnet.layers import BatchNorm
    >>> BatchNorm(momentum=0.01)
    BatchNorm(momentum=0.01)
    >>> {name: each.trainable for name, each in BatchNorm().parameters((3,)).items()}
    {'gamma': True, 'beta': True, 'mean': False, 'variance': False}
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    momentum: Unit = 0.1
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5
    use_scale: bool = True
    use_bias: bool = True

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with γ and β, with one of them, and with none."""
        return (cls(), cls(use_scale=False), cls(use_bias=False), cls(0.5, 0.1, use_scale=False, use_bias=False))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        features(input_shape)
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β, not regularized, and the running mean and variance as state; shape (1, n_in) each."""
        shape = (1, features(input_shape))
        gamma, beta = Parameter(shape, Ones(), regularized=False), Parameter(shape, Zeros(), regularized=False)
        return {
            **({"gamma": gamma} if self.use_scale else {}),
            **({"beta": beta} if self.use_bias else {}),
            "mean": Parameter(shape, Zeros(), trainable=False, regularized=False),
            "variance": Parameter(shape, Ones(), trainable=False, regularized=False),
        }

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = c ∘ γ r + β with c = x − μ and r = 1 / √(σ² + epsilon)."""
        c = ctx.scratch("c", shape_with(x, ctx.s.mean), x.dtype)
        r = ctx.scratch("r", ctx.s.variance.shape, x.dtype)
        n = x.shape[-2]
        if _by_batch(ctx, n):
            mean = column_sums(x) / n
            np.subtract(x, mean, out=c)
            variance = column_sums(np.square(c, out=ctx.scratch("c²", c.shape, c.dtype))) / n
            self._remember(ctx, mean, variance * (n / (n - 1)))
        else:
            np.subtract(x, ctx.s.mean, out=c)
            variance = ctx.s.variance
        np.add(variance, self.epsilon, out=r)
        np.divide(1, np.sqrt(r, out=r), out=r)
        y: Array = np.multiply(c, self._gain(ctx, r), out=ctx.out)
        return np.add(y, ctx.p.beta, out=y) if self.use_bias else y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ = r ∘ Σ rows dy ∘ c and ∂J/∂β = Σ rows dy."""
        c = ctx.scratch("c", dy.shape, dy.dtype)
        r = ctx.scratch("r", ctx.s.variance.shape, dy.dtype)
        dbeta, dgamma = self._sums(ctx)
        column_sums(dy, out=dbeta)
        column_sums(np.multiply(dy, c, out=ctx.scratch("c²", c.shape, c.dtype)), out=dgamma)
        np.multiply(dgamma, r, out=dgamma)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return γ r ∘ (dy − ∂J/∂β / n − c ∘ r ∂J/∂γ / n), or γ r ∘ dy where μ and σ² are the running ones."""
        c = ctx.scratch("c", dy.shape, dy.dtype)
        r = ctx.scratch("r", ctx.s.variance.shape, dy.dtype)
        n = dy.shape[-2]
        if not _by_batch(ctx, n):
            return np.multiply(dy, self._gain(ctx, r), out=ctx.dx)
        dbeta, dgamma = self._sums(ctx)
        dx: Array = np.multiply(c, r * dgamma / -n, out=ctx.dx)
        np.add(dx, dy, out=dx)
        np.subtract(dx, dbeta / n, out=dx)
        return np.multiply(dx, self._gain(ctx, r), out=dx)

    def _remember(self, ctx: Context, mean: Array, variance: Array) -> None:
        """Move the running statistics towards those of a batch."""
        for running, batch in ((ctx.s.mean, mean), (ctx.s.variance, variance)):
            np.multiply(running, 1 - self.momentum, out=running)
            np.add(running, self.momentum * batch, out=running)

    def _gain(self, ctx: Context, r: Array) -> Array:
        """Return γ r, what x − μ is multiplied with."""
        return ctx.p.gamma * r if self.use_scale else r

    def _sums(self, ctx: Context) -> tuple[Array, Array]:
        """Return where ∂J/∂β and ∂J/∂γ are kept: ∂J/∂x needs both, also where β or γ is left out."""
        shape, dtype = ctx.s.mean.shape, ctx.s.mean.dtype
        dbeta = ctx.g.beta if self.use_bias else ctx.scratch("dβ", shape, dtype)
        dgamma = ctx.g.gamma if self.use_scale else ctx.scratch("dγ", shape, dtype)
        return dbeta, dgamma


def _by_batch(ctx: Context, n: int) -> bool:
    """Whether the statistics are those of the batch of n rows."""
    return ctx.training and n > 1

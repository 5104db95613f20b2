"""Layers that normalize: every feature over the batch, or every row over its features.

The layers behind see numbers of one size, whatever the layers before do.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self, final

import numpy as np
from pydantic import Field

from modnet import Array, Context, Graph, Parameter, Shape, Unit, Value
from modnet_standard.arrays import column_sums, ones, row_sums, transposed_product
from modnet_standard.initializers.distributions import Ones, Zeros
from modnet_standard.layers.inputs import PerFeature, per_feature

__all__ = ["BatchNorm", "LayerNorm", "RMSNorm"]


class BatchNorm(PerFeature):
    """Batch normalization: y = γ ∘ x̂ + β with x̂ = (x − μ) / √(σ² + epsilon), μ and σ² of each feature over the batch.

    In prediction μ and σ² are running means over the batches of training. Rows of several axes have a feature at
    several positions, which all count: n is the product of all axes but the last. With r = 1 / √(σ² + epsilon) the
    derivatives are ∂J/∂γ = Σ rows dy ∘ x̂, ∂J/∂β = Σ rows dy and, through μ and σ² as well,
    ∂J/∂x = γ r ∘ (dy − ∂J/∂β / n − x̂ ∘ ∂J/∂γ / n); in prediction γ r ∘ dy.

    One number has no variance: a batch of one row of one axis is normalized by the running statistics, also in
    training, and leaves them as they are.

    Parameters
    ----------
    momentum : float
        Share of the newest batch in the running statistics, in [0, 1], as in PyTorch; Keras's is one minus it.
    epsilon : float
        Added to the variance, > 0.
    use_scale, use_bias : bool
        Whether there is a γ, and a β.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

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

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β, not regularized, and the running mean and variance as state; shape (1, n_in) each."""
        state = per_feature(input_shape, [("mean", Zeros()), ("variance", Ones())], trainable=False)
        return _gain_and_shift(input_shape, self.use_scale, self.use_bias) | state

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = c ∘ γ r + β with c = x − μ and r = 1 / √(σ² + epsilon)."""
        c = ctx.scratch("c", x.shape, x.dtype)
        r = ctx.scratch("r", ctx.s.variance.shape, x.dtype)
        n = math.prod(x.shape[:-1])
        if ctx.training and n > 1:
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

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        x = (x - graph.s.mean) / (graph.s.variance + self.epsilon).sqrt()
        return _gained_and_shifted(self, graph, x)

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
        n = math.prod(dy.shape[:-1])
        if not (ctx.training and n > 1):
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


class RowNorm(PerFeature):
    """What normalizations of rows share: y = γ ∘ (c r) + β with r = 1 / √(mean c² + epsilon), c being centred or not.

    Parameters
    ----------
    epsilon : float
        Added to the mean of squares, > 0.
    use_scale, use_bias : bool
        Whether there is a γ, and a β.
    """

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5
    use_scale: bool = True
    use_bias: bool = True

    @final
    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β, not regularized, shape (1, n_in) each."""
        return _gain_and_shift(input_shape, self.use_scale, self.use_bias)

    def normalized(self, ctx: Context, c: Array) -> Array:
        """Return γ ∘ (c r) + β, and keep r.

        Parameters
        ----------
        ctx : Context
            Where r is kept.
        c : ndarray, shape (n, …, n_in)
            The row, centred or not.

        Returns
        -------
        ndarray, shape of c
            What `forward` returns.
        """
        r = self.r(ctx, c)
        with np.errstate(over="ignore"):  # r = 1/∞ = 0 then: y = β
            squares = np.square(c, out=ctx.scratch("c²", c.shape, c.dtype))
            np.divide(row_sums(squares), c.shape[-1], out=r)
        np.add(r, self.epsilon, out=r)
        np.divide(1, np.sqrt(r, out=r), out=r)
        y: Array = np.multiply(c, r, out=ctx.out)
        if self.use_scale:
            np.multiply(y, ctx.p.gamma, out=y)
        return np.add(y, ctx.p.beta, out=y) if self.use_bias else y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        c = self.onnx_centred(x)
        return _gained_and_shifted(self, graph, c / ((c * c).mean() + self.epsilon).sqrt())

    def onnx_centred(self, x: Value) -> Value:
        """Write c, centred or not.

        Parameters
        ----------
        x : Value
            The input.

        Returns
        -------
        Value
            Of the shape of x.
        """
        return x

    def write_gradients(self, ctx: Context, dy: Array, c: Array) -> None:
        """Write ∂J/∂γ = Σ rows r (dy ∘ c) and ∂J/∂β = Σ rows dy, and keep dy ∘ c.

        Parameters
        ----------
        ctx : Context
            As `forward` left it.
        dy, c : ndarray, shape (n, …, n_in)
            The gradient ∂J/∂y, and what was normalized.
        """
        products = np.multiply(dy, c, out=ctx.scratch("c²", dy.shape, dy.dtype))
        if self.use_scale:
            transposed_product(self.r(ctx, dy), products, out=ctx.g.gamma)
        if self.use_bias:
            column_sums(dy, out=ctx.g.beta)

    def without_growth(self, ctx: Context, dy: Array, c: Array) -> Array:
        """Return e − c r² mean(e ∘ c) with e = dy ∘ γ: what would only make a row longer changes nothing.

        Parameters
        ----------
        ctx, dy, c : Context, and two ndarrays
            As for `write_gradients`, which comes before.

        Returns
        -------
        ndarray, shape of dy
            In ``ctx.dx`` if there is one.
        """
        products, gamma = ctx.scratch("c²", dy.shape, dy.dtype), self.gamma(ctx, dy)
        mean = products @ gamma.T / dy.shape[-1]  # a row's sum of dy ∘ c ∘ γ is (dy ∘ c) γᵀ
        e = np.multiply(dy, gamma, out=ctx.dx)
        np.subtract(e, c * (np.square(self.r(ctx, dy)) * mean), out=e)
        return e

    def gamma(self, ctx: Context, dy: Array) -> Array:
        """Return γ, or ones.

        Parameters
        ----------
        ctx, dy : Context, and ndarray of shape (n, …, n_in)
            As for `write_gradients`.

        Returns
        -------
        ndarray, shape (1, n_in)
            Not to be changed.
        """
        gamma: Array = ctx.p.gamma if self.use_scale else ones((1, dy.shape[-1]), dy.dtype)
        return gamma

    def r(self, ctx: Context, x: Array) -> Array:
        """Return memory for r.

        Parameters
        ----------
        ctx : Context
            Where it is kept.
        x : ndarray, shape (n, …, n_in)
            Its shape and dtype count.

        Returns
        -------
        ndarray, shape (n, …, 1)
            As it was written last.
        """
        return ctx.scratch("r", (*x.shape[:-1], 1), x.dtype)


class LayerNorm(RowNorm):
    """Layer normalization: y = γ ∘ x̂ + β with x̂ = (x − μ) / √(σ² + epsilon), μ and σ² of each row over its features.

    It does the same in training and in prediction. With r = 1 / √(σ² + epsilon) and means over the features of a row
    the derivatives are ∂J/∂γ = Σ rows dy ∘ x̂, ∂J/∂β = Σ rows dy and
    ∂J/∂x = r (e − mean e − x̂ mean(e ∘ x̂)) with e = dy ∘ γ.

    Parameters
    ----------
    epsilon : float
        Added to the variance, > 0.
    use_scale, use_bias : bool
        Whether there is a γ, and a β.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Ba, Kiros & Hinton (2016), Layer normalization, arXiv:1607.06450, eq. 3 and 4.

    Examples
    --------
    >>> from modnet.layers import LayerNorm
    >>> LayerNorm(use_bias=False)
    LayerNorm(use_bias=False)
    >>> LayerNorm().output_shape((8,))
    (8,)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with γ and β, with one of them, and with none."""
        return (cls(), cls(use_scale=False), cls(use_bias=False), cls(0.1, use_scale=False, use_bias=False))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = γ ∘ (c r) + β with c = x − μ and r = 1 / √(σ² + epsilon)."""
        c = np.subtract(x, row_sums(x) / x.shape[-1], out=ctx.scratch("c", x.shape, x.dtype))
        return self.normalized(ctx, c)

    def onnx_centred(self, x: Value) -> Value:
        """Return c = x − μ."""
        return x - x.mean()

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ = Σ rows r (dy ∘ c) and ∂J/∂β = Σ rows dy."""
        self.write_gradients(ctx, dy, ctx.scratch("c", dy.shape, dy.dtype))

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return r (e − mean e − c r² mean(e ∘ c)) with e = dy ∘ γ."""
        mean = dy @ self.gamma(ctx, dy).T / dy.shape[-1]  # a row's sum of dy ∘ γ is dy γᵀ: no pass of its own
        e = self.without_growth(ctx, dy, ctx.scratch("c", dy.shape, dy.dtype))
        np.subtract(e, mean, out=e)
        return np.multiply(e, self.r(ctx, dy), out=e)


class RMSNorm(RowNorm):
    """Root mean square normalization: y = γ ∘ x̂ + β with x̂ = x / √(mean x² + epsilon), the mean of each row's features.

    With r = 1 / √(mean x² + epsilon) and means over the features of a row the derivatives are
    ∂J/∂γ = Σ rows dy ∘ x̂, ∂J/∂β = Σ rows dy and ∂J/∂x = r (e − x̂ mean(e ∘ x̂)) with e = dy ∘ γ.

    Parameters
    ----------
    epsilon : float
        Added to the mean square, > 0; the default is that of `layer_norm` (PyTorch's depends on the dtype, Keras's is
        1e-6).
    use_scale, use_bias : bool
        Whether there is a γ, and a β; the paper has γ only.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Zhang & Sennrich (2019), Root mean square layer normalization, NeurIPS 32, eq. 4.

    Examples
    --------
    >>> from modnet.layers import RMSNorm
    >>> RMSNorm()
    RMSNorm()
    >>> list(RMSNorm().parameters((8,)))
    ['gamma']
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    use_bias: bool = False

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with γ, with β, with both, and with none."""
        return (cls(), cls(use_scale=False, use_bias=True), cls(use_bias=True), cls(0.1, use_scale=False))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = γ ∘ (x r) + β with r = 1 / √(mean x² + epsilon)."""
        return self.normalized(ctx, x)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ = Σ rows r (dy ∘ x) and ∂J/∂β = Σ rows dy."""
        self.write_gradients(ctx, dy, ctx.x)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return r (e − x r² mean(e ∘ x)) with e = dy ∘ γ."""
        e = self.without_growth(ctx, dy, ctx.x)
        return np.multiply(e, self.r(ctx, dy), out=e)


def _gain_and_shift(input_shape: Shape, use_scale: bool, use_bias: bool) -> dict[str, Parameter]:
    """Return γ and β, or those of them that are used."""
    wanted = [("gamma", Ones())] * use_scale + [("beta", Zeros())] * use_bias
    return per_feature(input_shape, wanted)


def _gained_and_shifted(layer: BatchNorm | RowNorm, graph: Graph, y: Value) -> Value:
    """Write γ ∘ y + β, or what there is of them."""
    y = y * graph.p.gamma if layer.use_scale else y
    return y + graph.p.beta if layer.use_bias else y

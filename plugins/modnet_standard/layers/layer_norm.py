"""LayerNorm: every row is standardized over its features, so rows do not depend on each other."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Module, Parameter, Shape
from modnet_standard.constants import ones
from modnet_standard.initializers.ones import Ones
from modnet_standard.initializers.zeros import Zeros
from modnet_standard.layers.shapes import features, shape_with
from modnet_standard.products import column_sums, row_sums


class LayerNorm(Module):
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
        If the input has more than one axis per row.

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

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5
    use_scale: bool = True
    use_bias: bool = True

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with γ and β, with one of them, and with none."""
        return (cls(), cls(use_scale=False), cls(use_bias=False), cls(0.1, use_scale=False, use_bias=False))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        features(input_shape)
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return γ and β, not regularized, shape (1, n_in) each."""
        shape = (1, features(input_shape))
        gamma, beta = Parameter(shape, Ones(), regularized=False), Parameter(shape, Zeros(), regularized=False)
        return {**({"gamma": gamma} if self.use_scale else {}), **({"beta": beta} if self.use_bias else {})}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = γ ∘ (c r) + β with c = x − μ and r = 1 / √(σ² + epsilon)."""
        shape, n = shape_with(x, *vars(ctx.p).values()), x.shape[-1]
        c, squares = ctx.scratch("c", shape, x.dtype), ctx.scratch("c²", shape, x.dtype)
        r = ctx.scratch("r", (*shape[:-1], 1), x.dtype)
        np.subtract(x, row_sums(x) / n, out=c)
        np.divide(row_sums(np.square(c, out=squares)), n, out=r)
        np.add(r, self.epsilon, out=r)
        np.divide(1, np.sqrt(r, out=r), out=r)
        y: Array = np.multiply(c, r, out=ctx.out)
        if self.use_scale:
            np.multiply(y, ctx.p.gamma, out=y)
        return np.add(y, ctx.p.beta, out=y) if self.use_bias else y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ = Σ rows r (dy ∘ c) and ∂J/∂β = Σ rows dy."""
        r = ctx.scratch("r", (*dy.shape[:-1], 1), dy.dtype)
        c, products = ctx.scratch("c", dy.shape, dy.dtype), ctx.scratch("c²", dy.shape, dy.dtype)
        np.multiply(dy, c, out=products)
        if self.use_scale:
            np.matmul(r.mT, products, out=ctx.g.gamma)
        if self.use_bias:
            column_sums(dy, out=ctx.g.beta)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return r (e − mean e − c r² mean(e ∘ c)) with e = dy ∘ γ."""
        r, n = ctx.scratch("r", (*dy.shape[:-1], 1), dy.dtype), dy.shape[-1]
        c, products = ctx.scratch("c", dy.shape, dy.dtype), ctx.scratch("c²", dy.shape, dy.dtype)
        gamma = ctx.p.gamma if self.use_scale else ones((1, n), dy.dtype)
        # A row's sum of dy ∘ γ is dy γᵀ: no pass of its own.
        mean, mean_c = dy @ gamma.mT / n, products @ gamma.mT / n
        e = np.multiply(dy, gamma, out=ctx.dx)
        np.subtract(e, c * (np.square(r) * mean_c), out=e)
        np.subtract(e, mean, out=e)
        return np.multiply(e, r, out=e)

"""RMSNorm: every row is divided by the root of its mean square, which is layer normalization without the centring."""

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


class RMSNorm(Module):
    """Root mean square normalization: y = γ ∘ x̂ + β with x̂ = x / √(mean x² + epsilon), the mean of each row's features.

    With r = 1 / √(mean x² + epsilon) and means over the features of a row the derivatives are
    ∂J/∂γ = Σ rows dy ∘ x̂, ∂J/∂β = Σ rows dy and ∂J/∂x = r (e − x̂ mean(e ∘ x̂)) with e = dy ∘ γ.

    Parameters
    ----------
    epsilon : float
        Added to the mean square, > 0; that of layer normalization, where PyTorch goes by the dtype and Keras has 1e-6.
    use_scale, use_bias : bool
        Whether there is a γ, and a β; the paper has γ only.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

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

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-5
    use_scale: bool = True
    use_bias: bool = False

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with γ, with β, with both, and with none."""
        return (cls(), cls(use_scale=False, use_bias=True), cls(use_bias=True), cls(0.1, use_scale=False))

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
        """Return y = γ ∘ (x r) + β with r = 1 / √(mean x² + epsilon)."""
        shape = shape_with(x, *vars(ctx.p).values())
        r = ctx.scratch("r", (*shape[:-1], 1), x.dtype)
        squares = np.square(x, out=ctx.scratch("x²", x.shape, x.dtype))
        np.divide(row_sums(squares), x.shape[-1], out=r)
        np.add(r, self.epsilon, out=r)
        np.divide(1, np.sqrt(r, out=r), out=r)
        y: Array = np.multiply(x, r, out=ctx.out)
        if self.use_scale:
            np.multiply(y, ctx.p.gamma, out=y)
        return np.add(y, ctx.p.beta, out=y) if self.use_bias else y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂γ = Σ rows r (dy ∘ x) and ∂J/∂β = Σ rows dy."""
        r = ctx.scratch("r", (*dy.shape[:-1], 1), dy.dtype)
        products = np.multiply(dy, ctx.x, out=ctx.scratch("dy∘x", dy.shape, dy.dtype))
        if self.use_scale:
            np.matmul(r.mT, products, out=ctx.g.gamma)
        if self.use_bias:
            column_sums(dy, out=ctx.g.beta)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return r (e − x r² mean(e ∘ x)) with e = dy ∘ γ."""
        r, n = ctx.scratch("r", (*dy.shape[:-1], 1), dy.dtype), dy.shape[-1]
        products = ctx.scratch("dy∘x", dy.shape, dy.dtype)
        gamma = ctx.p.gamma if self.use_scale else ones((1, n), dy.dtype)
        mean_x = products @ gamma.mT / n  # a row's sum of dy ∘ x ∘ γ is (dy ∘ x) γᵀ
        e = np.multiply(dy, gamma, out=ctx.dx)
        np.subtract(e, ctx.x * (np.square(r) * mean_x), out=e)
        return np.multiply(e, r, out=e)

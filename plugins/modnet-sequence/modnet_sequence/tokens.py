"""Tokens and positions: what turns a table, or a series, into what attention works on."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from modnet import Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Value
from modnet.errors import ShapeError
from modnet_sequence.arrays import steps
from modnet_standard.arrays import column_sums


class Tokens(Module):
    """A token for each feature: yⱼ = xⱼ wⱼ + bⱼ, so that rows of shape (d,) become rows of shape (d, units).

    It is the feature tokenizer of FT-Transformer; a category arrives as the columns that `inputs` makes of it, a token
    each. The derivatives are ∂J/∂wⱼ = Σ rows xⱼ dyⱼ, ∂J/∂bⱼ = Σ rows dyⱼ and ∂J/∂xⱼ = dyⱼ wⱼᵀ.

    Parameters
    ----------
    units : int
        Length of a token, ≥ 1. First values are uniform within ±1/√units.

    Raises
    ------
    ShapeError
        If rows have several axes.

    References
    ----------
    Gorishniy, Rubachev, Khrulkov & Babenko (2021), Revisiting deep learning models for tabular data, NeurIPS 34,
    sec. 3.3.

    Examples
    --------
    >>> from modnet_sequence import Tokens
    >>> Tokens(32).output_shape((8,))
    (8, 32)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Count

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return tokens of three numbers."""
        return (cls(3),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (d, units)."""
        if len(input_shape) != 1:
            raise ShapeError(
                f"expected rows of shape (features,), got {input_shape}: rows with an axis of steps are tokens already "
                f"(a dense layer of {self.units} units gives them that length)"
            )
        return (input_shape[0], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W and b, shape (d, units)."""
        first = _Around(r=1 / math.sqrt(self.units))
        shape = (input_shape[0], self.units)
        return {"W": Parameter(shape, first), "b": Parameter(shape, first, regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return yⱼ = xⱼ wⱼ + bⱼ."""
        y: Array = np.multiply(x[..., np.newaxis], ctx.p.W, out=ctx.out)
        y += ctx.p.b
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x.reshape(0, graph.input_shape[0], 1) * graph.p.W + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂wⱼ = Σ rows xⱼ dyⱼ and ∂J/∂bⱼ = Σ rows dyⱼ."""
        np.matmul(ctx.x.T[:, np.newaxis], dy.swapaxes(0, 1), out=ctx.g.W[:, np.newaxis])
        column_sums(dy.reshape(len(dy), ctx.g.b.size), out=ctx.g.b.reshape(1, -1))

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂xⱼ = dyⱼ wⱼᵀ."""
        dx: Array = np.einsum("njk,jk->nj", dy, ctx.p.W, out=ctx.dx)
        return dx


class PositionalEncoding(Module):
    """Where each step stands, added to it: y = x + P, P_{t,2i} = sin(t / 10000^{2i/d}), P_{t,2i+1} = cos of the same.

    Attention by itself does not see the order of steps. There is nothing to learn: ∂J/∂x = dy.

    Parameters
    ----------
    scale : float
        Factor in front of P, ≥ 0: how large positions are beside features.

    Raises
    ------
    ShapeError
        If rows have other axes than (steps, features).

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, NeurIPS 30, sec. 3.5.

    Examples
    --------
    >>> from modnet_sequence import PositionalEncoding
    >>> PositionalEncoding().output_shape((24, 32))
    (24, 32)
    """

    reads: ClassVar[frozenset[str]] = frozenset()
    fixed: ClassVar[bool] = True

    scale: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it as large as in the paper, and smaller."""
        return (cls(), cls(0.1))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return series of three steps with five features."""
        return rng.normal(size=(n, 3, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        steps(input_shape)
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x + P."""
        y: Array = np.add(x, _positions(x.shape[1], x.shape[2], self.scale, x.dtype), out=ctx.out)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x + _positions(*graph.input_shape, self.scale, graph.dtype)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy."""
        return dy


@lru_cache(maxsize=16)
def _positions(steps: int, features: int, scale: float, dtype: "np.dtype[Any]") -> Array:
    """Return P, read-only."""
    column = np.arange(features)
    angle = np.arange(steps)[:, np.newaxis] / 10000 ** (column // 2 * 2 / features)
    P: Array = (scale * np.where(column % 2, np.cos(angle), np.sin(angle))).astype(dtype)
    P.flags.writeable = False
    return P


class _Around(Initializer):
    """U(−r, r), whatever the shape."""

    r: Annotated[float, Field(gt=0)]

    def sample(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Return U(−r, r)."""
        return rng.uniform(-self.r, self.r, shape)

"""MemberHeads: a dense layer per member of an ensemble, whose outputs are plain rows again."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import Array, Context, Count, Graph, Module, Parameter, Shape, Value
from modnet_standard.arrays import column_sums
from modnet_tabular.arrays import joined, members
from modnet_tabular.first_values import Around, inverse_root


class MemberHeads(Module):
    """A dense layer per member: zₘ = xₘ Wₘ + bₘ, all of them in one plain row, or their mean Σₘ zₘ / k.

    In the row the members' first outputs come first, then their second ones: column j of all members lies side by side,
    as `mean_of_members_loss` looks at them. With dzₘ = dy in the columns of member m, or dy / k, the derivatives are
    those of dense layers: ∂J/∂Wₘ = xₘᵀ dzₘ, ∂J/∂xₘ = dzₘ Wₘᵀ and ∂J/∂b = Σ rows dy.

    Parameters
    ----------
    units : int
        Outputs of each member, ≥ 1.
    mean : bool
        Whether y is the mean of all zₘ, with one b; False: all zₘ, each with its own.

    Raises
    ------
    ShapeError
        If the rows do not have an axis of members and one of features.

    References
    ----------
    Gorishniy, Kotelnikov & Babenko (2024), TabM: advancing tabular deep learning with parameter-efficient ensembling,
    arXiv:2410.24210. First values are uniform within ±1/√n_in.

    Examples
    --------
    >>> from modnet_tabular import MemberHeads
    >>> MemberHeads(2).output_shape((32, 64)), MemberHeads(2, mean=True).output_shape((32, 64))
    ((64,), (2,))
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Count
    mean: bool = False

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both."""
        return (cls(2), cls(2, mean=True))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of three members and five features."""
        return rng.normal(size=(n, 3, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (units · k,) or (units,)."""
        k, _ = members(input_shape)
        return (self.units if self.mean else self.units * k,)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (k, n_in, units), and b, shape (1, columns of y)."""
        k, n = members(input_shape)
        first = Around(inverse_root(n))
        b = Parameter((1, *self.output_shape(input_shape)), first, regularized=False)
        return {"W": Parameter((k, n, self.units), first), "b": b}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return [x₁ W₁, …, x_k W_k] + b, or Σₘ xₘ Wₘ / k + b."""
        z = np.matmul(x.swapaxes(0, 1), ctx.p.W)  # (k, n, units)
        found = z.mean(axis=0) if self.mean else joined(z.transpose(1, 2, 0))
        y: Array = np.add(found, ctx.p.b, out=ctx.out)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        z = x.transpose(1, 0, 2) @ graph.p.W
        if self.mean:
            return z.mean(0, keepdims=False) + graph.p.b
        return z.transpose(1, 2, 0).reshape(0, -1) + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂Wₘ = xₘᵀ dzₘ and ∂J/∂b = Σ rows dy."""
        np.matmul(ctx.x.transpose(1, 2, 0), self._dz(ctx, dy), out=ctx.g.W)
        column_sums(dy, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂xₘ = dzₘ Wₘᵀ."""
        dx: Array = np.empty(ctx.x.shape, dy.dtype) if ctx.dx is None else ctx.dx
        np.matmul(self._dz(ctx, dy), ctx.p.W.mT, out=dx.swapaxes(0, 1))
        return dx

    def _dz(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂zₘ, shape (k, n, units)."""
        k = ctx.x.shape[1]
        if self.mean:
            return np.broadcast_to(dy / k, (k, *dy.shape))
        return dy.reshape(len(dy), self.units, k).transpose(2, 0, 1)

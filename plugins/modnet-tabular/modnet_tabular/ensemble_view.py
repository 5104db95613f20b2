"""EnsembleView: every row is shown to all members of an ensemble, each member looking at it in its own way."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from modnet import Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Value
from modnet.initializers import Normal
from modnet_tabular.arrays import features, member_sums
from modnet_tabular.first_values import Signs

Scaling = Literal["signs", "normal"]
"""The first values of the members' scales."""

_FIRST: dict[str, Initializer] = {"signs": Signs(), "normal": Normal(stddev=1.0)}


class EnsembleView(Module):
    """The input as the k members of an ensemble see it: yₘ = x ∘ rₘ, shape (k, n_in) per row, with learnt scales r.

    What follows works on rows with an axis of members: `batch_ensemble_dense`, and whatever is elementwise, such as
    activations and dropout; the output `mean_of_members` ends it. The scales make the members differ: with dense
    layers that the members share behind them it is TabM-mini. The derivatives are ∂J/∂rₘ = Σ rows x ∘ dyₘ and
    ∂J/∂x = Σₘ dyₘ ∘ rₘ.

    Parameters
    ----------
    ensemble_size : int
        Number k of members, ≥ 1.
    scaling : {"signs", "normal"}, optional
        First values of r: ±1 at random, as in the paper, or from N(0, 1), which its authors' code has as well. None:
        no scales, all members see x itself, because the layer behind has scales of its own.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    References
    ----------
    Gorishniy, Kotelnikov & Babenko (2024), TabM: advancing tabular deep learning with parameter-efficient ensembling,
    arXiv:2410.24210 (TabM-mini; 32 members).

    Examples
    --------
    >>> from modnet_tabular import EnsembleView
    >>> EnsembleView(8).output_shape((5,))
    (8, 5)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    ensemble_size: Count = 32
    scaling: Scaling | None = "signs"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return all three scalings."""
        return (cls(4), cls(3, "normal"), cls(3, None))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (k, n_in)."""
        return (self.ensemble_size, features(input_shape))

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return r, shape (k, n_in), not regularized; nothing without scaling."""
        if self.scaling is None:
            return {}
        return {"r": Parameter((self.ensemble_size, features(input_shape)), _FIRST[self.scaling], regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ r."""
        x = x[..., np.newaxis, :]
        if self.scaling is not None:
            y: Array = np.multiply(x, ctx.p.r, out=ctx.out)
            return y
        if ctx.out is None:
            return np.repeat(x, self.ensemble_size, axis=-2)
        ctx.out[...] = x
        return ctx.out

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        members = graph.p.r if self.scaling is not None else np.ones((self.ensemble_size, 1))
        return x.reshape(0, 1, -1) * members

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂r = Σ rows x ∘ dy."""
        if self.scaling is not None:
            dr = np.multiply(dy, ctx.x[..., np.newaxis, :], out=ctx.scratch("dr", dy.shape, dy.dtype))
            member_sums(dr, out=ctx.g.r)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return Σₘ dyₘ ∘ rₘ."""
        if self.scaling is not None:
            dy = np.multiply(dy, ctx.p.r, out=ctx.scratch("dr", dy.shape, dy.dtype))
        return np.sum(dy, axis=-2, out=ctx.dx)

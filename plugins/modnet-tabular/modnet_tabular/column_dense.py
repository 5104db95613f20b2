"""ColumnDense: a dense layer of its own for every column, or for every group of columns that stands for one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from modnet import Activation, Array, Context, Count, Graph, Module, Parameter, Shape, Slot, Value, default
from modnet.activations import Tanh
from modnet.base import Links
from modnet.errors import ShapeError
from modnet_standard.arrays import column_sums
from modnet_tabular.arrays import by_column, features
from modnet_tabular.first_values import Around, inverse_root


class ColumnDense(Module):
    """A dense layer per column: zⱼ = xⱼ Wⱼ + bⱼ, side by side; xⱼ is a number, or the embedding of column j.

    On plain columns it is the linear embedding of numbers, xⱼ wⱼ + bⱼ, of FT-Transformer; behind `periodic` and
    `piecewise_linear` it is the L of PLR and of Q-L. The derivatives are those of a dense layer, column by column:
    ∂J/∂Wⱼ = xⱼᵀ dzⱼ, ∂J/∂bⱼ = Σ rows dzⱼ and ∂J/∂xⱼ = dzⱼ Wⱼᵀ.

    Parameters
    ----------
    units : int
        Length of each zⱼ, ≥ 1.
    inputs : int
        Length of each xⱼ, ≥ 1: how many columns of the input, side by side, belong together.
    shared : bool
        Whether all columns have the same W and b, as in the lite version of PLR.
    activation : Module, optional
        Applied to z, keeping its shape; None: the layer is affine.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row, or cannot be dealt out in groups of `inputs`.

    References
    ----------
    Gorishniy, Rubachev, Khrulkov & Babenko (2021), Revisiting deep learning models for tabular data, NeurIPS 34 (linear
    embeddings); Gorishniy, Rubachev & Babenko (2022), On embeddings for numerical features in tabular deep learning,
    NeurIPS 35 (behind other embeddings). First values are uniform within ±1/√inputs, or ±1/√units for plain columns.

    Examples
    --------
    >>> from modnet_tabular import ColumnDense
    >>> ColumnDense(8, activation="relu").output_shape((3,))
    (24,)
    >>> {name: each.shape for name, each in ColumnDense(8, inputs=4).parameters((12,)).items()}
    {'W': (3, 4, 8), 'b': (1, 24)}
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Count
    inputs: Count = 1
    shared: bool = False
    activation: Slot[Activation | Module | None] = default(None)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it on single columns and on all five together, shared and not, and with an activation."""
        return (cls(3), cls(3, shared=True), cls(2, inputs=5), cls(2, inputs=5, shared=True), cls(2, activation=Tanh()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (d · units,) for d columns."""
        return (self._columns(input_shape) * self.units,)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (d, inputs, units), and b, shape (1, d · units); shared: (inputs, units) and (1, units)."""
        d, m = self._columns(input_shape), self.inputs
        first = Around(inverse_root(self.units if m == 1 else m))
        W, b = ((m, self.units), (1, self.units)) if self.shared else ((d, m, self.units), (1, d * self.units))
        return {"W": Parameter(W, first), "b": Parameter(b, first, regularized=False)}

    def links(self) -> Links:
        """Return the affine link, and the activation as the next."""
        if self.activation is None:
            return (("", self),)
        return (("", replace(self, activation=None)), ("activation", self.activation))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return zⱼ = xⱼ Wⱼ + bⱼ."""
        W, d = self._W(ctx), x.shape[-1] // self.inputs
        z: Array = np.empty((len(x), d * self.units), x.dtype) if ctx.out is None else ctx.out
        np.matmul(by_column(x, d), W, out=by_column(z, d))
        np.add(z, np.tile(ctx.p.b, d) if self.shared else ctx.p.b, out=z)
        return z

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        d = self._columns(graph.input_shape)
        z = (x.reshape(0, d, self.inputs).transpose(1, 0, 2) @ graph.p.W).transpose(1, 0, 2)
        if self.shared:
            return (z + graph.p.b).reshape(0, d * self.units)
        return z.reshape(0, d * self.units) + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂Wⱼ = xⱼᵀ dzⱼ and ∂J/∂bⱼ = Σ rows dzⱼ, summed over columns where they are shared."""
        d = dy.shape[-1] // self.units
        x_T, dz = by_column(ctx.x, d).mT, by_column(dy, d)
        if self.shared:
            np.sum(np.matmul(x_T, dz), axis=0, out=ctx.g.W)
            np.sum(column_sums(dy).reshape(d, self.units), axis=0, keepdims=True, out=ctx.g.b)
        else:
            np.matmul(x_T, dz, out=ctx.g.W)
            column_sums(dy, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂xⱼ = dzⱼ Wⱼᵀ."""
        d = dy.shape[-1] // self.units
        dx: Array = np.empty((len(dy), d * self.inputs), dy.dtype) if ctx.dx is None else ctx.dx
        np.matmul(by_column(dy, d), self._W(ctx).mT, out=by_column(dx, d))
        return dx

    def _W(self, ctx: Context) -> Array:
        """Return W, shape (d, inputs, units), or (1, inputs, units) where it is shared."""
        W: Array = ctx.p.W
        return W[np.newaxis] if self.shared else W

    def _columns(self, input_shape: Shape) -> int:
        """Return the number of columns, or groups of them.

        Raises
        ------
        ShapeError
            If they do not come out even.
        """
        n = features(input_shape)
        if n % self.inputs:
            raise ShapeError(f"expected columns in groups of inputs={self.inputs}, got {n}, which is no multiple of it")
        return n // self.inputs

"""BatchEnsembleDense: dense layers of an ensemble's members that share W, and differ in scales and biases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np

from modnet import Activation, Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Slot, Value, default
from modnet.activations import Tanh
from modnet.base import Links
from modnet.initializers import Ones
from modnet_standard.arrays import by_rows, column_sums, transposed_product
from modnet_tabular.arrays import member_sums, members
from modnet_tabular.first_values import Alike, Around, Signs, inverse_root

_FIRST: dict[str, Initializer] = {"ones": Ones(), "signs": Signs()}


class BatchEnsembleDense(Module):
    """Dense layers of k members that share one W: zₘ = ((xₘ ∘ rₘ) W) ∘ sₘ + bₘ, rows of shape (k, n_in).

    So every member has a weight matrix W ∘ rₘ sₘᵀ of its own for the price of two vectors, and all members of all rows
    go through one matrix product. With hₘ = xₘ ∘ rₘ and eₘ = dzₘ ∘ sₘ the derivatives are ∂J/∂W = Σₘ hₘᵀ eₘ,
    ∂J/∂sₘ = Σ rows dzₘ ∘ hₘ W, ∂J/∂bₘ = Σ rows dzₘ, ∂J/∂rₘ = Σ rows xₘ ∘ eₘ Wᵀ and ∂J/∂xₘ = eₘ Wᵀ ∘ rₘ.

    Parameters
    ----------
    units : int
        Number of outputs per member, ≥ 1.
    activation : Module, optional
        Applied to z, keeping its shape; None: the layer is affine.
    scaling : {"ones", "signs"}, optional
        First values of r and s: 1, as in TabM behind its first layer, or ±1 at random, as in BatchEnsemble. None: no
        r, no s and one b, so that the members share the whole layer, as in TabM-mini.

    Raises
    ------
    ShapeError
        If the rows do not have an axis of members and one of features.

    References
    ----------
    Wen, Tran & Ba (2020), BatchEnsemble: an alternative approach to efficient ensemble and lifelong learning,
    arXiv:2002.06715, eq. 5; Gorishniy, Kotelnikov & Babenko (2024), TabM: advancing tabular deep learning with
    parameter-efficient ensembling, arXiv:2410.24210, whose first values these are: W and b uniform within ±1/√n_in, one
    b for all members.

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet_tabular import BatchEnsembleDense, EnsembleView
    >>> network = Network([EnsembleView(32), BatchEnsembleDense(64, activation="relu")], (8,))
    >>> network.output_shape
    (32, 64)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Count
    activation: Slot[Activation | Module | None] = default(None)
    scaling: Literal["ones", "signs"] | None = "ones"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return all three scalings, and an activation."""
        return (cls(3), cls(3, scaling="signs"), cls(3, scaling=None), cls(2, Tanh()))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return rows of four members and five features."""
        return rng.normal(size=(n, 4, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (k, units)."""
        return (members(input_shape)[0], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (n_in, units), r, shape (k, n_in), s and b, shape (k, units); or W and one b, (1, units)."""
        k, n = members(input_shape)
        bound = inverse_root(n)
        W = Parameter((n, self.units), Around(bound))
        if self.scaling is None:
            return {"W": W, "b": Parameter((1, self.units), Around(bound), regularized=False)}
        first = _FIRST[self.scaling]
        return {
            "W": W,
            "r": Parameter((k, n), first, regularized=False),
            "s": Parameter((k, self.units), first, regularized=False),
            "b": Parameter((k, self.units), Alike(bound), regularized=False),
        }

    def links(self) -> Links:
        """Return the affine link, and the activation as the next."""
        if self.activation is None:
            return (("", self),)
        return (("", replace(self, activation=None)), ("activation", self.activation))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return z = (h W) ∘ s + b with h = x ∘ r."""
        hW = self._product(ctx, "hW", self._h(ctx, x), ctx.p.W)
        scaled = hW if self.scaling is None else np.multiply(hW, ctx.p.s, out=ctx.out)
        z: Array = np.add(scaled, ctx.p.b, out=ctx.out)
        return z

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        if self.scaling is None:
            return x @ graph.p.W + graph.p.b
        return (x * graph.p.r) @ graph.p.W * graph.p.s + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = Σₘ hₘᵀ eₘ, and ∂J/∂r, ∂J/∂s and ∂J/∂b."""
        if self.scaling is None:
            transposed_product(ctx.x, dy, out=ctx.g.W)
            column_sums(dy, out=ctx.g.b)
            return
        member_sums(dy, out=ctx.g.b)
        e = ctx.scratch("hW", dy.shape, dy.dtype)
        member_sums(np.multiply(dy, e, out=e), out=ctx.g.s)
        np.multiply(dy, ctx.p.s, out=e)
        h = ctx.scratch("h", ctx.x.shape, dy.dtype)
        transposed_product(h, e, out=ctx.g.W)
        dh = self._product(ctx, "dh", e, ctx.p.W.T)
        member_sums(np.multiply(dh, ctx.x, out=h), out=ctx.g.r)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = e Wᵀ ∘ r."""
        if self.scaling is None:
            return self._product(ctx, "dh", dy, ctx.p.W.T)
        dh = ctx.scratch("dh", ctx.x.shape, dy.dtype)
        dx: Array = np.multiply(dh, ctx.p.r, out=ctx.dx)
        return dx

    def _h(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ r."""
        if self.scaling is None:
            return x
        h: Array = np.multiply(x, ctx.p.r, out=ctx.scratch("h", x.shape, x.dtype))
        return h

    @staticmethod
    def _product(ctx: Context, name: str, a: Array, W: Array) -> Array:
        """Return a W in scratch memory, as one product for all members of all rows."""
        product = ctx.scratch(name, (*a.shape[:-1], W.shape[-1]), a.dtype)
        np.matmul(by_rows(a), W, out=by_rows(product))
        return product

"""GatedLinear: an affine map times a gate, both of the same input.

The gate says, output by output, how much passes.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import Activation, Array, Context, Count, Initializer, Module, Parameter, Shape, Slot, default
from modnet.base import Graph, Value
from modnet_standard.activations.functions import Identity
from modnet_standard.activations.sigmoids import Sigmoid, Tanh
from modnet_standard.activations.silu import SiLU
from modnet_standard.arrays import column_sums, product, transposed_product
from modnet_standard.initializers.distributions import Zeros
from modnet_standard.initializers.fans import GlorotUniform
from modnet_standard.layers.inputs import features

__all__ = ["GatedLinear"]


class GatedLinear(Module):
    """A gated linear unit: y = (x W + b) ∘ σ(x V + c): GLU with the sigmoid as σ, SwiGLU with SiLU, GEGLU with GELU.

    With u = x W + b, z = x V + c and h = σ(z) the derivatives of the two factors are du = dy ∘ h and
    dz = (dy ∘ u) ∘ σ'(z); from there on both are dense layers: ∂J/∂W = xᵀ du, ∂J/∂V = xᵀ dz and
    ∂J/∂x = du Wᵀ + dz Vᵀ.

    Parameters
    ----------
    units : int
        Number of outputs, ≥ 1.
    gate : Activation
        The σ.
    use_bias : bool
        Whether there are b and c.
    kernel_initializer, bias_initializer : Initializer
        Draw the first W and V, shape (n_in, units), and b and c, shape (1, units).

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Dauphin, Fan, Auli & Grangier (2017), Language modeling with gated convolutional networks, ICML.
    Shazeer (2020), GLU variants improve transformer, arXiv:2002.05202.

    Examples
    --------
    >>> from modnet.layers import GatedLinear
    >>> GatedLinear(64, gate="tanh")
    GatedLinear(units=64, gate=Tanh())
    >>> {name: each.shape for name, each in GatedLinear(4).parameters((3,)).items()}
    {'W': (3, 4), 'V': (3, 4), 'b': (1, 4), 'c': (1, 4)}
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_sparse: ClassVar[bool] = True

    units: Count
    gate: Slot[Activation] = default(Sigmoid())
    use_bias: bool = True
    kernel_initializer: Slot[Initializer] = default(GlorotUniform())
    bias_initializer: Slot[Initializer] = default(Zeros())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with gates that read their output, both and nothing, with and without biases."""
        return (cls(3), cls(3, Tanh(), use_bias=False), cls(3, SiLU()), cls(3, Identity()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        features(input_shape)
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W and V, shape (n_in, units), and b and c, shape (1, units)."""
        kernel = Parameter((features(input_shape), self.units), self.kernel_initializer)
        bias = Parameter((1, self.units), self.bias_initializer, regularized=False)
        return {"W": kernel, "V": kernel, **({"b": bias, "c": bias} if self.use_bias else {})}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return u ∘ h with u = x W + b and h = σ(x V + c)."""
        p = ctx.p
        shape = (*x.shape[:-1], self.units)
        u, z, h = (ctx.scratch(name, shape, x.dtype) for name in ("u", "z", "h"))
        _affine(x, p.W, p.b if self.use_bias else None, out=u)
        _affine(x, p.V, p.c if self.use_bias else None, out=z)
        return np.multiply(u, self.gate.f(z, out=h), out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        u, z = x @ graph.p.W, x @ graph.p.V
        if self.use_bias:
            u, z = u + graph.p.b, z + graph.p.c
        return u * self.gate.onnx(graph, z)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ du, ∂J/∂V = xᵀ dz, ∂J/∂b = Σ rows du and ∂J/∂c = Σ rows dz."""
        u, z, h, du, dz = (ctx.scratch(name, dy.shape, dy.dtype) for name in ("u", "z", "h", "du", "dz"))
        np.multiply(dy, h, out=du)
        reads = self.gate.reads
        self.gate.df(z if "x" in reads else None, h if "y" in reads else None, dy * u, out=dz)
        transposed_product(ctx.x, du, out=ctx.g.W)
        transposed_product(ctx.x, dz, out=ctx.g.V)
        if self.use_bias:
            column_sums(du, out=ctx.g.b)
            column_sums(dz, out=ctx.g.c)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = du Wᵀ + dz Vᵀ."""
        du, dz = (ctx.scratch(name, dy.shape, dy.dtype) for name in ("du", "dz"))
        dx = product(du, ctx.p.W.T, out=ctx.dx)
        np.add(dx, product(dz, ctx.p.V.T), out=dx)
        return dx


def _affine(x: Array, W: Array, b: Array | None, *, out: Array) -> None:
    """Write x W + b."""
    z = product(x, W, out=out)
    if b is not None:
        np.add(z, b, out=out)
    elif z is not out:
        out[...] = z

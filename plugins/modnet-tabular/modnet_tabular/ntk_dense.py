"""NTKDense: a dense layer in the parametrisation of the neural tangent kernel, in which weights have one size."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from modnet import Activation, Array, Context, Count, Graph, Module, Parameter, Shape, Slot, Value, default
from modnet.activations import Tanh
from modnet.base import Links
from modnet.initializers import Normal
from modnet_standard.arrays import column_sums, transposed_product
from modnet_tabular.arrays import width
from modnet_tabular.first_values import inverse_root


class NTKDense(Module):
    """A dense layer in the NTK parametrisation: z = x W / √n_in + b, all first values from N(0, 1).

    What `dense` puts into the first W, this puts into the equation. So weights are of one size whatever the width, and
    an optimizer with steps of one size, as Adam's are, moves W's share in z by as much as b: one learning rate does for
    networks of any width. The derivatives are ∂J/∂W = xᵀ dz / √n_in, ∂J/∂b = Σ rows dz and ∂J/∂x = dz Wᵀ / √n_in.

    Parameters
    ----------
    units : int
        Number of outputs, ≥ 1.
    activation : Module, optional
        Applied to z, keeping its shape; None: the layer is affine.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Jacot, Gabriel & Hongler (2018), Neural tangent kernel: convergence and generalization in neural networks, NeurIPS
    31; Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37 (RealMLP). RealMLP's output layer is of this kind as well, with zeros as first values; here it is
    a plain dense layer, as in every modnet model.

    Examples
    --------
    >>> from modnet_tabular import NTKDense
    >>> NTKDense(256, activation="relu").output_shape((10,))
    (256,)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    units: Count
    activation: Slot[Activation | Module | None] = default(None)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it without an activation, and with one."""
        return (cls(3), cls(3, Tanh()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        width(input_shape)
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (n_in, units), and b, shape (1, units)."""
        first = Normal(stddev=1.0)
        return {
            "W": Parameter((width(input_shape), self.units), first),
            "b": Parameter((1, self.units), first, regularized=False),
        }

    def links(self) -> Links:
        """Return the affine link, and the activation as the next."""
        if self.activation is None:
            return (("", self),)
        return (("", replace(self, activation=None)), ("activation", self.activation))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return z = x W / √n_in + b."""
        z: Array = np.matmul(x, ctx.p.W, out=ctx.out)
        np.multiply(z, inverse_root(x.shape[-1]), out=z)
        np.add(z, ctx.p.b, out=z)
        return z

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x @ graph.p.W * inverse_root(graph.input_shape[-1]) + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ dz / √n_in and ∂J/∂b = Σ rows dz."""
        transposed_product(ctx.x, dy, out=ctx.g.W)
        np.multiply(ctx.g.W, inverse_root(ctx.x.shape[-1]), out=ctx.g.W)
        column_sums(dy, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ / √n_in."""
        dx: Array = np.matmul(dy, ctx.p.W.T, out=ctx.dx)
        return np.multiply(dx, inverse_root(ctx.x.shape[-1]), out=dx)

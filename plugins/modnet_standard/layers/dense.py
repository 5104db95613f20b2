"""Dense: the affine link z = x W + b, the layer that every textbook starts with.

Its activation, if it names one, is a link of its own behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from modnet import Activation, Array, Constraint, Context, Count, Initializer, Module, Parameter, Shape, Slot, default
from modnet.base import Graph, Links, Value
from modnet_standard.activations.sigmoids import Tanh
from modnet_standard.arrays import column_sums, product, transposed_product
from modnet_standard.initializers.distributions import Zeros
from modnet_standard.initializers.fans import GlorotUniform, KernelInitializer, chosen
from modnet_standard.layers.inputs import features
from modnet_standard.layers.scale import PReLU

__all__ = ["Dense"]


class Dense(Module):
    """A fully connected layer: z = x W + b, then its activation if it names one.

    The derivatives are ∂J/∂W = xᵀ dz, ∂J/∂b = Σ rows dz and ∂J/∂x = dz Wᵀ. The activation is a link of its own behind
    the affine one, so each link's derivative is one line.

    Parameters
    ----------
    units : int
        Number of outputs, ≥ 1.
    activation : Module, optional
        Applied to z: an activation, or another layer that keeps the shape, such as ``"prelu"``; None: the layer is
        affine.
    use_bias : bool
        Whether there is a b.
    kernel_initializer : Initializer or "auto"
        Draws the first W, shape (n_in, units); "auto": the initializer that the activation recommends,
        Glorot's without one.
    bias_initializer : Initializer
        Draws the first b, shape (1, units).
    kernel_constraint : Constraint, optional
        What W has to satisfy; it is put back there after each step.

    Raises
    ------
    ShapeError
        If rows have no axis of features, or the activation does not keep the shape.

    References
    ----------
    Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors, Nature 323, eq. 1-6.

    Examples
    --------
    >>> from modnet.layers import Dense
    >>> Dense(64, activation="relu")
    Dense(units=64, activation=ReLU())
    >>> Dense(64).output_shape((10,))
    (64,)
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    takes_sparse: ClassVar[bool] = True

    units: Count
    activation: Slot[Activation | Module | None] = default(None)
    use_bias: bool = True
    kernel_initializer: KernelInitializer = default(GlorotUniform())
    bias_initializer: Slot[Initializer] = default(Zeros())
    kernel_constraint: Slot[Constraint | None] = default(None)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with and without a bias, with an activation that recommends first weights, and one that learns."""
        return (cls(3), cls(3, use_bias=False), cls(3, Tanh(), kernel_initializer="auto"), cls(3, PReLU()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, units)."""
        features(input_shape)
        return (*input_shape[:-1], self.units)

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (n_in, units), and b, shape (1, units)."""
        initializer = chosen(self.kernel_initializer, self.activation)
        W = Parameter((features(input_shape), self.units), initializer, constraint=self.kernel_constraint)
        b = Parameter((1, self.units), self.bias_initializer, regularized=False)
        return {"W": W, "b": b} if self.use_bias else {"W": W}

    def links(self) -> Links:
        """Return the affine link, and the activation as the next."""
        if self.activation is None:
            return (("", self),)
        initializer = chosen(self.kernel_initializer, self.activation)
        affine = replace(self, activation=None, kernel_initializer=initializer)
        return (("", affine), ("activation", self.activation))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return z = x W + b."""
        z = product(x, ctx.p.W, out=ctx.out)
        return np.add(z, ctx.p.b, out=z) if self.use_bias else z

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x @ graph.p.W + graph.p.b if self.use_bias else x @ graph.p.W

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = xᵀ dz and ∂J/∂b = Σ rows dz."""
        transposed_product(ctx.x, dy, out=ctx.g.W)
        if self.use_bias:
            column_sums(dy, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dz Wᵀ."""
        return product(dy, ctx.p.W.T, out=ctx.dx)

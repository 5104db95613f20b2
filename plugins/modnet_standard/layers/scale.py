"""Layers with one learnt number per feature: a factor, a shift, or the slope of a rectifier below zero.

None of these numbers is regularized.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from modnet import Array, Context, Graph, Initializer, Parameter, Shape, Slot, Value, default
from modnet_standard.arrays import column_sums, zeros
from modnet_standard.initializers.distributions import Constant, Ones, Zeros
from modnet_standard.layers.inputs import PerFeature, features, per_feature

__all__ = ["Bias", "PReLU", "Scale"]


class Scale(PerFeature):
    """A learnt factor per feature: y = x ∘ g, ∂J/∂g = Σ rows dy ∘ x, ∂J/∂x = dy ∘ g.

    In front of a network it learns how much each column counts. Gains are not regularized.

    Parameters
    ----------
    scale_initializer : Initializer
        Draws the first g, shape (1, n_in).

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data, NeurIPS 37 (the scaling layer of RealMLP).

    Examples
    --------
    >>> from modnet.layers import Scale
    >>> {name: each.shape for name, each in Scale().parameters((3,)).items()}
    {'g': (1, 3)}
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    scale_initializer: Slot[Initializer] = default(Ones())

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return g, not regularized."""
        return per_feature(input_shape, [("g", self.scale_initializer)])

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ g."""
        y: Array = np.multiply(x, ctx.p.g, out=ctx.out)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x * graph.p.g

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂g = Σ rows dy ∘ x."""
        products = np.multiply(dy, ctx.x, out=ctx.scratch("dy∘x", dy.shape, dy.dtype))
        column_sums(products, out=ctx.g.g)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ g."""
        dx: Array = np.multiply(dy, ctx.p.g, out=ctx.dx)
        return dx


class Bias(PerFeature):
    """A learnt shift per feature: y = x + b, ∂J/∂b = Σ rows dy, ∂J/∂x = dy.

    Parameters
    ----------
    bias_initializer : Initializer
        Draws the first b, shape (1, n_in).

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    Examples
    --------
    >>> from modnet.layers import Bias
    >>> {name: each.shape for name, each in Bias().parameters((3,)).items()}
    {'b': (1, 3)}
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    bias_initializer: Slot[Initializer] = default(Zeros())

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return b, not regularized."""
        return per_feature(input_shape, [("b", self.bias_initializer)])

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x + b."""
        y: Array = np.add(x, ctx.p.b, out=ctx.out)
        return y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x + graph.p.b

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂b = Σ rows dy."""
        column_sums(dy, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy."""
        return dy


class PReLU(PerFeature):
    """The parametric rectifier: y = max(x, 0) + a ∘ min(x, 0) with a slope a per feature that is learnt.

    The derivatives are ∂J/∂a = Σ rows dy ∘ min(x, 0) and ∂J/∂x = dy where x > 0, else a ∘ dy (also at the kink x = 0).
    A penalty would pull the slopes towards those of ReLU, so they are not regularized.

    Parameters
    ----------
    shared : bool
        Whether all features have one slope.
    slope_initializer : Initializer
        Draws the first a, shape (1, n_in), or (1, 1) if shared.

    Raises
    ------
    ShapeError
        If rows have no axis of features.

    References
    ----------
    He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, ICCV, eq. 1.

    Examples
    --------
    >>> from modnet.layers import PReLU
    >>> {name: each.shape for name, each in PReLU().parameters((3,)).items()}
    {'a': (1, 3)}
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})
    recommended_init: ClassVar[Literal["glorot", "he", "lecun"]] = "he"

    shared: bool = False
    slope_initializer: Slot[Initializer] = default(Constant(0.25))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with a slope per feature and with one for all."""
        return (cls(), cls(shared=True))

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return a, not regularized."""
        shape = (1, 1 if self.shared else features(input_shape))
        return {"a": Parameter(shape, self.slope_initializer, regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return max(x, 0) + a ∘ min(x, 0)."""
        nothing = zeros(x.shape, x.dtype)
        below = np.minimum(x, nothing, out=ctx.scratch("below", x.shape, x.dtype))
        y: Array = np.multiply(ctx.p.a, below, out=ctx.out)
        return np.add(y, np.maximum(x, nothing), out=y)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x.clip(0.0) + graph.p.a * x.clip(high=0.0)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂a = Σ rows dy ∘ min(x, 0), summed over all features if they share it."""
        da = column_sums(dy * ctx.scratch("below", ctx.x.shape, dy.dtype))
        np.copyto(ctx.g.a, da.sum(axis=-1, keepdims=True) if self.shared else da)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ (m + a (1 − m)), where m is 1 where x > 0."""
        a = ctx.p.a
        m = ctx.scratch("m", dy.shape, dy.dtype)
        np.greater(ctx.x, zeros(ctx.x.shape, ctx.x.dtype), out=m)
        slope: Array = np.multiply(m, 1 - a, out=ctx.dx)
        np.add(slope, a, out=slope)
        return np.multiply(slope, dy, out=slope)

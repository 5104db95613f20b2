"""PReLU: a rectifier whose slope below zero is learnt."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modnet import AnyInitializer, Array, Context, Module, Parameter, Shape
from modnet_standard.constants import zeros
from modnet_standard.initializers.constant import Constant
from modnet_standard.layers.shapes import features, shape_with
from modnet_standard.products import column_sums


class PReLU(Module):
    """The parametric rectifier: y = max(x, 0) + a ∘ min(x, 0) with a slope a per feature that is learnt.

    The derivatives are ∂J/∂a = Σ rows dy ∘ min(x, 0) and ∂J/∂x = dy where x > 0, else a ∘ dy (also at the kink x = 0).
    Decay would draw the slopes to those of ReLU, so they are not regularized.

    Parameters
    ----------
    shared : bool
        Whether all features have one slope.
    slope_initializer : Initializer
        Draws the first a, shape (1, n_in), or (1, 1) if shared.

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

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

    shared: bool = False
    slope_initializer: AnyInitializer = Constant(0.25)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with a slope per feature and with one for all."""
        return (cls(), cls(shared=True))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        features(input_shape)
        return input_shape

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

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂a = Σ rows dy ∘ min(x, 0), summed over all features if they share it."""
        da = column_sums(dy * ctx.scratch("below", ctx.x.shape, dy.dtype))
        np.copyto(ctx.g.a, da.sum(axis=-1, keepdims=True) if self.shared else da)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ (m + a (1 − m)), where m is 1 where x > 0."""
        a = ctx.p.a
        m = ctx.scratch("m", shape_with(ctx.x, a), dy.dtype)
        np.greater(ctx.x, zeros(ctx.x.shape, ctx.x.dtype), out=m)
        slope: Array = np.multiply(m, 1 - a, out=ctx.dx)
        np.add(slope, a, out=slope)
        return np.multiply(slope, dy, out=slope)

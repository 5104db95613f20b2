"""Scale: a factor per feature that is learnt."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from modnet import AnyInitializer, Array, Context, Module, Parameter, Shape
from modnet_standard.initializers.ones import Ones
from modnet_standard.layers.shapes import features
from modnet_standard.products import column_sums


class Scale(Module):
    """A learnt factor per feature: y = x ∘ g, ∂J/∂g = Σ rows dy ∘ x, ∂J/∂x = dy ∘ g.

    In front of a network it learns how much each column counts. Gains are not regularized.

    Parameters
    ----------
    scale_initializer : Initializer
        Draws the first g, shape (1, n_in).

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

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

    scale_initializer: AnyInitializer = Ones()

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        features(input_shape)
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return g, not regularized."""
        return {"g": Parameter((1, features(input_shape)), self.scale_initializer, regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x ∘ g."""
        y: Array = np.multiply(x, ctx.p.g, out=ctx.out)
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂g = Σ rows dy ∘ x."""
        products = np.multiply(dy, ctx.x, out=ctx.scratch("dy∘x", dy.shape, dy.dtype))
        column_sums(products, out=ctx.g.g)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ g."""
        dx: Array = np.multiply(dy, ctx.p.g, out=ctx.dx)
        return dx

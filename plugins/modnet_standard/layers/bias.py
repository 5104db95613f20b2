"""Bias: a number per feature that is added and learnt."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from modnet import AnyInitializer, Array, Context, Module, Parameter, Shape
from modnet_standard.initializers.zeros import Zeros
from modnet_standard.layers.shapes import features
from modnet_standard.products import column_sums


class Bias(Module):
    """A learnt shift per feature: y = x + b, ∂J/∂b = Σ rows dy, ∂J/∂x = dy.

    Parameters
    ----------
    bias_initializer : Initializer
        Draws the first b, shape (1, n_in).

    Raises
    ------
    ShapeError
        If the input has more than one axis per row.

    Examples
    --------
    >>> from modnet.layers import Bias
    >>> {name: each.shape for name, each in Bias().parameters((3,)).items()}
    {'b': (1, 3)}
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    bias_initializer: AnyInitializer = Zeros()

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        features(input_shape)
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return b, not regularized."""
        return {"b": Parameter((1, features(input_shape)), self.bias_initializer, regularized=False)}

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return x + b."""
        y: Array = np.add(x, ctx.p.b, out=ctx.out)
        return y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂b = Σ rows dy."""
        column_sums(dy, out=ctx.g.b)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy."""
        return dy

"""Sequential: layers in a row, as one layer."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from annotated_types import MinLen

from modnet import AnyModule, Array, Context, Module, Shape
from modnet.base import Links, located, shape_through
from modnet_standard.activations.sigmoid import Sigmoid
from modnet_standard.layers.dense import Dense


class Sequential(Module):
    """Layers that run one after the other: y = fₖ(… f₂(f₁(x))).

    Use it where one layer is wanted, as for a branch of `Parallel`.

    Parameters
    ----------
    body : tuple of Module
        The layers, at least one.

    Examples
    --------
    >>> from modnet.layers import Sequential
    >>> Sequential([{"type": "dense", "units": 8}, "tanh"]).output_shape((3,))
    (8,)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    body: Annotated[tuple[AnyModule, ...], MinLen(1)]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return three layers in a row."""
        return (cls((Dense(4), Sigmoid(), Dense(2))),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape behind the last layer."""
        return shape_through(self.body, input_shape)

    def chains(self) -> tuple[Links, ...]:
        """Return the layers."""
        return (located("body", self.body),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the output of the last layer."""
        return ctx.children[0].forward(x)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of all layers."""
        ctx.children[0].grad_params(dy)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return the gradient of the first layer's input."""
        return ctx.children[0].grad_input()

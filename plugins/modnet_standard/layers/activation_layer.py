"""ActivationLayer: an activation where a layer is wanted."""

from collections.abc import Sequence
from typing import Self

from modnet import AnyActivation, Array, Context, Module, Shape
from modnet.base import Links
from modnet_standard.activations.tanh import Tanh


class ActivationLayer(Module):
    """A layer that stands for its activation: y = σ(x), ∂J/∂x = dy ∘ σ'(x).

    An activation is a layer already, so this one only gives it a place that can be searched over, as in
    ``layers__1__activation``.

    Parameters
    ----------
    activation : Activation
        The σ.

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet.layers import ActivationLayer, Dense
    >>> network = Network([Dense(3), ActivationLayer("tanh")], input_shape=(2,))
    >>> [link.title for link in network.links]
    ['layers[0] (Dense)', 'layers[1].activation (Tanh)']
    """

    activation: AnyActivation

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with an activation."""
        return (cls(Tanh()),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return input_shape

    def links(self) -> Links:
        """Return the activation."""
        return (("activation", self.activation),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return σ(x)."""
        return self.activation.forward(ctx, x)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ σ'(x)."""
        return self.activation.grad_input(ctx, dy)

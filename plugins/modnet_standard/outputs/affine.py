"""The standard end of a network: an affine map to the columns that the loss looks at.

So the raw output is logits or numbers without bounds, and the loss says what they mean.
"""

from modnet import Output, Shape, default
from modnet.base import Links
from modnet_standard.initializers.fans import GlorotUniform, KernelInitializer
from modnet_standard.layers.dense import Dense

__all__ = ["Affine"]


class Affine(Output):
    """An affine output: raw = a W + b, a dense layer of the width that the loss asks for.

    Parameters
    ----------
    kernel_initializer : Initializer or "auto"
        Draws the first W, shape (n_in, width); "auto" and the default: Glorot's.

    Examples
    --------
    >>> from modnet import ModelSpec
    >>> spec = ModelSpec(inputs=None, layers=[8], output={"type": "affine", "kernel_initializer": "zeros"})
    >>> [link.title for link in spec.network((4,), 3).links]
    ['layers[0] (Dense)', 'layers[0].activation (ReLU)', 'output (Dense)']
    """

    kernel_initializer: KernelInitializer = default(GlorotUniform())

    def links(self, shape: Shape, width: int) -> Links:
        """Return the dense layer."""
        return (("", Dense(width, kernel_initializer=self.kernel_initializer)),)

"""Snake: an activation for periodic functions, a = z + sin²(αz) / α."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from modnet import Activation, Array, Graph, Value


class Snake(Activation):
    """The snake function: a = z + sin²(αz) / α, dz = da ∘ (1 + sin 2αz).

    It grows like the identity and swings around it, so a network of it goes on with a period beyond the data, where
    tanh and ReLU go flat or straight. It never falls: its derivative is in [0, 2].

    Parameters
    ----------
    alpha : float
        Frequency α, > 0; the swing has the period π/α.

    References
    ----------
    Ziyin, Hartwig & Ueda (2020), Neural networks fail to learn periodic functions and how to fix it, NeurIPS 33.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet_example import Snake
    >>> Snake(0.5).f(np.array([-np.pi, 0.0, np.pi])).round(4)
    array([-1.1416,  0.    ,  5.1416])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z + sin²(αz) / α."""
        a: Array = np.multiply(z, self.alpha, out=out)
        np.sin(a, out=a)
        np.multiply(a, a, out=a)
        np.divide(a, self.alpha, out=a)
        return np.add(a, z, out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write z + sin²(αz) / α."""
        s = graph.op("Sin", self.alpha * z)
        return z + s * s / self.alpha

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da ∘ (1 + sin 2αz)."""
        assert z is not None
        dz: Array = np.multiply(z, 2 * self.alpha, out=out)
        np.sin(dz, out=dz)
        np.add(dz, 1, out=dz)
        return np.multiply(dz, da, out=dz)

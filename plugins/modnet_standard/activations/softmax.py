"""Softmax: each row becomes a distribution over its elements."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


class Softmax(Activation):
    """The softmax of each row: aⱼ = e^zⱼ / Σₖ e^zₖ, dzⱼ = aⱼ (daⱼ − Σₖ daₖ aₖ).

    The largest element of a row is subtracted first, so nothing overflows. For classification leave it out: the
    `cross_entropy` loss works on logits and applies the softmax itself.

    References
    ----------
    Bridle (1990), Training stochastic model recognition algorithms as networks can lead to maximum mutual information
    estimation of parameters, NIPS 2, sec. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Softmax
    >>> Softmax().f(np.array([[0.0, 0.0], [1000.0, -1000.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return e^z / Σ e^z along the last axis."""
        a: Array = np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
        np.exp(a, out=a)
        a /= a.sum(axis=-1, keepdims=True)
        return a

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return a ∘ (da − Σ da ∘ a)."""
        assert a is not None
        dz = np.multiply(da, a, out=out)
        inner = dz.sum(axis=-1, keepdims=True)
        np.subtract(da, inner, out=dz)
        return np.multiply(dz, a, out=dz)

"""Softmax and its kin: activations that look at a whole row.

They make each row a distribution over its elements; so their derivative mixes the elements of a row.
"""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array, Graph, Value
from modnet_standard.arrays import zeros

__all__ = ["LogSoftmax", "Softmax", "Sparsemax"]


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

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.op("Softmax", z, axis=-1)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return a ∘ (da − Σ da ∘ a)."""
        assert a is not None
        dz = np.multiply(da, a, out=out)
        inner = dz.sum(axis=-1, keepdims=True)
        np.subtract(da, inner, out=dz)
        return np.multiply(dz, a, out=dz)


class LogSoftmax(Activation):
    """The logarithm of the softmax of each row: aⱼ = zⱼ − log Σₖ e^zₖ, dzⱼ = daⱼ − e^aⱼ Σₖ daₖ.

    The largest element of a row is subtracted first, so nothing overflows. For classification leave it out: the
    `cross_entropy` loss works on logits.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep learning, MIT Press, sec. 6.2.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import LogSoftmax
    >>> LogSoftmax().f(np.array([[0.0, 0.0], [1000.0, -1000.0]])).round(4)
    array([[-6.931e-01, -6.931e-01],
           [ 0.000e+00, -2.000e+03]])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return z − max z − log Σ e^(z − max z) along the last axis."""
        a: Array = np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
        total: Array = np.exp(a).sum(axis=-1, keepdims=True)
        return np.subtract(a, np.log(total, out=total), out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        return graph.op("LogSoftmax", z, axis=-1)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da − eᵃ Σ da."""
        assert a is not None
        dz = np.exp(a, out=out)
        np.multiply(dz, da.sum(axis=-1, keepdims=True), out=dz)
        return np.subtract(da, dz, out=dz)


class Sparsemax(Activation):
    """The point of the probability simplex closest to each row: aⱼ = max(zⱼ − τ, 0) with τ such that Σⱼ aⱼ = 1.

    Where aⱼ > 0, dzⱼ = daⱼ − the mean of da over all k with aₖ > 0; elsewhere dzⱼ = 0, also at the kink zⱼ = τ.

    References
    ----------
    Martins & Astudillo (2016), From softmax to sparsemax: a sparse model of attention and multi-label classification,
    ICML, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import Sparsemax
    >>> Sparsemax().f(np.array([[0.5, 0.25, -1.0], [3.0, 0.0, 0.0]]))
    array([[0.625, 0.375, 0.   ],
           [1.   , 0.   , 0.   ]])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return max(z − τ, 0) along the last axis."""
        a: Array = np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
        # With z sorted downwards, k elements are above τ if 1 + k z_k > z_1 + … + z_k, and then τ = (Σ − 1) / k.
        down = -np.sort(-a, axis=-1)
        sums = down.cumsum(axis=-1)
        k = np.arange(1, z.shape[-1] + 1, dtype=z.dtype)
        support = np.count_nonzero(1 + k * down > sums, axis=-1, keepdims=True)
        tau = (np.take_along_axis(sums, support - 1, axis=-1) - 1) / support.astype(z.dtype)
        np.subtract(a, tau, out=a)
        return np.maximum(a, zeros(a.shape, a.dtype), out=a)

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Write σ(z)."""
        ordered = graph.op("TopK", z, graph.op("Gather", graph.op("Shape", z), [-1]), axis=-1, outputs=2)
        down = ordered - ordered.part(0, 1)
        k, sums = (graph.op("CumSum", each, np.int64(-1)) for each in (down * 0 + 1, down))
        support = 1 + k * down > sums
        tau = (graph.where(support, down, 0).sum() - 1) / support.astype(z.dtype).sum()
        return (z - ordered.part(0, 1) - tau).clip(0.0)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da − its mean over the support, on the support a > 0; elsewhere 0."""
        assert a is not None
        support: Array = (a > 0).astype(a.dtype)
        dz: Array = np.multiply(da, support, out=out)
        mean: Array = dz.sum(axis=-1, keepdims=True) / support.sum(axis=-1, keepdims=True)
        np.multiply(support, mean, out=support)
        return np.subtract(dz, support, out=dz)

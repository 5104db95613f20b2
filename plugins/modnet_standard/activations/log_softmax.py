"""Log-softmax: the logarithms of the probabilities that softmax makes of each row."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array


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

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return da − eᵃ Σ da."""
        assert a is not None
        dz = np.exp(a, out=out)
        np.multiply(dz, da.sum(axis=-1, keepdims=True), out=dz)
        return np.subtract(da, dz, out=dz)

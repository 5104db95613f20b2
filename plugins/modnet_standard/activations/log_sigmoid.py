"""Log-sigmoid: the logarithm of the logistic function."""

from typing import ClassVar

import numpy as np

from modnet import Activation, Array
from modnet_standard.constants import zeros


class LogSigmoid(Activation):
    """The logarithm of the sigmoid: a = log σ(z) = −log(1 + e⁻ᶻ), dz = σ(−z) da = (1 − eᵃ) da.

    For binary classification leave it out: the `cross_entropy` loss works on logits.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep learning, MIT Press, sec. 3.10.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.activations import LogSigmoid
    >>> LogSigmoid().f(np.array([-1000.0, 0.0])).round(4)
    array([-1.000e+03, -6.931e-01])
    """

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z: Array, *, out: Array | None = None) -> Array:
        """Return min(z, 0) − log(1 + e^−|z|)."""
        rest = np.abs(z)
        np.negative(rest, out=rest)
        np.exp(rest, out=rest)
        np.log1p(rest, out=rest)
        a = np.minimum(z, zeros(z.shape, z.dtype), out=out)
        return np.subtract(a, rest, out=a)

    def df(self, z: Array | None, a: Array | None, da: Array, *, out: Array | None = None) -> Array:
        """Return (1 − eᵃ) da."""
        assert a is not None
        dz = np.expm1(a, out=out)
        np.multiply(dz, da, out=dz)
        return np.negative(dz, out=dz)

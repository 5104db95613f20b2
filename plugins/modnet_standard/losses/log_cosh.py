"""Log-cosh: a smooth relative of Huber's loss, J = log cosh(ŷ − y)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from modnet import Array
from modnet_standard.losses.averages import AveragedLoss


class LogCosh(AveragedLoss):
    """The log-cosh loss: J = log cosh(ŷ − y), ∂J/∂ŷ = tanh(ŷ − y).

    Summed over outputs, averaged over rows. It is about ½e² for small errors e and |e| − log 2 for large ones, with
    derivatives of every order.

    References
    ----------
    Green (1990), Bayesian reconstructions from emission tomography data using a modified EM algorithm, IEEE
    Transactions on Medical Imaging 9.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import LogCosh
    >>> t, raw = np.array([[0.0], [0.0]]), np.array([[1000.0], [0.0]])
    >>> round(LogCosh().value(t, raw), 4)  # (1000 − log 2 + 0) / 2
    499.6534
    >>> LogCosh().gradient(t, raw).tolist()
    [[0.5], [0.0]]
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return |e| + log(1 + u/2) and ± −u / (2 + u), u = e^(−2|e|) − 1."""
        # cosh e = e^|e| (1 + u/2): nothing overflows, and unlike |e| + log(1 + e^(−2|e|)) − log 2 no digits of log 2
        # are left over where e is small.
        e = raw - t
        size = np.abs(e)
        u = np.expm1(-2 * size)
        return size + np.log1p(0.5 * u), np.copysign(u / (2 + u), e)

    def predict(self, raw: Array) -> Array:
        """Return the raw output: the link is the identity."""
        return raw

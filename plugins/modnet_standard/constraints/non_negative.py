"""NonNegative: no weight is below zero."""

import numpy as np

from modnet import Array, Constraint
from modnet_standard.constants import zeros


class NonNegative(Constraint):
    """Weights of zero or more: w ← max(w, 0) for each element, so that what a unit sees can only add up.

    References
    ----------
    Chorowski & Zurada (2015), Learning understandable neural networks with nonnegative weight constraints, IEEE Trans.
    Neural Netw. Learn. Syst. 26.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.constraints import NonNegative
    >>> W = np.array([[1.0, -2.0]])
    >>> NonNegative().project(W)
    >>> W
    array([[1., 0.]])
    """

    def project(self, W: Array) -> None:
        """Raise what is below 0 to 0."""
        np.maximum(W, zeros(W.shape, W.dtype), out=W)

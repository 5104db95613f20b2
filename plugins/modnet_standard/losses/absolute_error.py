"""Absolute error: J = |ŷ − y|, for targets with outliers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from modnet import Array
from modnet_standard.losses.averages import AveragedLoss


class AbsoluteError(AveragedLoss):
    """The absolute error: J = |ŷ − y|, ∂J/∂ŷ = sign(ŷ − y).

    Summed over outputs, averaged over rows. What minimizes it is the median, so outliers count for little. At the kink
    ŷ = y the derivative is 0, as in PyTorch.

    References
    ----------
    Bloomfield & Steiger (1983), Least absolute deviations: theory, applications, and algorithms.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import AbsoluteError
    >>> t, raw = np.array([[0.0], [0.0]]), np.array([[3.0], [-1.0]])
    >>> AbsoluteError().value(t, raw), AbsoluteError().gradient(t, raw).tolist()
    (2.0, [[0.5], [-0.5]])
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return |e| and sign(e), e = ŷ − y."""
        e = raw - t
        return np.abs(e), np.sign(e)

    def predict(self, raw: Array) -> Array:
        """Return the raw output: the link is the identity."""
        return raw

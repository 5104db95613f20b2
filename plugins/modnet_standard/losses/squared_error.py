"""Squared error: J = ½‖ŷ − y‖²."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from modnet import Array, Loss
from modnet_standard.losses.averages import averaged


class SquaredError(Loss):
    """Half the squared error: J = ½‖ŷ − y‖², summed over outputs and averaged over rows; ∂J/∂ŷ = ŷ − y.

    Averaged over rows means Σᵢ wᵢ Jᵢ / Σᵢ wᵢ. For k outputs J is k times the loss of scikit-learn's MLPRegressor, which
    averages over outputs as well (and whose gradient does not: scikit-learn issue #8349).

    References
    ----------
    Bishop (2006), Pattern recognition and machine learning, eq. 5.14 and 5.46.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import SquaredError
    >>> t, raw = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 2.0], [0.0, 3.0]])
    >>> SquaredError().value(t, raw)
    3.5
    >>> SquaredError().gradient(t, raw)
    array([[0.5, 1. ],
           [0. , 1.5]])
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    def value(self, t: Array, raw: Array, *, weight: Array | None = None) -> float:
        """Return Σᵢ wᵢ ½‖ŷᵢ − yᵢ‖² / Σᵢ wᵢ."""
        return self.value_and_gradient(t, raw, weight=weight)[0]

    def gradient(self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None) -> Array:
        """Return (ŷ − y) wᵢ / Σ w."""
        return self.value_and_gradient(t, raw, weight=weight, out=out)[1]

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both from one difference ŷ − y."""
        e = np.subtract(raw, t, out=out)
        if weight is None:
            n = len(e)
            value = 0.5 * float(np.vdot(e, e)) / n
            return value, np.multiply(e, 1 / n, out=e)
        return averaged(0.5 * np.square(e), e, weight, out=e)

    def predict(self, raw: Array) -> Array:
        """Return the raw output: the link is the identity."""
        return raw

"""Squared error: J = ½‖ŷ − y‖²."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from modnet import Array, Loss


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
        return self._value(raw - t, weight)

    def gradient(self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None) -> Array:
        """Return (ŷ − y) wᵢ / Σ w."""
        return self._gradient(np.subtract(raw, t, out=out), weight)

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both from one difference ŷ − y."""
        e = np.subtract(raw, t, out=out)
        value = self._value(e, weight)
        return value, self._gradient(e, weight)

    def predict(self, raw: Array) -> Array:
        """Return the raw output: the link is the identity."""
        return raw

    @staticmethod
    def _value(e: Array, weight: Array | None) -> float:
        if weight is None:
            return 0.5 * float(np.vdot(e, e)) / len(e)
        return 0.5 * float(weight @ np.square(e).sum(axis=-1)) / float(weight.sum())

    @staticmethod
    def _gradient(e: Array, weight: Array | None) -> Array:
        """Turn the error into the gradient, in place."""
        if weight is None:
            e *= 1 / len(e)
        else:
            e *= (weight / weight.sum())[:, np.newaxis]
        return e

"""Poisson: half the Poisson deviance, for counts, from the logarithm of the rate."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy.special import xlogy

from modnet import Array, Loss


class Poisson(Loss):
    """Half the Poisson deviance of counts t from z = log ŷ: J = ŷ − t + t log(t / ŷ), ∂J/∂z = ŷ − t, ŷ = e^z.

    Summed over outputs, averaged over rows. It is 0 where ŷ = t, and differs from the negative log-likelihood by a
    constant.

    Raises
    ------
    ValueError
        If a t is negative; names the first such row.

    References
    ----------
    McCullagh & Nelder (1989), Generalized linear models, sec. 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Poisson
    >>> t, raw = np.array([[1.0], [0.0]]), np.array([[0.0], [0.0]])
    >>> Poisson().value(t, raw), Poisson().gradient(t, raw).tolist()
    (0.5, [[0.0], [0.5]])
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    def value(self, t: Array, raw: Array, *, weight: Array | None = None) -> float:
        """Return Σᵢ wᵢ Jᵢ / Σᵢ wᵢ."""
        if (t < 0).any():
            row = int(np.argwhere(t < 0)[0, 0])
            raise ValueError(f"poisson needs targets ≥ 0, got {t[row].tolist()} in row {row}")
        J = (np.exp(raw) - t + xlogy(t, t) - t * raw).sum(axis=-1)
        return float(np.average(J, weights=weight))

    def gradient(self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None) -> Array:
        """Return (ŷ − t) wᵢ / Σ w."""
        draw = np.exp(raw, out=out)
        draw -= t
        draw *= 1 / len(raw) if weight is None else (weight / weight.sum())[:, np.newaxis]
        return draw

    def predict(self, raw: Array) -> Array:
        """Return ŷ = e^z."""
        return np.exp(raw)

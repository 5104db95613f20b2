"""Gamma: half the gamma deviance, for positive targets whose spread grows with their mean."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from modnet import Array
from modnet.base import Task
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.links import exponential
from modnet_standard.losses.truths import check_rows


class Gamma(AveragedLoss):
    """Half the gamma deviance of t > 0 from z = log ŷ: J = t/ŷ − 1 − log(t/ŷ), ∂J/∂z = 1 − t/ŷ, ŷ = e^z.

    Summed over outputs, averaged over rows. It sees nothing but the ratio t/ŷ: an error of a tenth costs the same for
    small and for large targets. It is 0 where ŷ = t.

    Raises
    ------
    ValueError
        By `check_truth`, if a t is not positive; names the first such row.

    References
    ----------
    McCullagh & Nelder (1989), Generalized linear models, ch. 8.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Gamma
    >>> t, raw = np.array([[0.5], [2.0]]), np.array([[0.0], [0.0]])
    >>> round(Gamma().value(t, raw), 4)  # (½ − 1 + log 2 + 2 − 1 − log 2) / 2
    0.25
    >>> Gamma().gradient(t, raw).tolist()
    [[0.25], [-0.5]]
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    def check_truth(self, t: Array) -> None:
        """Check that every t is positive."""
        check_rows(t > 0, t, "gamma needs targets > 0")

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return positive numbers."""
        return rng.gamma(2.0, size=(n, 3))

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return (e^u − 1) − u and −(e^u − 1), u = log(t / ŷ)."""
        u = np.log(t) - raw
        with np.errstate(over="ignore"):  # where ŷ is too small for a finite t / ŷ, both are infinite
            excess = np.expm1(u)
        return excess - u, -excess

    def predict(self, raw: Array) -> Array:
        """Return ŷ = e^z."""
        return exponential(raw)

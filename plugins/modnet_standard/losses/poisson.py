"""Poisson: half the Poisson deviance, for counts, from the logarithm of the rate."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from modnet import Array
from modnet.base import Task
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.links import exponential
from modnet_standard.losses.truths import check_rows


class Poisson(AveragedLoss):
    """Half the Poisson deviance of counts t from z = log ŷ: J = ŷ − t + t log(t / ŷ), ∂J/∂z = ŷ − t, ŷ = e^z.

    Summed over outputs, averaged over rows. It is 0 where ŷ = t, and differs from the negative log-likelihood by a
    constant.

    Raises
    ------
    ValueError
        By `check_truth`, if a t is negative; names the first such row.

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

    def check_truth(self, t: Array) -> None:
        """Check that no t is negative."""
        check_rows(t >= 0, t, "poisson needs targets ≥ 0")

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return counts, zeros among them."""
        return rng.poisson(1.5, size=(n, 3)).astype(float)

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return t (e^−u − 1 + u) with u = log(t / ŷ), where t = 0 its limit ŷ, and ŷ − t."""
        rate = exponential(raw)
        counted = t > 0
        t1 = np.where(counted, t, 1)
        u = np.log(t1) - raw
        with np.errstate(over="ignore"):  # where ŷ is infinite, so is J
            J = np.where(counted, t1 * (np.expm1(-u) + u), rate)
        return J, rate - t

    def predict(self, raw: Array) -> Array:
        """Return ŷ = e^z."""
        return exponential(raw)

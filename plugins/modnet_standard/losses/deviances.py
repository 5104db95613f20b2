"""Half deviances of targets t ≥ 0 from z = log ŷ: Poisson's, the gamma's, and Tweedie's in between.

Each is 0 where ŷ = t, and the prediction is ŷ = e^z.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, final

import numpy as np
from pydantic import Field

from modnet import Array
from modnet.base import Task
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.classes import check_rows, exponential


class Deviance(AveragedLoss):
    """Half a deviance of z = log ŷ, summed over outputs and averaged over rows."""

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    @final
    def predict(self, raw: Array) -> Array:
        """Return ŷ = e^z."""
        return exponential(raw)


class Poisson(Deviance):
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


class Gamma(Deviance):
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


class Tweedie(Deviance):
    """Half the Tweedie deviance from z = log ŷ: J = (ŷ^s − t^s)/s + (t ŷ^−q − t^s)/q, q = p − 1, s = 2 − p, ŷ = e^z.

    Its derivative is ∂J/∂z = ŷ^s − t ŷ^−q. Summed over outputs, averaged over rows. It is 0 where ŷ = t. The variance
    of t is taken to grow as ŷ^p. With 1 < p < 2 that is a sum of gamma variables, their number Poisson: claims of an
    insurance, rain of a day. p = 1 is `poisson`, p = 2 is `gamma`, and J changes smoothly between the two.

    Parameters
    ----------
    power : float
        p, in [1, 2].

    Raises
    ------
    ValueError
        By `check_truth`, if a t is negative, or 0 where p = 2; names the first such row.

    References
    ----------
    Jørgensen (1987), Exponential dispersion models, Journal of the Royal Statistical Society B 49.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Tweedie
    >>> t, raw = np.array([[4.0], [0.0]]), np.array([[0.0], [0.0]])
    >>> round(Tweedie(1.5).value(t, raw), 12), Tweedie(1.5).gradient(t, raw).tolist()
    (2.0, [[-1.5], [0.5]])
    """

    power: Annotated[float, Field(ge=1, le=2)] = 1.5

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one in the middle, one beside it, and the two ends."""
        return (cls(), cls(1.1), cls(1.0), cls(2.0))

    def check_truth(self, t: Array) -> None:
        """Check that every t is at least 0, and positive where p = 2."""
        if self.power < 2:
            check_rows(t >= 0, t, f"tweedie of power {self.power:g} needs targets ≥ 0")
        else:
            check_rows(t > 0, t, "tweedie of power 2 needs targets > 0")

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return positive numbers, zeros among them where they are allowed."""
        t = rng.gamma(2.0, size=(n, 3))
        return t if self.power == 2 else t * rng.integers(2, size=t.shape)

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return t^s ((e^−su − 1)/s + (e^qu − 1)/q) with u = log(t / ŷ), where t = 0 its limit ŷ^s / s, and ∂J/∂z."""
        q, s = self.power - 1, 2 - self.power
        some = t > 0
        t1 = np.where(some, t, 1)  # where t = 0 this makes u = −z, hence 1 + down = ŷ^s
        u = np.log(t1) - raw
        with np.errstate(over="ignore"):  # where a power of ŷ is infinite, so is J
            down, up = np.expm1(-s * u), np.expm1(q * u)
            scale = t1**s
            # (e^cu − 1)/c becomes u as c goes to 0.
            J = scale * ((down / s if s else -u) + (up / q if q else u))
            draw = scale * (down - up)
        if some.all():
            return J, draw
        return np.where(some, J, (1 + down) / s), np.where(some, draw, 1 + down)

"""Losses of regression: of the error e = ŷ − y, and half deviances of targets t ≥ 0 from z = log ŷ.

The first predict the raw output itself, the others ŷ = e^z; each is 0 where the prediction is right.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self, final

import numpy as np
from pydantic import Field

from modnet import Array, Graph, Value
from modnet.base import TargetScale, Task
from modnet_standard.losses.shared import AveragedLoss, NumberLoss, averaged, check_rows, exponential

__all__ = ["AbsoluteError", "Gamma", "Huber", "LogCosh", "Poisson", "SquaredError", "Tweedie"]


class SquaredError(NumberLoss):
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

    target_scale: ClassVar[TargetScale] = "affine"

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


class ErrorLoss(NumberLoss, AveragedLoss):
    """A loss of the error e = ŷ − y, summed over outputs and averaged over rows."""

    target_scale: ClassVar[TargetScale] = "affine"

    @abstractmethod
    def of_error(self, e: Array) -> tuple[Array, Array]:
        """Return J and ∂J/∂e of each element, in arrays of their own.

        Parameters
        ----------
        e : ndarray, shape (n, k)
            The errors ŷ − y; not to be changed.

        Returns
        -------
        (ndarray, ndarray), both of the shape of e
            For each element J and ∂J/∂e.
        """

    @final
    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return J and ∂J/∂ŷ = ∂J/∂e of e = ŷ − y."""
        return self.of_error(raw - t)

    @final
    def predict(self, raw: Array) -> Array:
        """Return the raw output: the link is the identity."""
        return raw


class AbsoluteError(ErrorLoss):
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

    def of_error(self, e: Array) -> tuple[Array, Array]:
        """Return |e| and sign(e), e = ŷ − y."""
        return np.abs(e), np.sign(e)


class Huber(ErrorLoss):
    """Huber's loss of e = ŷ − y: J = ½e² where |e| ≤ δ, else δ(|e| − ½δ); ∂J/∂ŷ = e, cut off at ±δ.

    Summed over outputs, averaged over rows. The derivative has no jump, and no row pulls harder than δ.

    Parameters
    ----------
    delta : float
        The error δ from which on J grows linearly, > 0; in standard deviations of the target where an estimator
        scales it (`scale_target`), else in its units.

    References
    ----------
    Huber (1964), Robust estimation of a location parameter, Annals of Mathematical Statistics 35.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Huber
    >>> t, raw = np.array([[0.0], [0.0]]), np.array([[1.0], [-10.0]])
    >>> Huber(2.0).value(t, raw), Huber(2.0).gradient(t, raw).tolist()
    (9.25, [[0.5], [-1.0]])
    """

    delta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one with few errors beyond δ and one with many."""
        return (cls(), cls(0.1))

    def of_error(self, e: Array) -> tuple[Array, Array]:
        """Return c (e − ½c) and c, which is e cut off at ±δ."""
        c = np.clip(e, -self.delta, self.delta)
        return c * (e - 0.5 * c), c


class LogCosh(ErrorLoss):
    """The log-cosh loss: J = log cosh(ŷ − y), ∂J/∂ŷ = tanh(ŷ − y).

    Summed over outputs, averaged over rows. It is about ½e² for small errors e and |e| − log 2 for large ones, with
    derivatives of every order. Errors are in standard deviations of the target where an estimator scales it
    (`scale_target`), else in its units.

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

    def of_error(self, e: Array) -> tuple[Array, Array]:
        """Return |e| + log(1 + u/2) and ± −u / (2 + u), u = e^(−2|e|) − 1."""
        # cosh e = e^|e| (1 + u/2): nothing overflows, and unlike |e| + log(1 + e^(−2|e|)) − log 2 no digits of log 2
        # are left over where e is small.
        size = np.abs(e)
        u = np.expm1(-2 * size)
        return size + np.log1p(0.5 * u), np.copysign(u / (2 + u), e)


class Deviance(NumberLoss, AveragedLoss):
    """Half a deviance of z = log ŷ, summed over outputs and averaged over rows."""

    links: ClassVar[bool] = True
    target_scale: ClassVar[TargetScale] = "scale"

    @final
    def predict(self, raw: Array) -> Array:
        """Return ŷ = e^z."""
        return exponential(raw)

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write ŷ."""
        return raw.exp()


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
        Power p of the variance, in [1, 2].

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

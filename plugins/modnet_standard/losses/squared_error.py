"""Losses of the error e = ŷ − y: the squared error, and three that outliers weigh less in.

The prediction is the raw output itself.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, final

import numpy as np
from pydantic import Field

from modnet import Array, Loss
from modnet_standard.losses.averages import AveragedLoss, averaged


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


class ErrorLoss(AveragedLoss):
    """A loss of the error e = ŷ − y, summed over outputs and averaged over rows."""

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    @abstractmethod
    def of_error(self, e: Array) -> tuple[Array, Array]:
        """Return J and ∂J/∂e of each element, in arrays of their own."""

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
        δ, the error from which on J grows linearly, > 0; in units of the target.

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

    def of_error(self, e: Array) -> tuple[Array, Array]:
        """Return |e| + log(1 + u/2) and ± −u / (2 + u), u = e^(−2|e|) − 1."""
        # cosh e = e^|e| (1 + u/2): nothing overflows, and unlike |e| + log(1 + e^(−2|e|)) − log 2 no digits of log 2
        # are left over where e is small.
        size = np.abs(e)
        u = np.expm1(-2 * size)
        return size + np.log1p(0.5 * u), np.copysign(u / (2 + u), e)

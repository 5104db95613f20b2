"""Constraints: sets that weights are put back into after each step.

Three of them bound the norm of each column of W, the weights of one unit.
"""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array, Constraint
from modnet_standard.arrays import zeros

__all__ = ["MaxNorm", "MinMaxNorm", "NonNegative", "UnitNorm"]


class MaxNorm(Constraint):
    """At most a norm per unit: w ← w · min(1, value/‖w‖) for each column w of W.

    Parameters
    ----------
    value : float
        The largest Euclidean norm of a column, > 0.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout: a simple way to prevent neural networks
    from overfitting, JMLR 15.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.constraints import MaxNorm
    >>> W = np.array([[3.0, 0.3], [4.0, 0.4]])
    >>> MaxNorm(1.0).project(W)
    >>> W
    array([[0.6, 0.3],
           [0.8, 0.4]])
    """

    value: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0

    def project(self, W: Array) -> None:
        """Shorten columns that are longer than `value`."""
        bring_norms(W, 0.0, self.value)


class MinMaxNorm(Constraint):
    """A range of norms per unit: w ← w · clip(‖w‖, min_value, max_value)/‖w‖ for each column w of W; zeros stay.

    Parameters
    ----------
    min_value, max_value : float
        The smallest and the largest Euclidean norm of a column, 0 ≤ min_value ≤ max_value > 0.

    Raises
    ------
    InvalidSpecError
        If the smallest is larger than the largest.

    References
    ----------
    ``keras.constraints.MinMaxNorm``, with a rate of 1.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.constraints import MinMaxNorm
    >>> W = np.array([[3.0, 0.3], [4.0, 0.4]])
    >>> MinMaxNorm(1.0, 2.5).project(W)
    >>> W
    array([[1.5, 0.6],
           [2. , 0.8]])
    """

    min_value: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    max_value: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_value > self.max_value:
            raise ValueError(f"min_value={self.min_value} should not be larger than max_value={self.max_value}")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with one bound, and with two."""
        return cls(), cls(0.5, 1.5)

    def project(self, W: Array) -> None:
        """Scale columns that are shorter or longer than allowed."""
        bring_norms(W, self.min_value, self.max_value)


class UnitNorm(Constraint):
    """Norm 1 per unit: w ← w/‖w‖ for each column w of W; columns of zeros, which point nowhere, stay.

    References
    ----------
    ``keras.constraints.UnitNorm``.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.constraints import UnitNorm
    >>> W = np.array([[3.0, 0.0], [4.0, 0.0]])
    >>> UnitNorm().project(W)
    >>> W
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """

    def project(self, W: Array) -> None:
        """Scale columns to norm 1."""
        bring_norms(W, 1.0, 1.0)


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


def bring_norms(W: Array, lowest: float, highest: float) -> None:
    """Scale each column of W, in place, so that lowest ≤ ‖w‖ ≤ highest; columns of zeros stay.

    The nearest point of such a set lies on the ray through w: w ← w · clip(‖w‖, lowest, highest)/‖w‖.
    """
    norms = np.sqrt(np.einsum("...ij,...ij->...j", W, W, dtype=np.float64))
    # A column that was just scaled has its norm up to rounding: of W, and of a sum over all rows. It counts as right,
    # or each call would move it by the last bit.
    slack = 1 + 4 * np.finfo(W.dtype).eps + W.shape[-2] * np.finfo(np.float64).eps
    wrong = (norms > highest * slack) | ((norms * slack < lowest) & (norms > 0))
    if wrong.any():
        factors = np.ones_like(norms)
        np.divide(np.clip(norms, lowest, highest), norms, out=factors, where=wrong)
        W *= factors[..., None, :].astype(W.dtype)

"""MinMaxNorm: the length of each unit's weights lies between two bounds."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from modnet import Array, Constraint
from modnet_standard.constraints.norms import bring_norms


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

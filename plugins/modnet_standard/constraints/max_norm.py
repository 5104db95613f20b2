"""MaxNorm: no unit's weights are longer than a bound."""

from typing import Annotated

from pydantic import Field

from modnet import Array, Constraint
from modnet_standard.constraints.norms import bring_norms


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

"""UnitNorm: each unit's weights have length 1."""

from modnet import Array, Constraint
from modnet_standard.constraints.norms import bring_norms


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

"""SORD: cross-entropy against labels that are soft around the truth, the softer the nearer."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from modnet import Array
from modnet.activations import Softmax
from modnet_ordinal.ordinal_loss import OrdinalLoss


class SORD(OrdinalLoss):
    """Cross-entropy with soft ordinal labels: J = log Σₖ e^zₖ − Σₖ qₖzₖ, q = softmax(−scale · d(t, k)) over classes k.

    Where cross-entropy wants the truth and nothing else, this wants classes near it to be likely as well, in the order
    of their distance d. J is least at p = q, where it is the entropy of q and not 0. ∂J/∂z = p − q, p = softmax(z).

    Parameters
    ----------
    distance : {"squared", "absolute"}
        d: (t − k)² or |t − k|.
    scale : float
        > 0; the larger, the harder the labels: cross-entropy is the limit.

    References
    ----------
    Díaz & Marathe (2019), Soft labels for ordinal regression, CVPR.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet_ordinal import SORD
    >>> SORD().labels(4)[1].round(2)
    array([0.21, 0.57, 0.21, 0.01])
    >>> SORD("absolute", scale=2.0).labels(4)[1].round(2)
    array([0.1 , 0.78, 0.1 , 0.01])
    """

    distance: Literal["squared", "absolute"] = "squared"
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both distances, and another scale."""
        return (cls(), cls("absolute"), cls(scale=0.3))

    def labels(self, classes: int) -> Array:
        """Return q, a row per truth.

        Parameters
        ----------
        classes : int
            Their number k, ≥ 2.

        Returns
        -------
        ndarray of float64, shape (classes, classes)
            Each row sums to 1.
        """
        k = np.arange(classes)
        apart = np.abs(k[:, np.newaxis] - k).astype(float)
        return Softmax().f(-self.scale * (apart**2 if self.distance == "squared" else apart))

    def rows(self, t: Array, z: Array) -> tuple[Array, Array]:
        """Return log Σ e^z − Σ q z and p − q."""
        q = self.labels(z.shape[-1]).astype(z.dtype)[t]
        e = np.exp(z)
        total = e.sum(axis=-1)
        return np.log(total) - (q * z).sum(axis=-1), e / total[:, np.newaxis] - q

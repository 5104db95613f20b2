"""Hinge: the loss of support vector machines, J = max(0, 1 − margin)."""

from modnet import Array
from modnet_standard.losses.margin_loss import MarginLoss


class Hinge(MarginLoss):
    """The hinge loss of scores z: J = Σ max(0, 1 − y z) with y = ±1, or Σⱼ max(0, 1 − z_t + zⱼ) over j ≠ t.

    Averaged over rows. The derivative is that of 1 − y z or 1 − z_t + zⱼ where it is positive, else 0: 0 at the kink
    as well, as in PyTorch. There are no probabilities: predictions are scores.

    Parameters
    ----------
    columns : {"independent", "exclusive"}
        What the columns of scores mean. "independent": each is a yes or no of its own, t is 0 or 1 (y = 2t − 1).
        "exclusive": one class per row, t is its code, and each other class is compared with it (Weston & Watkins).
        Estimators set it to suit the target.

    References
    ----------
    Cortes & Vapnik (1995), Support-vector networks, Machine Learning 20.
    Weston & Watkins (1999), Support vector machines for multi-class pattern recognition, ESANN.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Hinge
    >>> t, raw = np.array([[1.0], [0.0]]), np.array([[0.5], [-3.0]])
    >>> Hinge().value(t, raw), Hinge().gradient(t, raw).tolist()
    (0.25, [[-0.5], [0.0]])
    >>> Hinge("exclusive").value(np.array([2]), np.array([[0.0, 1.5, 2.0]]))
    0.5
    """

    def penalty(self, h: Array) -> tuple[Array, Array]:
        """Return h and [h > 0]."""
        return h, (h > 0).astype(h.dtype)

"""Squared hinge: J = max(0, 1 − margin)², without the kink of the hinge."""

from modnet import Array
from modnet_standard.losses.margin_loss import MarginLoss


class SquaredHinge(MarginLoss):
    """The squared hinge loss of scores z: J = Σ max(0, 1 − y z)² with y = ±1, or Σⱼ max(0, 1 − z_t + zⱼ)² over j ≠ t.

    Averaged over rows. The derivative is −2y max(0, 1 − y z), or ∂J/∂zⱼ = 2 max(0, 1 − z_t + zⱼ) and minus their sum
    for the true class. There are no probabilities: predictions are scores.

    Parameters
    ----------
    columns : {"independent", "exclusive"}
        What the columns of scores mean. "independent": each is a yes or no of its own, t is 0 or 1 (y = 2t − 1).
        "exclusive": one class per row, t is its code, and each other class is compared with it.
        Estimators set it to suit the target.

    References
    ----------
    Tang (2013), Deep learning using linear support vector machines, ICML workshop on challenges in representation
    learning.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import SquaredHinge
    >>> t, raw = np.array([[1.0], [0.0]]), np.array([[0.5], [-3.0]])
    >>> SquaredHinge().value(t, raw), SquaredHinge().gradient(t, raw).tolist()
    (0.125, [[-0.5], [0.0]])
    """

    def penalty(self, h: Array) -> tuple[Array, Array]:
        """Return h² and 2h."""
        return h * h, 2 * h

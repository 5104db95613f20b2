"""SquaredEMD: how far, squared, probability has to be carried along the order of classes to end at the truth."""

import numpy as np

from modnet import Array
from modnet_ordinal.ordinal_loss import OrdinalLoss, sums_from_above, sums_from_below


class SquaredEMD(OrdinalLoss):
    """The squared earth mover's distance: J = Σₖ Dₖ², Dₖ = P(y ≤ k) − [t ≤ k] from logits z, P by softmax.

    The cumulated probabilities are held against those of the truth, so mass counts more the further it lies from the
    truth. It is also known as the ranked probability score. With gⱼ = ∂J/∂pⱼ = 2 Σₖ Dₖ over k ≥ j the derivative is
    ∂J/∂z = p ∘ (g − Σⱼ pⱼ gⱼ).

    J is bounded, so rows that are far off pull no harder than others; the price is that a softmax that is sure of the
    wrong class hardly learns from it any more. `ranked_cross_entropy` is the same with logarithms, and does.

    References
    ----------
    Hou, Yu & Samaras (2016), Squared earth mover's distance-based loss for training deep neural networks,
    arXiv:1611.05916. Epstein (1969), A scoring system for probability forecasts of ranked categories, Journal of
    Applied Meteorology 8.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet_ordinal import SquaredEMD
    >>> sure = np.array([[50.0, 0.0, 0.0, 0.0]])  # of class 0
    >>> [round(SquaredEMD().value(np.array([t]), sure), 6) for t in range(4)]
    [0.0, 1.0, 2.0, 3.0]
    """

    def rows(self, t: Array, z: Array) -> tuple[Array, Array]:
        """Return Σₖ Dₖ² and p ∘ (g − Σⱼ pⱼ gⱼ)."""
        p = self.predict(z)
        D = np.zeros_like(p)
        below = np.arange(p.shape[-1] - 1) < t[:, np.newaxis]
        # P(y ≤ k) where the truth is above k, else P(y ≤ k) − 1 = −P(y > k), without the difference.
        D[:, :-1] = np.where(below, sums_from_below(p)[:, :-1], -sums_from_above(p)[:, 1:])
        g = 2 * sums_from_above(D)
        return np.square(D).sum(axis=-1), p * (g - (p * g).sum(axis=-1, keepdims=True))

"""RankedCrossEntropy: a cross-entropy for each question "is it more than k?" that the order of classes allows."""

import numpy as np

from modnet import Array
from modnet_ordinal.ordinal_loss import OrdinalLoss


class RankedCrossEntropy(OrdinalLoss):
    """The sum of cross-entropies along the order: J = −Σₖ log P(y > k) for k < t, −Σₖ log P(y ≤ k) for t ≤ k < last.

    Each of the steps between the classes is a question with two answers, and J is the cross-entropy of all answers; P
    is by softmax from logits z. It is the ranked ignorance score: `squared_emd` with logarithms in place of squares,
    and like cross-entropy it does not let go of what is sure and wrong. With Aₖ and Bₖ, the logarithms of Σ e^z over
    the classes up to k and above k, ∂J/∂zⱼ = (last) pⱼ − Σₖ e^(zⱼ − Bₖ) − Σₖ e^(zⱼ − Aₖ), the first sum over k < t and
    k < j, the second over k ≥ t and k ≥ j.

    References
    ----------
    Tödter & Ahrens (2012), Generalization of the ignorance score: continuous ranked version and its decomposition,
    Monthly Weather Review 140.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import CrossEntropy
    >>> from modnet_ordinal import RankedCrossEntropy
    >>> z = np.array([[4.0, 2.0, 0.0, 0.0]])
    >>> [round(RankedCrossEntropy().value(np.array([t]), z), 3) for t in range(4)]
    [0.206, 1.967, 5.4, 9.543]
    >>> [round(CrossEntropy().value(np.array([t]), z), 3) for t in range(4)]
    [0.159, 2.159, 4.159, 4.159]
    """

    def rows(self, t: Array, z: Array) -> tuple[Array, Array]:
        """Return Σₖ (A_last − Bₖ) or (A_last − Aₖ), and its derivative."""
        steps = np.arange(z.shape[-1] - 1)
        above = steps < t[:, np.newaxis]
        whole = _log_sums(z)
        total, A, B = whole[:, -1:], whole[:, :-1], _log_sums(z[:, ::-1])[:, -2::-1]
        J = (total - np.where(above, B, A)).sum(axis=-1)
        dz = len(steps) * np.exp(z - total)
        # e^zⱼ Σₖ e^−Bₖ, the sum as a logarithm: neither factor is a number that has to fit.
        dz[:, 1:] -= np.exp(z[:, 1:] + _log_sums(np.where(above, -B, -np.inf)))
        dz[:, :-1] -= np.exp(z[:, :-1] + _log_sums(np.where(above, -np.inf, -A)[:, ::-1])[:, ::-1])
        return J, dz


def _log_sums(a: Array) -> Array:
    """Return log Σ e^a over each element and those before it."""
    sums: Array = np.logaddexp.accumulate(a, axis=-1)
    return sums

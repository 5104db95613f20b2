"""Hinge losses, of support vector machines: scores should differ by 1 from what they compete with.

There are no probabilities; the largest score wins.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np

from modnet import Array
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.classes import check_classes


class MarginLoss(AveragedLoss):
    """A sum of penalties on h, by how much a margin falls short of 1.

    Parameters
    ----------
    columns : {"independent", "exclusive"}
        What the columns of scores z mean. "independent": each is a yes or no of its own, t is 0 or 1, and
        h = max(0, 1 − z) or max(0, 1 + z). "exclusive": one class per row, t is its code, and hⱼ = max(0, 1 − z_t + zⱼ)
        for every other class j.
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "binary": {"columns": "independent"},
        "multiclass": {"columns": "exclusive"},
        "multilabel": {"columns": "independent"},
    }
    probabilistic: ClassVar[bool] = False

    columns: Literal["independent", "exclusive"] = "independent"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one for each meaning of the columns."""
        return (cls("independent"), cls("exclusive"))

    @abstractmethod
    def penalty(self, h: Array) -> tuple[Array, Array]:
        """Return J(h) and ∂J/∂h as a new array; J(0) and the derivative at 0 are 0."""

    def check_truth(self, t: Array) -> None:
        """Check that t is class codes (exclusive columns), or 0 and 1 (independent ones)."""
        check_classes(t, "a hinge loss", exclusive=self.columns == "exclusive")

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return the penalties, and their derivatives with respect to the scores."""
        if self.columns == "independent":
            sign = 2 * t - 1
            J, dh = self.penalty(np.maximum(1 - sign * raw, 0))
            return J, -sign * dh
        n = np.arange(len(raw))
        h = np.maximum(1 - raw[n, t][:, np.newaxis] + raw, 0)
        h[n, t] = 0
        J, dh = self.penalty(h)
        dh[n, t] = -dh.sum(axis=-1)
        return J, dh

    def predict(self, raw: Array) -> Array:
        """Return the raw output: scores, not probabilities. The largest wins; alone, yes is above 0."""
        return raw


class Hinge(MarginLoss):
    """The hinge loss of scores z: J = Σ max(0, 1 − y z) with y = ±1, or Σⱼ max(0, 1 − z_t + zⱼ) over j ≠ t.

    Averaged over rows. The derivative is that of 1 − y z or 1 − z_t + zⱼ where it is positive, else 0: 0 at the kink
    as well, as in PyTorch. There are no probabilities: predictions are scores.

    Parameters
    ----------
    columns : {"independent", "exclusive"}
        What the columns of scores mean. "independent": each is a yes or no of its own, t is 0 or 1 (y = 2t − 1).
        "exclusive": one class per row, t is its code, and each other class is compared with it (Weston & Watkins).
        Estimators set it by the target.

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


class SquaredHinge(MarginLoss):
    """The squared hinge loss of scores z: J = Σ max(0, 1 − y z)² with y = ±1, or Σⱼ max(0, 1 − z_t + zⱼ)² over j ≠ t.

    Averaged over rows. The derivative is −2y max(0, 1 − y z), or ∂J/∂zⱼ = 2 max(0, 1 − z_t + zⱼ) and minus their sum
    for the true class. There are no probabilities: predictions are scores.

    Parameters
    ----------
    columns : {"independent", "exclusive"}
        What the columns of scores mean. "independent": each is a yes or no of its own, t is 0 or 1 (y = 2t − 1).
        "exclusive": one class per row, t is its code, and each other class is compared with it.
        Estimators set it by the target.

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

"""Losses of classes that go by a margin: hinge losses, of support vector machines, and focal loss, for rare classes.

The margin says by how much the score or logit of the truth is ahead of those that it competes with.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array
from modnet.base import Task
from modnet_standard.losses.shared import (
    LINKS,
    AveragedLoss,
    ClassLink,
    LogitLoss,
    check_classes,
    softplus_and_sigmoid,
)

__all__ = ["Focal", "Hinge", "SquaredHinge"]


class MarginLoss(AveragedLoss):
    """A sum of penalties on h, by how much a margin falls short of 1.

    Parameters
    ----------
    columns : {"independent", "exclusive"}
        What the columns of scores z mean. "independent": each is a yes or no of its own, t is 0 or 1, and
        h = max(0, 1 − z) or max(0, 1 + z). "exclusive": one class per row, t is its code, and hⱼ = max(0, 1 − z_t + zⱼ)
        for every other class j.
    """

    probabilistic: ClassVar[bool] = False

    columns: Literal["independent", "exclusive"] = "independent"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one for each meaning of the columns."""
        return (cls("independent"), cls("exclusive"))

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return it with columns that exclude each other for several classes, and independent ones for labels."""
        return replace(self, columns="exclusive" if task == "multiclass" else "independent") if task in LINKS else None

    @abstractmethod
    def penalty(self, h: Array) -> tuple[Array, Array]:
        """Return J(h) and ∂J/∂h as a new array; J(0) and the derivative at 0 are 0.

        Parameters
        ----------
        h : ndarray, shape (n, k)
            By how much the margins are missed, ≥ 0; it may be changed.

        Returns
        -------
        (ndarray, ndarray), both of the shape of h
            For each element J and ∂J/∂h.
        """

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


class Focal(LogitLoss, AveragedLoss):
    """The focal loss from logits z: J = −α_t (1 − p_t)^γ log p_t, p_t the probability of the truth.

    Summed over columns (sigmoid), averaged over rows. γ = 0 is `cross_entropy`; the larger γ, the less a row
    counts that is classified well already. With m = log p_t/(1 − p_t), the margin of the truth, p_t = σ(m) and
    ∂J/∂m = −α_t (1 − p_t)^γ (1 − p_t − γ p_t log p_t). With the sigmoid link m is z where t = 1, else −z; with the
    softmax link m = z_t − log Σⱼ e^zⱼ over the other classes.

    Parameters
    ----------
    gamma : float
        Exponent γ, ≥ 0.
    alpha : float, optional
        Weight of t = 1, in (0, 1), that of t = 0 being 1 − alpha; None: both weigh 1. For the sigmoid link only; an
        estimator's `class_weight` weighs any number of classes.
    link : {"softmax", "sigmoid"}
        What turns logits into probabilities: softmax for one of k classes, sigmoid for a binary target or for labels
        that do not exclude each other. Estimators set it by the target.

    Raises
    ------
    InvalidSpecError
        If there is an `alpha` with the softmax link.

    References
    ----------
    Lin, Goyal, Girshick, He & Dollár (2017), Focal loss for dense object detection, ICCV, eq. 4 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Focal
    >>> t, raw = np.array([[1.0], [1.0]]), np.array([[0.0], [4.0]])
    >>> [round(Focal(gamma).value(t[[row]], raw[[row]]), 5) for gamma in (0, 2) for row in (0, 1)]
    [0.69315, 0.01815, 0.17329, 1e-05]
    """

    gamma: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    alpha: Annotated[float, Field(gt=0, lt=1)] | None = None
    link: ClassLink = "sigmoid"

    @model_validator(mode="after")
    def _alpha_is_of_two_classes(self) -> Self:
        if self.alpha is not None and self.link == "softmax":
            raise ValueError("alpha weighs 1 against 0 and needs link='sigmoid'; class_weight weighs several classes")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both links, with a γ of 2, below 1 and 0, and one with an α."""
        gammas = (2.0, 0.5, 0.0)
        return (*(cls(gamma) for gamma in gammas), *(cls(gamma, link="softmax") for gamma in gammas), cls(alpha=0.25))

    def check_truth(self, t: Array) -> None:
        """Check that t is class codes (softmax), or 0 and 1 (sigmoid)."""
        check_classes(t, "focal", exclusive=self.link == "softmax")

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return J(m) and ∂J/∂m ∂m/∂z."""
        return self._softmax_rows(t, raw) if self.link == "softmax" else self._sigmoid_rows(t, raw)

    def _sigmoid_rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        sign = 2 * t - 1
        J, dm = self._of_margin(sign * raw)
        if self.alpha is not None:
            weight = self.alpha * t + (1 - self.alpha) * (1 - t)
            J *= weight
            dm *= weight
        return J, sign * dm

    def _softmax_rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        n = np.arange(len(raw))
        others = raw.copy()
        others[n, t] = -np.inf
        top = others.max(axis=-1, keepdims=True)
        share = np.exp(others - top)  # of each other class in what is not p_t: no difference 1 − p_t loses digits
        total = share.sum(axis=-1, keepdims=True)
        share /= total
        J, dm = self._of_margin(raw[n, t] - (top + np.log(total))[:, 0])
        draw = share * -dm[:, np.newaxis]
        draw[n, t] = dm
        return J, draw

    def _of_margin(self, m: Array) -> tuple[Array, Array]:
        """Return (1 − p)^γ L and −(1 − p)^γ (1 − p + γ p L), p = σ(m), L = −log p."""
        L, miss = softplus_and_sigmoid(-m)  # miss = 1 − p, exact where p is close to 1
        focus = miss**self.gamma
        return focus * L, -focus * (miss + self.gamma * (1 - miss) * L)

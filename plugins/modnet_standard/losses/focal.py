"""Focal loss: cross-entropy in which rows that are classified well hardly count, for rare classes.

The margin of the truth decides how much a row counts.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from modnet import Array
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.classes import (
    CLASS_TASKS,
    ClassLink,
    check_classes,
    log_probabilities,
    probabilities,
    softplus_and_sigmoid,
)


class Focal(AveragedLoss):
    """The focal loss from logits z: J = −α_t (1 − p_t)^γ log p_t, p_t the probability of the truth.

    Summed over columns (sigmoid), averaged over rows. γ = 0 is `cross_entropy`; the larger γ, the less a row
    counts that is classified well already. With m = log p_t/(1 − p_t), the margin of the truth, p_t = σ(m) and
    ∂J/∂m = −α_t (1 − p_t)^γ (1 − p_t − γ p_t log p_t). With the sigmoid link m is z where t = 1, else −z; with the
    softmax link m = z_t − log Σⱼ e^zⱼ over the other classes.

    Parameters
    ----------
    gamma : float
        γ, ≥ 0.
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

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = CLASS_TASKS

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
        return (
            cls(),
            cls(link="softmax"),
            cls(0.5),
            cls(0.5, link="softmax"),
            cls(0.0),
            cls(0.0, link="softmax"),
            cls(alpha=0.25),
        )

    def check_truth(self, t: Array) -> None:
        """Check that t is class codes (softmax), or 0 and 1 (sigmoid)."""
        check_classes(t, "focal", exclusive=self.link == "softmax")

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return J(m) and ∂J/∂m ∂m/∂z."""
        return self._softmax_rows(t, raw) if self.link == "softmax" else self._sigmoid_rows(t, raw)

    def predict(self, raw: Array) -> Array:
        """Return probabilities: of each class with softmax, of 1 in each column with sigmoid."""
        return probabilities(self.link, raw)

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithms of the probabilities, exact where a probability rounds to 0."""
        return log_probabilities(self.link, raw)

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

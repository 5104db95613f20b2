"""Margins: what the hinge losses share, scores that should differ by 1 from what they compete with."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np

from modnet import Array
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.truths import check_codes, check_labels


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
        check = check_codes if self.columns == "exclusive" else check_labels
        check(t, "a hinge loss")

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

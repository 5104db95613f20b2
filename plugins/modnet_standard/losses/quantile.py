"""Quantiles: the pinball loss at one or several levels, with predictions that cannot cross."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Real
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import MinLen
from pydantic import AfterValidator, BeforeValidator, Field

from modnet import Array, QuantileLoss
from modnet_standard.losses.averages import AveragedLoss
from modnet_standard.losses.classes import softplus_and_sigmoid

_Level = Annotated[float, Field(gt=0, lt=1)]


def _in_a_tuple(levels: Any) -> Any:
    return (levels,) if isinstance(levels, Real) else levels


def _ascending(levels: tuple[float, ...]) -> tuple[float, ...]:
    if any(lower >= upper for lower, upper in pairwise(levels)):
        raise ValueError("levels should ascend, none of them twice")
    return levels


class Quantile(AveragedLoss, QuantileLoss):
    """The pinball loss of predicted τ-quantiles ŷ: J = Σ τ (t − ŷ) where t ≥ ŷ, Σ (1 − τ)(ŷ − t) where t < ŷ.

    Summed over levels τ and outputs, averaged over rows. Each target has as many raw columns as there are levels, side
    by side: the first is the lowest quantile ŷ₁ = z₁, each further one says how far the next lies above,
    ŷⱼ = ŷⱼ₋₁ + log(1 + e^zⱼ). So quantiles never cross. The derivatives are ∂J/∂ŷ = [t < ŷ] − τ (−τ at the kink, as in
    scikit-learn), ∂J/∂z₁ = Σⱼ ∂J/∂ŷⱼ and ∂J/∂zⱼ = σ(zⱼ) Σᵢ ∂J/∂ŷᵢ over i ≥ j.

    Parameters
    ----------
    quantiles : tuple of float
        The levels τ, in (0, 1), ascending; a single number will do. The prediction is the quantile whose level is
        nearest to 0.5, the lower one of two.

    References
    ----------
    Koenker & Bassett (1978), Regression quantiles, Econometrica 46.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import Quantile
    >>> loss = Quantile((0.1, 0.5, 0.9))
    >>> loss.width(targets=2)
    6
    >>> raw = np.array([[-1.0, 0.0, 2.0]])
    >>> np.round(loss.predict_quantiles(raw), 3), loss.predict(raw).shape
    (array([[[-1.   , -0.307,  1.82 ]]]), (1, 1))
    >>> round(Quantile(0.9).value(np.array([[1.0]]), np.array([[0.0]])), 3)
    0.9
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    quantiles: Annotated[
        tuple[_Level, ...],
        MinLen(1),
        AfterValidator(_ascending),
        BeforeValidator(_in_a_tuple, json_schema_input_type=_Level | Annotated[tuple[_Level, ...], MinLen(1)]),
    ] = (0.5,)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one level, and several."""
        return (cls(), cls((0.1, 0.5, 0.8)))

    def width(self, targets: int) -> int:
        """Return a column per target and level."""
        return targets * len(self.quantiles)

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return Σ ([t < ŷ] − τ)(ŷ − t), and its derivative through the steps that ŷ is made of."""
        predicted, slope = self._ascent(raw)
        e = predicted - t[..., np.newaxis]
        d = (e > 0) - np.array(self.quantiles, raw.dtype)
        J = e * d
        for j in reversed(range(len(self.quantiles) - 1)):
            d[..., j] += d[..., j + 1]  # Σ over i ≥ j
        d[..., 1:] *= slope
        return J.reshape(raw.shape), d.reshape(raw.shape)

    def predict(self, raw: Array) -> Array:
        """Return the quantile whose level is nearest to 0.5."""
        middle = min(range(len(self.quantiles)), key=lambda j: abs(self.quantiles[j] - 0.5))
        return self.predict_quantiles(raw)[..., middle]

    def predict_quantiles(self, raw: Array) -> Array:
        """Return ŷ₁ = z₁, ŷⱼ = ŷⱼ₋₁ + log(1 + e^zⱼ)."""
        return self._ascent(raw)[0]

    def _ascent(self, raw: Array) -> tuple[Array, Array]:
        """Return the quantiles, shape (n, k, q), and the derivatives of the steps between them, shape (n, k, q − 1)."""
        levels = len(self.quantiles)
        predicted = raw.reshape(*raw.shape[:-1], raw.shape[-1] // levels, levels).copy()
        step, slope = softplus_and_sigmoid(predicted[..., 1:])
        for j in range(1, levels):  # a handful of levels: faster than np.cumsum along a short axis
            predicted[..., j] = predicted[..., j - 1] + step[..., j - 1]
        return predicted, slope

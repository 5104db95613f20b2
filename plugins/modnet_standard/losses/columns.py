"""Losses with several raw columns per target: quantiles, mean and standard deviation, and several losses side by side.

What has to be positive, such as a standard deviation, comes out of a softplus.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from numbers import Real
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import MinLen
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from modnet import AnyLoss, Array, Count, DensityLoss, Loss, QuantileLoss
from modnet.base import Task
from modnet_standard.losses.cross_entropy import CrossEntropy
from modnet_standard.losses.shared import AveragedLoss, softplus_and_sigmoid

__all__ = ["GaussianNLL", "PerOutput", "Quantile"]

_Level = Annotated[float, Field(gt=0, lt=1)]


def _in_a_tuple(levels: Any) -> Any:
    return (levels,) if isinstance(levels, Real | Decimal) else levels


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


class GaussianNLL(AveragedLoss, DensityLoss):
    """The negative log-likelihood of a normal target: J = ½ (log v + (t − μ)²/v), variance v = log(1 + e^s) + ε.

    Summed over outputs, averaged over rows; the constant ½ log 2π is left out. For k targets the raw output has 2k
    columns, μ of all of them, then s of all of them. The derivatives are ∂J/∂μ = (μ − t)/v and
    ∂J/∂s = ½ (1 − (t − μ)²/v) σ(s)/v.

    Parameters
    ----------
    epsilon : float
        ε, the least variance, > 0: it keeps J bounded where a target is met exactly. In units of the target, squared.

    References
    ----------
    Nix & Weigend (1994), Estimating the mean and variance of the target probability distribution, ICNN.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import GaussianNLL
    >>> loss, raw = GaussianNLL(), np.array([[2.0, -1.0, 0.5413, 3.9815]])  # two targets
    >>> loss.predict(raw), np.round(loss.predict_std(raw), 3)
    (array([[ 2., -1.]]), array([[1., 2.]]))
    >>> round(loss.value(np.array([[2.0, 1.0]]), raw), 3)  # (log 1 + 0 + log 4 + 2² / 4) / 2
    1.193
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-6

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one with a small ε and one with a large one."""
        return (cls(), cls(0.1))

    def width(self, targets: int) -> int:
        """Return two columns per target: μ and s."""
        return 2 * targets

    def rows(self, t: Array, raw: Array) -> tuple[Array, Array]:
        """Return ½ (log v + e²/v), and (e/v, ½ (1 − e²/v) σ(s)/v), e = μ − t."""
        k = raw.shape[-1] // 2
        e = raw[..., :k] - t
        v, slope = softplus_and_sigmoid(raw[..., k:])
        v += self.epsilon
        surprise = e * e / v
        draw = np.concatenate([e / v, 0.5 * (1 - surprise) * (slope / v)], axis=-1)
        return 0.5 * (np.log(v) + surprise), draw

    def predict(self, raw: Array) -> Array:
        """Return μ."""
        return raw[..., : raw.shape[-1] // 2]

    def predict_std(self, raw: Array) -> Array:
        """Return √v."""
        v = softplus_and_sigmoid(raw[..., raw.shape[-1] // 2 :])[0]
        v += self.epsilon
        return np.sqrt(v, out=v)


class PerOutput(Loss):
    """The sum of losses, each looking at its own columns: J = Σⱼ Jⱼ(tⱼ, rawⱼ).

    Estimators use it for y with several columns of classes: one cross-entropy per column.

    Parameters
    ----------
    losses : tuple of Loss
        The Jⱼ, at least one.
    widths : tuple of int
        How many columns of the raw output each looks at, as many as there are losses.

    Raises
    ------
    InvalidSpecError
        If there are not as many widths as losses.

    Notes
    -----
    The truth t has a column per loss, shape (n, k): integer codes. A loss that looks at one raw column gets 0 and 1 as
    floats, the others get codes.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import CrossEntropy, PerOutput
    >>> loss = PerOutput([CrossEntropy("softmax"), CrossEntropy("sigmoid")], [3, 1])
    >>> t, raw = np.array([[2, 1], [0, 0]]), np.zeros((2, 4))
    >>> round(loss.value(t, raw), 4)  # log 3 + log 2
    1.7918
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"multioutput": {}}

    losses: Annotated[tuple[AnyLoss, ...], MinLen(1)]
    widths: tuple[Count, ...]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return three classes beside two, and two columns of three classes."""
        softmax, sigmoid = CrossEntropy("softmax"), CrossEntropy("sigmoid")
        return (cls((softmax, sigmoid), (3, 1)), cls((softmax, softmax), (3, 3)))

    @model_validator(mode="after")
    def _a_width_per_loss(self) -> Self:
        if len(self.widths) != len(self.losses):
            raise ValueError(f"widths should be {len(self.losses)} numbers, one per loss; there are {len(self.widths)}")
        return self

    @property
    def probabilistic(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether all losses are."""
        return all(loss.probabilistic for loss in self.losses)

    def check_truth(self, t: Array) -> None:
        """Check each column with its own loss."""
        for j, loss in enumerate(self.losses):
            loss.check_truth(t[:, j])

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return codes, as many as there are raw columns; two for a single one."""
        return np.stack([rng.integers(max(width, 2), size=n) for width in self.widths], axis=1)

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both, each loss asked once."""
        value, draw = 0.0, np.empty_like(raw) if out is None else out
        for loss, tj, part in self._parts(t, raw):
            Jj, draw[:, part] = loss.value_and_gradient(tj, raw[:, part], weight=weight)
            value += Jj
        return value, draw

    def predict(self, raw: Array) -> Array:
        """Return each loss's prediction in its own columns."""
        return np.hstack([loss.predict(raw[:, part]) for loss, part in self._columns()])

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithm of each loss's prediction in its own columns."""
        return np.hstack([loss.log_predict(raw[:, part]) for loss, part in self._columns()])

    def _columns(self) -> Iterator[tuple[Loss, slice]]:
        for loss, (start, stop) in zip(self.losses, pairwise(accumulate(self.widths, initial=0)), strict=True):
            yield loss, slice(start, stop)

    def _parts(self, t: Array, raw: Array) -> Iterator[tuple[Loss, Array, slice]]:
        for j, (loss, part) in enumerate(self._columns()):
            binary = part.stop - part.start == 1
            yield loss, t[:, [j]].astype(raw.dtype) if binary else t[:, j], part

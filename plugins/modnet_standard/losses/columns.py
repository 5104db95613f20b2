"""Losses with several raw columns per target: quantiles, mean and standard deviation, and several losses side by side.

What has to be positive, such as a standard deviation, comes out of a softplus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from numbers import Real
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import MinLen
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from modnet import Array, Converted, Count, DensityLoss, Graph, Loss, QuantileLoss, Slots, Value, default
from modnet.base import TargetScale, Task
from modnet_standard.losses.cross_entropy import CrossEntropy
from modnet_standard.losses.shared import AveragedLoss, NumberLoss, softplus_and_sigmoid

__all__ = ["GaussianNLL", "PerOutput", "Quantile"]

_Level = Annotated[float, Field(gt=0, lt=1)]


def _in_a_tuple(levels: Any) -> Any:
    return (levels,) if isinstance(levels, Real | Decimal) else levels


def _ascending(levels: tuple[float, ...]) -> tuple[float, ...]:
    if any(lower >= upper for lower, upper in pairwise(levels)):
        raise ValueError("levels should ascend, none of them twice")
    return levels


class Quantile(NumberLoss, AveragedLoss, QuantileLoss):
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

    target_scale: ClassVar[TargetScale] = "affine"

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

    @property
    def links(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether there are several levels: a single one is predicted as it is."""
        return len(self.quantiles) > 1

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

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write ŷ."""
        middle = min(range(len(self.quantiles)), key=lambda j: abs(self.quantiles[j] - 0.5))
        return self.onnx_quantiles(graph, raw).part(middle, middle + 1).reshape(0, -1)

    def predict_quantiles(self, raw: Array) -> Array:
        """Return ŷ₁ = z₁, ŷⱼ = ŷⱼ₋₁ + log(1 + e^zⱼ)."""
        return self._ascent(raw)[0]

    def onnx_quantiles(self, graph: Graph, raw: Value) -> Value:
        """Write the quantiles."""
        levels = len(self.quantiles)
        z = raw.reshape(0, -1, levels)
        if levels == 1:
            return z
        first, rest = z.part(0, 1), z.part(1, levels)
        return graph.op("CumSum", graph.concat([first, _softplus(rest)]), np.int64(-1))

    def _ascent(self, raw: Array) -> tuple[Array, Array]:
        """Return the quantiles, shape (n, k, q), and the derivatives of the steps between them, shape (n, k, q − 1)."""
        levels = len(self.quantiles)
        predicted = raw.reshape(*raw.shape[:-1], raw.shape[-1] // levels, levels).copy()
        step, slope = softplus_and_sigmoid(predicted[..., 1:])
        for j in range(1, levels):  # a handful of levels: faster than np.cumsum along a short axis
            predicted[..., j] = predicted[..., j - 1] + step[..., j - 1]
        return predicted, slope


class GaussianNLL(NumberLoss, AveragedLoss, DensityLoss):
    """The negative log-likelihood of a normal target: J = ½ (log v + (t − μ)²/v), variance v = log(1 + e^s) + ε.

    Summed over outputs, averaged over rows; the constant ½ log 2π is left out. For k targets the raw output has 2k
    columns, μ of all of them, then s of all of them. The derivatives are ∂J/∂μ = (μ − t)/v and
    ∂J/∂s = ½ (1 − (t − μ)²/v) σ(s)/v.

    Parameters
    ----------
    epsilon : float
        The least variance ε, > 0: it keeps J bounded where a target is met exactly. In units of the target, squared;
        where an estimator scales it (`scale_target`), as a share of its variance.

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

    links: ClassVar[bool] = True
    target_scale: ClassVar[TargetScale] = "affine"

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

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write μ."""
        return _halves(graph, raw)[0]

    def predict_std(self, raw: Array) -> Array:
        """Return √v."""
        v = softplus_and_sigmoid(raw[..., raw.shape[-1] // 2 :])[0]
        v += self.epsilon
        return np.sqrt(v, out=v)

    def onnx_std(self, graph: Graph, raw: Value) -> Value:
        """Write √v."""
        return (_softplus(_halves(graph, raw)[1]) + self.epsilon).sqrt()


def _softplus(z: Value) -> Value:
    return z.clip(0.0) + (1 + (-abs(z)).exp()).log()


def _halves(graph: Graph, raw: Value) -> tuple[Value, Value]:
    """Return the first and the second half of the columns."""
    pairs = raw.reshape(0, 2, -1)
    first, second = (graph.op("Gather", pairs, np.int64(j), axis=1) for j in (0, 1))
    return first, second


class PerOutput(Loss):
    """The sum of losses, each looking at its own columns: J = Σⱼ Jⱼ(tⱼ, rawⱼ).

    Estimators use it for y with several columns of classes: one cross-entropy per column. Of columns of numbers, any
    other loss is the sum already; where these need different losses, each needs an estimator.

    Parameters
    ----------
    losses : tuple of Loss
        The Jⱼ, one for each column of y, or a single one for every column; cross-entropy if not given.
    widths : tuple of int
        How many columns of predictions each makes: 1 for two classes, else one per class. Estimators set it by y.

    Raises
    ------
    InvalidSpecError
        If there are several losses, and not as many widths.
    ValueError
        If it is asked for a value or a prediction without widths.

    Notes
    -----
    The truth t has a column per loss, shape (n, k): integer codes. A loss that predicts one column gets 0 and 1 as
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

    links: ClassVar[bool] = True

    losses: Annotated[Slots[Loss], MinLen(1)] = default((CrossEntropy(),))
    widths: Converted[tuple[Count, ...], Sequence[int]] = default(())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return three classes beside two, and two columns of three classes."""
        softmax, sigmoid = CrossEntropy("softmax"), CrossEntropy("sigmoid")
        return (cls((softmax, sigmoid), (3, 1)), cls((softmax, softmax), (3, 3)))

    @model_validator(mode="after")
    def _a_width_per_loss(self) -> Self:
        if self.widths and len(self.losses) not in (1, len(self.widths)):
            counts = f"there are {len(self.losses)} losses, and {len(self.widths)} columns"
            raise ValueError(f"losses should be one per column of y, or a single one for all of them; {counts}")
        return self

    @property
    def probabilistic(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether all losses are."""
        return all(loss.probabilistic for loss in self.losses)

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return it for these widths, each loss set up for two classes or several; None if one does not serve them."""
        if task != "multioutput" or not (widths := widths or self.widths):
            return None
        losses = self.losses * len(widths) if len(self.losses) == 1 else self.losses
        whole = replace(self, losses=losses, widths=widths)
        tasks: list[Task] = ["binary" if width == 1 else "multiclass" for width in widths]
        found = (loss.for_task(task) for loss, task in zip(losses, tasks, strict=True))
        ready = tuple(each for each in found if each is not None)
        return replace(whole, losses=ready) if len(ready) == len(losses) else None

    def width(self, targets: int) -> int:
        """Return the raw columns of all losses together; before there are widths, as many as targets."""
        return max(part.stop for _, _, part in self._columns()) if self.widths else targets

    def check_truth(self, t: Array) -> None:
        """Check each column with its own loss."""
        for j, (loss, _, _) in enumerate(self._columns()):
            loss.check_truth(t[:, j])

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return codes, as many as there are classes in each column."""
        return np.stack([rng.integers(max(width, 2), size=n) for width in self.widths], axis=1)

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both, each loss asked once."""
        value, draw = 0.0, np.empty_like(raw) if out is None else out
        for j, (loss, task, part) in enumerate(self._columns()):
            tj = t[:, [j]].astype(raw.dtype) if task == "binary" else t[:, j]
            Jj, draw[:, part] = loss.value_and_gradient(tj, raw[:, part], weight=weight)
            value += Jj
        return value, draw

    def predict(self, raw: Array) -> Array:
        """Return each loss's prediction in its own columns."""
        return np.hstack([loss.predict(raw[:, part]) for loss, _, part in self._columns()])

    def log_predict(self, raw: Array) -> Array:
        """Return the logarithm of each loss's prediction in its own columns."""
        return np.hstack([loss.log_predict(raw[:, part]) for loss, _, part in self._columns()])

    def codes(self, task: Task, raw: Array) -> Array:
        """Return the classes that each loss predicts, in its own column."""
        return np.column_stack([loss.codes(task, raw[:, part]) for loss, task, part in self._columns()])

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write each loss's prediction in its own columns."""
        parts = [loss.onnx(graph, raw.part(part.start, part.stop)) for loss, _, part in self._columns()]
        return graph.concat(parts)

    def onnx_codes(self, graph: Graph, task: Task, raw: Value) -> Value:
        """Write the classes that each loss predicts, in its own column."""
        parts = [loss.onnx_codes(graph, each, raw.part(part.start, part.stop)) for loss, each, part in self._columns()]
        return graph.concat([part.reshape(-1, 1) for part in parts])

    def _columns(self) -> Iterator[tuple[Loss, Task, slice]]:
        """Yield each loss with its task and its columns of the raw output."""
        if not self.widths:
            remedy = "say how many columns of predictions each loss makes, as in widths=(3, 1); estimators do it by y"
            raise ValueError(f"{self!r} has no widths: {remedy}")
        start, losses = 0, self.losses * len(self.widths) if len(self.losses) == 1 else self.losses
        for loss, width in zip(losses, self.widths, strict=True):
            stop = start + loss.width(width)
            yield loss, "binary" if width == 1 else "multiclass", slice(start, stop)
            start = stop

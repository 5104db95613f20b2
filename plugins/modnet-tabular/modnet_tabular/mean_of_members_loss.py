"""MeanOfMembersLoss: what an ensemble trains on if each of its members has to be right by itself."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from pydantic import model_validator

from modnet import Array, Count, Graph, Loss, Slot, Value, default
from modnet.base import TargetScale, Task
from modnet.losses import CrossEntropy, GaussianNLL, PerOutput, SquaredError


class MeanOfMembersLoss(Loss):
    """The mean of the losses of k members, J = Σₘ Jₘ / k, while the prediction is the mean of theirs, ŷ = Σₘ ŷₘ / k.

    The raw output has each column that `loss` looks at k times, side by side: the first column of all members, then the
    second. The output `mean_of_members` makes it. It is what TabM trains on, and the difference between it and the loss
    of the mean is what makes TabM's members good ones. Of classes the mean is that of probabilities.

    Parameters
    ----------
    loss : Loss
        That of each member. For y with several columns of classes it is that of a column: estimators put this loss into
        `per_output`, not the other way round.
    ensemble_size : int
        Number k of members, ≥ 1, as in `ensemble_view`.

    References
    ----------
    Gorishniy, Kotelnikov & Babenko (2024), TabM: advancing tabular deep learning with parameter-efficient ensembling,
    arXiv:2410.24210.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.losses import GaussianNLL, SquaredError
    >>> from modnet_tabular import MeanOfMembersLoss
    >>> loss, t, raw = MeanOfMembersLoss("squared_error", 2), np.array([[1.0]]), np.array([[0.0, 2.0]])
    >>> loss.value(t, raw), loss.predict(raw), SquaredError().value(t, loss.predict(raw))
    (0.5, array([[1.]]), 0.0)

    TabM for three classes or more, 8 members:

    >>> from modnet import ModNetClassifier
    >>> body = [{"type": "batch_ensemble_dense", "units": 64, "activation": "relu"}] * 2
    >>> model = ModNetClassifier(
    ...     layers=({"type": "ensemble_view", "ensemble_size": 8}, *body),
    ...     output="mean_of_members",
    ...     loss={"type": "mean_of_members_loss", "loss": "cross_entropy", "ensemble_size": 8},
    ... )
    """

    links: ClassVar[bool] = True

    loss: Slot[Loss] = default(SquaredError())
    ensemble_size: Count = 32

    @model_validator(mode="after")
    def _of_one_column_of_classes(self) -> Self:
        if isinstance(self.loss, PerOutput):
            remedy = "name the loss of one column here; estimators put this loss into per_output themselves"
            raise ValueError(f"loss: should look at one column of y, got {self.loss!r}: {remedy}")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one raw column per target and member, and two; and one of classes."""
        return (cls(ensemble_size=3), cls(GaussianNLL(), 2), cls(CrossEntropy(), 3))

    @property
    def probabilistic(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether `loss` is."""
        return self.loss.probabilistic

    @property
    def target_scale(self) -> TargetScale:  # type: ignore[override]
        """What `loss` says."""
        return self.loss.target_scale

    def for_task(self, task: Task, widths: tuple[int, ...] = ()) -> Self | None:
        """Return it with `loss` set up for the task; several columns of classes have one each, in `per_output`."""
        ready = self.loss.for_task(task, widths) if task != "multioutput" else None
        return None if ready is None else replace(self, loss=ready)

    def width(self, targets: int) -> int:
        """Return k times the columns of `loss`."""
        return self.ensemble_size * self.loss.width(targets)

    def check_truth(self, t: Array) -> None:
        """Check what `loss` checks."""
        self.loss.check_truth(t)

    def example_truth(self, task: Task, rng: np.random.Generator, n: int) -> Array:
        """Return a truth that `loss` can take."""
        return self.loss.example_truth(task, rng, n)

    def value_and_gradient(
        self, t: Array, raw: Array, *, weight: Array | None = None, out: Array | None = None
    ) -> tuple[float, Array]:
        """Return both from one call of `loss`, to which every member of a row is a row of its own."""
        k = self.ensemble_size
        t, weight = np.repeat(t, k, axis=0), None if weight is None else np.repeat(weight, k)
        value, draw = self.loss.value_and_gradient(t, self._by_member(raw), weight=weight)
        out = np.empty_like(raw) if out is None else out
        out[...] = draw.reshape(len(raw), k, -1).mT.reshape(raw.shape)
        return value, out

    def predict(self, raw: Array) -> Array:
        """Return the mean of the members' predictions."""
        mean: Array = self._members(self.loss.predict(self._by_member(raw))).mean(axis=1)
        return mean

    def log_predict(self, raw: Array) -> Array:
        """Return log Σₘ ŷₘ / k from the members' logarithms: exact where a probability rounds to 0."""
        logs = self._members(self.loss.log_predict(self._by_member(raw)))
        mean: Array = np.logaddexp.reduce(logs, axis=1) - math.log(self.ensemble_size)
        return np.minimum(mean, 0, out=mean)  # not above log 1 by rounding

    def onnx(self, graph: Graph, raw: Value) -> Value:
        """Write ŷ."""
        k = self.ensemble_size
        rows = raw.reshape(0, -1, k).transpose(0, 2, 1)
        found = self.loss.onnx(graph, _last_axis_kept(graph, rows, [-1]))
        return _last_axis_kept(graph, found, [-1, k]).mean(1, keepdims=False)

    def _by_member(self, raw: Array) -> Array:
        """Return the raw output with a row per member, shape (n · k, width of `loss`)."""
        columns = raw.shape[-1] // self.ensemble_size
        return raw.reshape(len(raw), columns, self.ensemble_size).mT.reshape(-1, columns)

    def _members(self, predicted: Array) -> Array:
        """Return what was predicted for rows of members, shape (n · k, m), with members on an axis: (n, k, m)."""
        return predicted.reshape(-1, self.ensemble_size, predicted.shape[-1])


def _last_axis_kept(graph: Graph, x: Value, front: list[int]) -> Value:
    """Return x with other axes in front of the last."""
    width = graph.op("Gather", graph.op("Shape", x), [-1])
    return graph.op("Reshape", x, graph.concat([graph.constant(np.array(front)), width], axis=0))

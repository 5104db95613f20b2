"""Per output: several losses side by side, each for its own columns of the raw output.

Estimators use it for targets with several columns of classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import MinLen
from pydantic import model_validator

from modnet import AnyLoss, Array, Count, Loss
from modnet.base import Task
from modnet_standard.losses.cross_entropy import CrossEntropy


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

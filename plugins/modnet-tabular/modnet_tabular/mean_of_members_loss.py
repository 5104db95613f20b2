"""MeanOfMembersLoss: what an ensemble trains on if each of its members has to be right by itself."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import model_validator

from modnet import AnyLoss, Array, Count, Loss
from modnet.base import Task
from modnet.losses import GaussianNLL, SquaredError


class MeanOfMembersLoss(Loss):
    """The mean of the losses of k members, J = Σₘ Jₘ / k, while the prediction is the mean of theirs, ŷ = Σₘ ŷₘ / k.

    The raw output has the columns that `loss` looks at k times, member after member. It is what TabM trains on, and
    the difference between it and the loss of the mean is what makes TabM's members good ones.

    The output layer of a modnet model is dense, so its k predictions would mix the members. To be TabM to the letter
    the heads are made in front of it, and the output layer is the identity and stays it; see the examples.

    It serves regression only: a classifier decides by the largest raw column, and here there are several per class.

    Parameters
    ----------
    loss : Loss
        That of each member.
    ensemble_size : int
        Number k of members, ≥ 1, as in `ensemble_view`.

    Raises
    ------
    InvalidSpecError
        If `loss` does not serve regression.

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

    TabM for one target, 8 members, the output layer being the identity:

    >>> from modnet import ModNetRegressor
    >>> body = [{"type": "batch_ensemble_dense", "units": 64, "activation": "relu"}] * 2
    >>> heads = {"type": "column_dense", "units": 1, "inputs": 64}
    >>> model = ModNetRegressor(
    ...     layers=({"type": "ensemble_view", "ensemble_size": 8}, *body, "flatten", heads),
    ...     loss={"type": "mean_of_members_loss", "loss": "squared_error", "ensemble_size": 8},
    ...     optimizer={"type": "adam", "groups": [{"layers": "output", "factor": 0}]},
    ...     initial_weights={"output.W": np.eye(8), "output.b": np.zeros(8)},
    ... )
    """

    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = {"regression": {}}

    loss: AnyLoss = SquaredError()
    ensemble_size: Count = 32

    @model_validator(mode="after")
    def _serves_regression(self) -> Self:
        if "regression" not in self.loss.tasks:
            raise ValueError(f"loss should serve regression, and {self.loss!r} does not")
        return self

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return one raw column per target and member, and two."""
        return (cls(ensemble_size=3), cls(GaussianNLL(), 2))

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
        t, weight = self._repeated(t, weight)
        value, draw = self.loss.value_and_gradient(t, self._by_member(raw), weight=weight)
        draw = draw.reshape(raw.shape)
        if out is None:
            return value, draw
        out[...] = draw
        return value, out

    def predict(self, raw: Array) -> Array:
        """Return the mean of the members' predictions."""
        predicted = self.loss.predict(self._by_member(raw))
        mean: Array = predicted.reshape(len(raw), self.ensemble_size, predicted.shape[-1]).mean(axis=1)
        return mean

    def _by_member(self, raw: Array) -> Array:
        """Return the raw output with a row per member, shape (n · k, width of `loss`)."""
        return raw.reshape(len(raw) * self.ensemble_size, raw.shape[-1] // self.ensemble_size)

    def _repeated(self, t: Array, weight: Array | None) -> tuple[Array, Array | None]:
        """Return truth and weights with a row per member."""
        k = self.ensemble_size
        return np.repeat(t, k, axis=0), None if weight is None else np.repeat(weight, k)

"""Schedules that go by how training progresses: the rate falls when the loss has stopped falling.

Training goes on at the lower rate, down to a smallest one.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field

from modnet import Progress, Schedule


class Plateau(Schedule):
    """η = max(η₀ · factor^k, min_rate) after k plateaus: more than `patience` epochs in a row without a better loss.

    What is watched is the training loss, or with early stopping the validation loss or the negative score. k is at
    least how often progress has ended by the rule that stops training (`n_iter_no_change` epochs in a row without an
    improvement of `tol`): training goes on at a lower rate then, and stops when progress ends at `min_rate`.

    Parameters
    ----------
    factor : float
        What the rate is multiplied by, in (0, 1).
    patience : int
        How many epochs in a row may pass without a better loss, ≥ 0.
    threshold : float
        Share of the best loss by which a better one has to be lower, in [0, 1).
    cooldown : int
        Epochs after a plateau that do not count, ≥ 0.
    min_rate : float
        The smallest rate, ≥ 0; it never raises η₀.

    References
    ----------
    torch.optim.lr_scheduler.ReduceLROnPlateau, whose smallest rate is 0 by default; 1e-6 is scikit-learn's for
    ``learning_rate="adaptive"``.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Plateau
    >>> schedule = Plateau(factor=0.5, patience=1)
    >>> [schedule.rate(0.1, Progress(losses=losses)) for losses in ([], [3, 2, 2], [3, 2, 2, 2], [3, 2, 2, 2, 1])]
    [0.1, 0.1, 0.05, 0.05]
    """

    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=0)] = 10
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.0001
    cooldown: Annotated[int, Field(ge=0)] = 0
    min_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-6

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it patient, and impatient with a cooldown."""
        return cls(), cls(0.5, 1, 0.01, 2, 0.0)

    @property
    def lowest(self) -> float:
        """The smallest rate: above it there is something left to try."""
        return self.min_rate

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return max(η₀ · factor^k, min_rate)."""
        seen = _plateaus(_Losses(progress.losses), self.patience, self.threshold, self.cooldown)
        k = max(seen, progress.plateaus)  # both may have noticed the same plateau: hence not the sum
        return max(learning_rate * self.factor**k, min(self.min_rate, learning_rate))


class _Losses(tuple[float, ...]):
    """Losses as the key of a cache: hashed by the last one only, since hashing them all takes as long as counting."""

    def __hash__(self) -> int:
        """Return a hash that equal losses share."""
        return hash((len(self), self[-1:]))


@lru_cache(maxsize=64)
def _plateaus(losses: _Losses, patience: int, threshold: float, cooldown: int) -> int:
    """Return how many there were; from a cache, since each step asks, but losses change between epochs only."""
    best, waited, rest, k = float("inf"), 0, 0, 0
    for loss in losses:
        if loss < min(best * (1 - threshold), best * (1 + threshold)):  # the second where losses are negative
            best, waited = loss, 0
        else:
            waited += 1
        if rest > 0:
            rest, waited = rest - 1, 0
        if waited > patience:
            k, rest, waited = k + 1, cooldown, 0
    return k


class Adaptive(Schedule):
    """η = η₀ / factor^p, p being how often progress has ended; training stops when it ends at η ≤ 1e-6.

    Progress ends by the rule that would stop training otherwise: `n_iter_no_change` epochs in a row without an
    improvement of `tol`.

    Parameters
    ----------
    factor : float
        What the rate is divided by, > 1.

    References
    ----------
    ``learning_rate="adaptive"`` in sklearn.neural_network.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import Adaptive
    >>> Adaptive().rate(0.1, Progress(plateaus=1))
    0.02
    """

    factor: Annotated[float, Field(gt=1)] = 5.0

    @property
    def lowest(self) -> float:
        """1e-6, as in scikit-learn."""
        return 1e-6

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ / factor^p."""
        return float(learning_rate / self.factor**progress.plateaus)

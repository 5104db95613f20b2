"""Adaptive: the learning rate is divided each time that progress ends."""

from typing import Annotated

from pydantic import Field

from modnet import Progress, Schedule


class Adaptive(Schedule):
    """η = η₀ / factor^p, p being how often progress has ended; training stops when it ends at η ≤ 1e-6.

    Progress ends by the rule that would stop training otherwise: `n_iter_no_change` epochs in a row without `tol`.

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

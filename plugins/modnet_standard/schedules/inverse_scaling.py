"""Inverse scaling: the learning rate falls as a power of the rows seen."""

from typing import Annotated

from pydantic import Field

from modnet import Progress, Schedule


class InverseScaling(Schedule):
    """η = η₀ / (1 + t)^power, t being the rows seen in the epochs behind us; it changes between epochs.

    Parameters
    ----------
    power : float
        ≥ 0; 0.5 is the rate that Robbins and Monro's conditions call for at least.

    References
    ----------
    Robbins & Monro (1951), A stochastic approximation method, Ann. Math. Statist. 22; ``learning_rate="invscaling"`` in
    sklearn.neural_network.

    Examples
    --------
    >>> from modnet import Progress
    >>> from modnet.schedules import InverseScaling
    >>> InverseScaling().rate(0.1, Progress(rows=99))
    0.01
    """

    power: Annotated[float, Field(ge=0)] = 0.5

    def rate(self, learning_rate: float, progress: Progress) -> float:
        """Return η₀ / (1 + t)^power."""
        return float(learning_rate / (1 + progress.rows) ** self.power)

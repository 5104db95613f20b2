"""A solver minimises J(θ) as a whole: it asks for J and ∇J over all data at points that it chooses."""

from abc import abstractmethod
from collections.abc import Callable
from typing import final

from modnet.base.layout import Layout
from modnet.base.optimizer import OptimizerState
from modnet.base.types import Array
from modnet.component import Component

Objective = Callable[[Array], tuple[float, Array]]
"""J(θ) and ∇J(θ) over all data, as functions of θ."""


class Solver(Component, kind="solver"):
    """An algorithm that minimises J(θ) as a whole: it asks for J and ∇J over all data at points that it chooses.

    Where an optimizer stands, a solver may stand too; it has no learning rate and knows no mini-batches.
    """

    @final
    def init(self, theta: Array, layout: Layout) -> OptimizerState:
        """Return an empty state: what a solver remembers, it forgets when it is done.

        Parameters
        ----------
        theta : ndarray, shape (size,)
            Where to start.
        layout : Layout
            Which slice of it is which parameter.

        Returns
        -------
        OptimizerState
            Without vectors.
        """
        return OptimizerState(0.0, layout)

    @abstractmethod
    def minimize(
        self, objective: Objective, theta: Array, *, max_iter: int, tol: float, after: Callable[[Array, float], bool]
    ) -> bool:
        """Move θ, in place, to a minimum of J.

        Parameters
        ----------
        objective : callable
            Takes θ, shape (size,), float64, and returns J(θ) and ∇J(θ).
        theta : ndarray, shape (size,)
            Where to start; holds the result at the end.
        max_iter : int
            Iterations at most.
        tol : float
            When to stop: the largest |∂J/∂θᵢ| allowed.
        after : callable
            Called after each iteration with the present θ and J(θ); True asks the solver to stop.

        Returns
        -------
        bool
            Whether it converged.
        """

"""An optimizer is an update rule on one flat vector: the rule is the component, its arrays are in a state beside it."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, final

from pydantic import Field

from modnet.base.schedule import AnySchedule, Progress
from modnet.base.types import Array
from modnet.component import Component, Slot


@dataclasses.dataclass
class OptimizerState:
    """What an optimizer remembers from step to step.

    Attributes
    ----------
    learning_rate : float
        The rate of a step; the training loop sets it from the schedule before each.
    step : int
        How many steps were made.
    vectors : dict of str to ndarray, each of the shape and dtype of θ
        Momentum, mean squares, scratch memory: whatever the rule needs.
    """

    learning_rate: float
    step: int = 0
    vectors: dict[str, Array] = dataclasses.field(default_factory=dict)


class Optimizer(Component, kind="optimizer"):
    """A rule that changes θ along ∇J(θ).

    Attributes
    ----------
    learning_rate : float
        Size of a step, > 0.
    schedule : Schedule, optional
        How the rate changes as training goes on; None: it does not.
    """

    learning_rate: Annotated[float, Field(gt=0)] = 0.001
    schedule: AnySchedule | None = Field(default=None, kw_only=True)

    @abstractmethod
    def init(self, theta: Array) -> OptimizerState:
        """Return the state before the first step.

        Parameters
        ----------
        theta : ndarray, shape (size,)
        """

    @abstractmethod
    def step(self, theta: Array, grad: Array, state: OptimizerState) -> None:
        """Change θ and the state in place.

        Parameters
        ----------
        theta, grad : ndarray, shape (size,)
            θ and ∇J(θ); grad is not to be changed.
        state : OptimizerState
        """

    def rate(self, progress: Progress) -> float:
        """Return the learning rate at a point of the training."""
        if self.schedule is None:
            return self.learning_rate
        return self.schedule.rate(self.learning_rate, progress)

    def goes_on(self, progress: Progress) -> bool:
        """Return whether training should go on at the schedule's next rate, though progress has ended."""
        return self.schedule is not None and self.rate(progress) > self.schedule.lowest


Objective = Callable[[Array], tuple[float, Array]]
"""J(θ) and ∇J(θ) over all data, as functions of θ."""


class Solver(Component, kind="solver"):
    """An algorithm that minimises J(θ) as a whole: it asks for J and ∇J over all data at points that it chooses.

    Where an optimizer stands, a solver may stand too; it has no learning rate and knows no mini-batches.
    """

    @final
    def init(self, theta: Array) -> OptimizerState:
        """Return an empty state: what a solver remembers, it forgets when it is done."""
        return OptimizerState(0.0)

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


AnyOptimizer = Annotated[Optimizer | Solver, Slot("optimizer", "solver")]
"""The slot of an optimizer: an instance, a registered name or a mapping; a solver may stand there, too."""

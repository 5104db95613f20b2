"""An accelerator offers fused versions of components: the same numbers from the same parameters, made faster.

The components stay what a spec names and what a reader reads; fused ones take their place when a network is run.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import DTypeLike

from modnet.base.loss import Loss
from modnet.base.module import Module
from modnet.base.optimizer import Optimizer, OptimizerState
from modnet.base.types import Array
from modnet.component import Component


@dataclass(frozen=True)
class Fused:
    """A module that runs in place of the first of several modules in a row, or of some of them.

    Attributes
    ----------
    module : Module
        It has the parameters of all that it stands for, by the same names and of the same shapes.
    length : int
        How many modules it stands for, ≥ 1.
    """

    module: Module
    length: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.module, Module) or not isinstance(self.length, Integral) or self.length < 1:
            raise TypeError(f"Fused takes a module and how many it stands for, got {self.module!r} and {self.length}")


@dataclass(frozen=True)
class TrainingStep:
    """A step of training on a mini-batch, as the parts that it is made of: those of an accelerator where it has any.

    Attributes
    ----------
    modules : tuple of Module
        What runs the links in a row, none of which has links inside.
    forward, backward : callable
        From a batch's x to the raw output, and from ∂J/∂raw to ∇J in `gradient`.
    penalize : callable
        Takes ∇J and Σw, adds the gradient of the penalty to ∇J and returns its value.
    loss : Loss
    optimizer : Optimizer
        Its weight decay, unless it has points of its own, and its limits of the gradient hold; it has no groups and no
        running mean.
    rule : Optimizer
        Whose `step` moves θ.
    optimizer_state : OptimizerState
    theta, gradient, state : ndarray
        θ, ∇J and the network's state, all of them in training: other points may predict.
    draw : ndarray, shape (rows, *output_shape)
        Where ∂J/∂raw is written.
    regularized : int
        How many elements in front of θ are regularized.
    alpha, l1_ratio : float
        Of the penalty; see `modnet.training.TrainingSettings`.
    x, t, weight : ndarray
        All rows of the data; weight may be None.
    rows : int
        Of a batch.
    """

    modules: tuple[Module, ...]
    forward: Callable[[Array], Array]
    backward: Callable[[Array], None]
    penalize: Callable[[Array, float], float]
    loss: Loss
    optimizer: Optimizer
    rule: Optimizer
    optimizer_state: OptimizerState
    theta: Array
    gradient: Array
    state: Array
    draw: Array
    regularized: int
    alpha: float
    l1_ratio: float
    x: Array
    t: Array
    weight: Array | None
    rows: int


class CompiledLoop(ABC):
    """A loop over training steps that does not come back to Python between them.

    Attributes
    ----------
    max_steps : int
        How many steps `run` may be asked for, ≥ 1: few enough for an interrupt to be answered soon.
    """

    max_steps: int

    @abstractmethod
    def run(self, order: Array, rates: Array) -> tuple[int, float, float]:
        """Make steps until there are no more, or the loss of a batch is not finite.

        Parameters
        ----------
        order : ndarray of int64, shape (k · rows,)
            Which rows of the data are the first batch, the second, and so on.
        rates : ndarray of float64, shape (k,)
            The learning rate of each step; k is at most `max_steps`.

        Returns
        -------
        made : int
            How many steps were made, or, if that is fewer than k, how many before the one whose loss is not finite.
        loss, weight : float
            Σ w J and Σ w over the batches that steps were made on; J includes the penalty, w is Σᵢ wᵢ of a batch.

        Notes
        -----
        θ, the network's state and the vectors of the optimizer's state change; its step count does not. ∇J is that of
        the last step, penalty and limits included.
        """


class Accelerator(Component, kind="accelerator"):
    """A source of fused components. What it offers nothing for is run as it is; by default that is everything.

    What it offers passes the same checks as modnet's own and agrees with it to rounding. modnet compares the two on a
    few rows before it uses an offer; where one raises or differs, modnet warns and runs its own.
    """

    def fuse(self, modules: Sequence[Module]) -> Fused | None:
        """Return a module that runs in place of the first of these, or of several in a row; None if there is none.

        Parameters
        ----------
        modules : sequence of Module
            The rest of a chain of links from one of them on: a dense layer and its activation are two.
        """
        return None

    def loss(self, loss: Loss) -> Loss | None:
        """Return a loss that runs in place of this one; None if there is none."""
        return None

    def optimizer(self, optimizer: Optimizer) -> Optimizer | None:
        """Return an optimizer whose `step` runs in place of this one's, on the same state; None if there is none."""
        return None

    def compile(self, step: TrainingStep) -> CompiledLoop | None:
        """Return a loop that makes steps like this one; None if they have to be made one by one."""
        return None

    def warm_up(self, dtype: DTypeLike = np.float32) -> float | None:
        """Compile ahead what usual networks need, so that later processes find it; None if nothing is ever compiled.

        Parameters
        ----------
        dtype : dtype
            Of θ: float32 or float64.

        Returns
        -------
        float or None
            How many seconds it took.
        """
        return None

    def compile_seconds(self) -> float:
        """Return how long this process has waited for compilation so far; what was found compiled takes none."""
        return 0.0

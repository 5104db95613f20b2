"""An accelerator offers fused versions of components: the same numbers from the same parameters, made faster.

The components stay what a spec names and what a reader reads; fused ones take their place when a network is run.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from numpy.typing import DTypeLike

from modnet.base.constraint import Constraint
from modnet.base.loss import Loss
from modnet.base.module import Module
from modnet.base.optimizer import Optimizer, OptimizerState
from modnet.base.types import Array
from modnet.component import Component


@dataclass(frozen=True)
class Fused:
    """A module that runs in place of the first of several modules in a row, or of some of them.

    Parameters
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
class Block:
    """Rows that are watched: their loss is looked at after each epoch, at θ as it is then.

    Parameters
    ----------
    forward : callable
        From x to the raw output, as in prediction.
    x, t, weight : ndarray
        The rows; weight may be None.
    """

    forward: Callable[[Array], Array]
    x: Array
    t: Array
    weight: Array | None


@dataclass(frozen=True)
class TrainingStep:
    """A step of training on a mini-batch, as the parts that it is made of: those of an accelerator where it has any.

    Parameters
    ----------
    modules : tuple of Module
        What runs the links in a row, none of which has links inside.
    forward, backward : callable
        From a batch's x to the raw output, and from ∂J/∂raw to ∇J in `gradient`.
    penalize : callable
        Takes ∇J and Σw, adds the gradient of the penalty to ∇J and returns its value.
    loss : Loss
        Of the raw output and the truth.
    optimizer : Optimizer
        Its weight decay and groups, unless it has points of its own, its limits of the gradient and its running mean
        `ema` hold.
    rule : Optimizer
        Whose `step` moves θ.
    optimizer_state : OptimizerState
        What `rule` changes besides θ.
    constrained : tuple of (ndarray, Constraint)
        Views of θ, and what each is put back into after the step.
    theta, gradient, state : ndarray
        Of the training: θ, ∇J and the network's state; other points may predict.
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
    rest : TrainingStep or None
        The same on the last batch of an epoch, where that is smaller.
    watched : tuple of Block
        The validation set, where its loss is looked at after each epoch; may be empty.
    """

    modules: tuple[Module, ...]
    forward: Callable[[Array], Array]
    backward: Callable[[Array], None]
    penalize: Callable[[Array, float], float]
    loss: Loss
    optimizer: Optimizer
    rule: Optimizer
    optimizer_state: OptimizerState
    constrained: tuple[tuple[Array, Constraint], ...]
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
    rest: "TrainingStep | None" = None
    watched: tuple[Block, ...] = ()


@dataclass
class Patience:
    """Counts epochs without progress.

    The rule is that of sklearn.neural_network: an epoch is progress if its loss lies more than `tol` below the best
    so far, and training stops when more than `limit` epochs in a row were none.

    Parameters
    ----------
    tol : float
        How far the loss has to fall, ≥ 0.
    limit : int
        How many epochs in a row without progress are put up with, ≥ 1.
    first : bool
        Whether of equal losses the first is the best, as in sklearn.neural_network, and not the last.
    best : float
        The lowest loss so far; inf before the first.
    waited : int
        Epochs since the last progress.
    """

    tol: float
    limit: int
    first: bool = False
    best: float = math.inf
    waited: int = 0

    def update(self, loss: float) -> bool:
        """Take note of an epoch; return whether its loss is the lowest so far.

        Parameters
        ----------
        loss : float
            Of the epoch, lower being better.

        Returns
        -------
        bool
            Whether it is the best epoch, whose weights are to be kept.
        """
        self.waited = self.waited + 1 if loss > self.best - self.tol else 0
        improved = loss < self.best or (loss == self.best and not self.first)
        if improved:
            self.best = loss
        return improved

    @property
    def exhausted(self) -> bool:
        """Whether to stop."""
        return self.waited > self.limit


@dataclass
class Epochs:
    """What a compiled loop is told of epochs, and tells of them.

    Parameters
    ----------
    losses : ndarray of float64, shape (epochs, 2)
        Where the mean loss of each epoch is written, and the loss of the watched rows after it, if there are any.
    patience : Patience
        When to stop; a copy of its own.
    best : tuple of ndarray or None
        Where θ and the network's state are kept at the end of an epoch that is the best so far; None: nowhere.
    by_watched : bool
        Whether an epoch is judged by the watched rows.
    steps : int
        Steps per epoch.
    position : int
        How many of them have been made in the present epoch.
    sums : ndarray of float64, shape (2,)
        Σ w J and Σ w over them; J includes the penalty, w is Σᵢ wᵢ of a batch.
    ended : int
        How many epochs are over.
    """

    losses: Array
    patience: Patience
    best: tuple[Array, Array] | None
    by_watched: bool
    steps: int
    position: int = 0
    sums: Array = field(default_factory=lambda: np.zeros(2))
    ended: int = 0


class CompiledLoop(ABC):
    """A loop over training steps, and over epochs, that does not come back to Python between them.

    Attributes
    ----------
    max_steps : int
        How many steps `run` may be asked for, ≥ 1: few enough for an interrupt to be answered soon.
    """

    max_steps: int

    @abstractmethod
    def run(self, order: Array, rates: Array, epochs: Epochs) -> int:
        """Make steps until there are no more, an epoch ends without patience, or a loss is not finite.

        Parameters
        ----------
        order : ndarray of int64
            Which rows of the data are the first batch, the second, and so on; the last one of an epoch may be smaller.
        rates : ndarray of float64, shape (k,)
            The learning rate of each step; k is at most `max_steps`.
        epochs : Epochs
            Changed: `position`, `sums`, `ended`, `losses`, `patience` and what is in `best`. An epoch whose loss is not
            finite ends, and is the last.

        Returns
        -------
        int
            How many steps were made, that on a batch whose loss is not finite not among them.

        Notes
        -----
        θ, the network's state and the vectors of the optimizer's state change, its running mean among them; its counts
        do not. ∇J is that of the last step, penalty and limits included.
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

        Returns
        -------
        Fused or None
            The module, and how many it stands for.
        """
        return None

    def loss(self, loss: Loss) -> Loss | None:
        """Return a loss that runs in place of this one; None if there is none.

        Parameters
        ----------
        loss : Loss
            Set up for its task.

        Returns
        -------
        Loss or None
            With the same values and gradients.
        """
        return None

    def optimizer(self, optimizer: Optimizer) -> Optimizer | None:
        """Return an optimizer whose `step` runs in place of this one's, on the same state; None if there is none.

        Parameters
        ----------
        optimizer : Optimizer
            As the spec has it.

        Returns
        -------
        Optimizer or None
            With the same steps.
        """
        return None

    def compile(self, step: TrainingStep) -> CompiledLoop | None:
        """Return a loop that makes steps like this one; None if they have to be made one by one.

        Parameters
        ----------
        step : TrainingStep
            Its arrays are those that training changes.

        Returns
        -------
        CompiledLoop or None
            It works on these arrays.
        """
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
        """Return how long this process has waited for compilation so far; what was found compiled takes none.

        Returns
        -------
        float
            Seconds, ≥ 0.
        """
        return 0.0

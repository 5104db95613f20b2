"""The training loop: mini-batches through the network, their gradient to the optimizer, epoch after epoch.

One step is the textbook's: ŷ forward, J and ∂J/∂ŷ from the loss, ∇J(θ) backward, and the optimizer moves θ.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from modnet.acceleration import Engine, predicted
from modnet.base import Accelerator, Array, Loss, Optimizer, OptimizerState, Patience, Progress, Solver
from modnet.errors import NonFiniteError
from modnet.network import Network, Pass
from modnet.training.batches import Data, batches, rows_per_batch, shuffled
from modnet.training.combining import constrained, first_state
from modnet.training.compiled import Compiled, run_compiled
from modnet.training.divergence import diverged
from modnet.training.monitor import History, Monitor, OnEpoch
from modnet.training.publishing import begin_anew, include, judge, publish_epoch
from modnet.training.settings import TrainingSettings
from modnet.training.solving import solve

_BLOCK = 2**16
"""Weights that are penalized at once: what is computed beside W and ∂J/∂W does not grow with the network."""

_QUIET: Any = {"over": "ignore", "invalid": "ignore", "divide": "ignore"}
"""inf and NaN are looked for per step, and NumPy's warnings would not say the cause."""


class Trainer:
    """Trains the weights it is given, in place.

    Parameters
    ----------
    network : Network
        What is trained.
    loss : Loss
        Set up for its task.
    optimizer : Optimizer or Solver
        What moves θ.
    settings : TrainingSettings
        How long, on which batches, with which penalty.
    theta, state : ndarray
        As from `Network.initialize`, or where an earlier training ended; training publishes what predicts in them.
    shuffle_rng, noise_rng : numpy.random.Generator
        Two independent streams: one for the order of rows, one for what links draw (dropout).
    optimizer_state : OptimizerState, optional
        To go on where an earlier training ended.
    accelerator : Accelerator, optional
        What runs links, loss and steps, where it has its own and they agree with modnet's.

    Attributes
    ----------
    engine : Engine
        What runs links, loss and steps.
    moving, moving_state : ndarray
        θ and the network's state in training: the published arrays themselves, unless another point predicts.
    gradient : ndarray, shape of θ
        ∇J(θ) of the last batch.
    constrained : list of (ndarray, Constraint)
        Views of θ in training, and what they are put back into after a step.
    progress, before : Progress
        Steps, epochs and rows behind us; those of an earlier stage.

    Examples
    --------
    >>> import numpy as np
    >>> from modnet.layers import Dense
    >>> from modnet.losses import SquaredError
    >>> from modnet.optimizers import SGD
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(50, 2))
    >>> network = Network([Dense(1)], input_shape=(2,))
    >>> theta, state = network.initialize(rng)
    >>> trainer = Trainer(
    ...     network, SquaredError(), SGD(0.1), TrainingSettings(max_iter=200, tol=1e-9), theta, state,
    ...     shuffle_rng=rng, noise_rng=rng)
    >>> history = trainer.fit(Data(x, x @ [[1.0], [2.0]] + 3))
    >>> np.round(theta, 3), history.converged
    (array([1., 2., 3.]), True)
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer | Solver,
        settings: TrainingSettings,
        theta: Array,
        state: Array,
        *,
        shuffle_rng: np.random.Generator,
        noise_rng: np.random.Generator,
        optimizer_state: OptimizerState | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        self.network, self.loss, self.optimizer, self.settings = network, loss, optimizer, settings
        begun = first_state(network, optimizer, theta) if optimizer_state is None else optimizer_state
        self.theta, self.state, self.optimizer_state = theta, state, begun
        self.moving, self.moving_state = theta, state
        if isinstance(optimizer, Optimizer) and optimizer.publishes:
            self.moving = theta.copy() if begun.moving is None else begun.moving
            self.moving_state = state.copy() if begun.moving_state is None else begun.moving_state
        self.shuffle_rng, self.noise_rng = shuffle_rng, noise_rng
        self.gradient = np.zeros_like(theta)
        self.progress, self.before = Progress(step=self.optimizer_state.step), Progress()
        self.engine = Engine(network, loss, optimizer, accelerator, theta.dtype)
        self.constrained = constrained(network, self.moving, optimizer)
        n = network.layout.regularized if settings.alpha else 0
        parts = [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
        memory = np.empty(min(n, _BLOCK), theta.dtype)
        self._penalized = [(part, self.moving[part], memory[: part.stop - part.start]) for part in parts]
        self._passes: dict[int, tuple[Pass, Array]] = {}
        self.compiled: Compiled | None = None

    def fit(
        self,
        data: Data,
        validation: Data | None = None,
        *,
        score: Callable[[], float] | None = None,
        on_begin: Callable[[], None] | None = None,
        on_epoch: OnEpoch | None = None,
        patience: Patience | None = None,
        history: History | None = None,
        several: bool = False,
    ) -> History:
        """Train until progress ends or `max_iter` epochs are over.

        Parameters
        ----------
        data, validation : Data
            To learn from, and to watch; with early stopping θ and the state are those of the best epoch at the end.
        score : callable, optional
            Returns a score of the present weights, higher being better, for early stopping to watch.
        on_begin, on_epoch : callable, optional
            Called before each epoch, and with the history after it, when True stops training.
        patience : Patience, optional
            To go on counting epochs without progress where an earlier training ended.
        history : History, optional
            To be continued.
        several : bool
            Whether the two may be called once for several epochs in a row, which saves time between them.

        Returns
        -------
        History
            What happened, epoch by epoch.

        Raises
        ------
        ShapeError
            If rows are sparse, and the first layer does not take such.
        NonFiniteError
            As soon as a batch's loss is inf or NaN.
        """
        settings, optimizer = self.settings, self.optimizer
        self.network.check_rows(data.x)
        monitor = Monitor(
            settings,
            self.theta,
            self.state,
            validation_loss=None if validation is None else partial(self.evaluate, validation),
            score=score,
            on_begin=on_begin,
            on_epoch=on_epoch,
            patience=patience,
            history=history,
            several=several,
        )
        history = monitor.history
        try:
            self.engine.compare_loss(data.t)
            if isinstance(optimizer, Solver):
                with np.errstate(**_QUIET):
                    history.converged = solve(self, optimizer, data, monitor)
                return history
            self.compiled, left, stop = Compiled.of(self, data, validation), settings.max_iter, False
            while left and not stop:
                monitor.before()
                with np.errstate(**_QUIET):
                    ran = run_compiled(self, self.compiled, data, monitor, left) if self.compiled else None
                    ran = ran or [(self.epoch(data), self.optimizer_state.learning_rate, None)]
                left -= len(ran)
                for index, (loss, rate, watched) in enumerate(ran):
                    stop = monitor.after(loss, rate, watched, tell=index == len(ran) - 1)
                self.progress.losses = monitor.watched
                if monitor.patience.exhausted and not stop:
                    if optimizer.should_continue(self.progress):
                        self.progress.plateaus += 1
                        monitor.patience.waited = 0
                    else:
                        stop = history.converged = True
            if validation is None:  # else the loss of what is kept has been looked at
                self._passes.clear()
                with np.errstate(**_QUIET):
                    judge(self, data)
            return history
        finally:
            if monitor.restore_best() and self.moving is not self.theta:
                begin_anew(self)
            self._passes.clear()
            self.compiled = None

    def epoch(self, data: Data, begun: tuple[Array, int, float, float] | None = None) -> float:
        """Go through the data once; return the mean loss over its batches, penalty included.

        Parameters
        ----------
        data : Data
            To learn from.
        begun : tuple of (ndarray, int, float, float), optional
            Of one that a compiled loop has begun: the order of rows, how many batches it took, their Σ w J and Σ w.

        Returns
        -------
        float
            Weighted by the Σw of the batches.
        """
        settings, optimizer, size = self.settings, self.optimizer, self.begin_epoch(data)
        assert isinstance(optimizer, Optimizer), "a solver has no epochs"
        order, taken, total, weights = (None, 0, 0.0, 0.0) if begun is None else begun
        if begun is None:
            order = shuffled(len(data), size, self.shuffle_rng if settings.shuffle else None)
        before = None if self.moving is self.theta else self.moving_state.copy()
        with np.errstate(**_QUIET):
            for batch in batches(data, size, order if order is None else order[taken * size :], reuse=True):
                value, weight = self.backpropagate(batch), batch.total_weight
                if not math.isfinite(value):
                    raise diverged(self, batch, value)
                total += (value + self.penalize(self.gradient, weight)) * weight
                weights += weight
                self._move(optimizer)
            self.end_epochs(data, total, 1)
            if before is not None:
                publish_epoch(self, data, order, before)
        return total / weights

    def begin_epoch(self, data: Data) -> int:
        """Tell schedules how long an epoch is; return the rows of a batch.

        Parameters
        ----------
        data : Data
            To learn from.

        Returns
        -------
        int
            Rows of a batch, ≥ 1; the last may be smaller.
        """
        size = rows_per_batch(self.settings.batch_size, len(data))
        self.progress.steps_per_epoch, self.progress.epochs = -(-len(data) // size), self.settings.max_iter
        return size

    def end_epochs(self, data: Data, total: float, count: int) -> None:
        """Take note of so many epochs, after a look at a sum over their losses and at the weights.

        Parameters
        ----------
        data : Data
            What was learnt from.
        total : float
            The sum of the epochs' losses.
        count : int
            How many epochs.
        """
        progress, optimizer = self.progress, self.optimizer
        if not math.isfinite(total) and np.abs(self.moving).max() < 1e100:  # it is not the weights that are huge
            raise NonFiniteError(f"the penalty of the weights became inf: alpha={self.settings.alpha} is too large")
        # A sum of finite numbers is finite unless they are huge; to look at each one takes memory.
        huge = not np.isfinite(np.add.reduce(self.moving)) and not np.isfinite(self.moving).all()
        if huge or not math.isfinite(total):
            first = slice(0, rows_per_batch(self.settings.batch_size, len(data)))
            raise diverged(self, data.rows(first), math.nan if huge else math.inf)
        progress.epoch += count
        progress.rows += count * len(data)
        assert isinstance(optimizer, Optimizer)
        if optimizer.swa is not None and progress.epoch > optimizer.swa * progress.epochs:
            include(self.optimizer_state, self.moving, None)

    def backpropagate(self, batch: Data) -> float:
        """Return J for a batch, with ∇J in `gradient`; the penalty is not in them.

        Parameters
        ----------
        batch : Data
            Rows to go through together.

        Returns
        -------
        float
            Averaged over the rows.
        """
        try:
            running, draw = self.pass_for(len(batch))
            raw = running.forward(batch.x)
            value, draw = self.engine.loss.value_and_gradient(batch.t, raw, weight=batch.weight, out=draw)
            running.backward(draw)
        except Exception as error:
            self._passes.clear()
            return self.engine.without_accelerator(error, partial(self.backpropagate, batch))
        return value

    def penalize(self, gradient: Array, weight: float) -> float:
        """Add the gradient of (α/Σw) (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁) to ∇J, and return that penalty of the weights W.

        Parameters
        ----------
        gradient : ndarray, shape of θ
            Changed in place.
        weight : float
            Σw, over the rows of a batch.

        Returns
        -------
        float
            The penalty, ≥ 0.
        """
        alpha, rho = self.settings.alpha, self.settings.l1_ratio
        if alpha == 0:
            return 0.0
        of_l1, of_l2, value = alpha / weight * rho, alpha / weight * (1 - rho), 0.0
        for part, W, memory in self._penalized:
            dW = gradient[part]
            value += 0.5 * of_l2 * float(W.dot(W))
            dW += np.multiply(W, of_l2, out=memory)
            if of_l1:
                value += of_l1 * float(np.abs(W, out=memory).sum())
                np.sign(W, out=memory)
                memory *= of_l1
                dW += memory
        return value

    def evaluate(self, data: Data) -> float:
        """Return the loss of the published θ on other data, without the penalty.

        Parameters
        ----------
        data : Data
            With a truth; nothing is learnt from it.

        Returns
        -------
        float
            Averaged over the rows.
        """
        with np.errstate(**_QUIET):
            raw = predicted(self.network, self.engine.accelerator, self.theta, self.state, data.x)
            return self.loss.value(data.t, raw, weight=data.weight)

    def _move(self, optimizer: Optimizer) -> None:
        """Move θ along `gradient`, with all that the optimizer is combined with."""
        state = self.optimizer_state
        state.learning_rate = optimizer.rate(self.progress)
        try:
            optimizer.update(self.moving, self.gradient, state, rule=self.engine.rule)
        except Exception as error:
            step = partial(optimizer.update, self.moving, self.gradient, state)
            self.engine.without_accelerator(error, step)
        for W, constraint in self.constrained:
            constraint.project(W)
        if optimizer.ema is not None:
            include(state, self.moving, optimizer.ema)
        self.progress.step += 1

    def pass_for(self, rows: int) -> tuple[Pass, Array]:
        """Return the pass for batches of so many rows, and a buffer for ∂J/∂raw: two sizes at most per epoch.

        Parameters
        ----------
        rows : int
            Of a batch, ≥ 1.

        Returns
        -------
        (Pass, ndarray)
            The same ones for batches of the same size.
        """
        if rows not in self._passes:
            options: dict[str, Any] = {"gradient": self.gradient, "training": True, "rng": self.noise_rng}
            running = Pass(self.engine.network, self.moving, self.moving_state, rows=rows, **options)
            self._passes[rows] = running, np.empty((rows, *self.network.output_shape), self.theta.dtype)
        return self._passes[rows]

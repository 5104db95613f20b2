"""The training loop: mini-batches through the network, their gradient to the optimizer, epoch after epoch.

One step is the textbook's: ŷ forward, J and ∂J/∂ŷ from the loss, ∇J(θ) backward, and the optimizer moves θ.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from modnet.acceleration import Engine, predicted
from modnet.base import Accelerator, Array, CompiledLoop, Loss, Optimizer, OptimizerState, Progress, Solver
from modnet.errors import NonFiniteError
from modnet.network import Network, Pass
from modnet.training.batches import Data, batches, rows_per_batch, shuffled
from modnet.training.combining import constrained, first_state
from modnet.training.compiled import compiled_loop_for, run_compiled
from modnet.training.divergence import diverged
from modnet.training.monitor import History, Monitor, OnEpoch, Patience
from modnet.training.publishing import begin_anew, include, judge, publish
from modnet.training.settings import TrainingSettings
from modnet.training.solving import solve

_BLOCK = 2**16
"""Weights that are penalized at once: what is computed beside W and ∂J/∂W does not grow with the network."""


class Trainer:
    """Trains the weights it is given, in place.

    Parameters
    ----------
    network : Network
    loss : Loss
    optimizer : Optimizer or Solver
    settings : TrainingSettings
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
    ...     network, SquaredError(), SGD(0.1), TrainingSettings(alpha=0, tol=1e-9), theta, state,
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
        self._constrained = constrained(network, self.moving, optimizer)
        n = network.layout.regularized
        parts = [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
        memory = np.empty(min(n, _BLOCK), theta.dtype)
        self._penalized = [(part, self.moving[part], memory[: part.stop - part.start]) for part in parts]
        self._passes: dict[int, tuple[Pass, Array]] = {}
        self._planned_steps = 0
        self._loop: tuple[Data, int, CompiledLoop | None] | None = None

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

        Raises
        ------
        ShapeError
            If rows are sparse, and the first layer does not take such.
        NonFiniteError
            As soon as a batch's loss is inf or NaN.
        """
        settings, optimizer = self.settings, self.optimizer
        self.network.check_rows(data.x)
        self._planned_steps = settings.max_iter * (len(data) // rows_per_batch(settings.batch_size, len(data)))
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
        )
        history = monitor.history
        try:
            if isinstance(optimizer, Solver):
                self.engine.compare_loss(data.t)
                with _overflow_is_looked_for():
                    history.converged = solve(self, optimizer, data, monitor)
                return history
            for _ in range(settings.max_iter):
                monitor.before()
                loss = self.epoch(data)
                stop = monitor.after(loss, self.optimizer_state.learning_rate)
                self.progress.losses = monitor.watched
                if monitor.exhausted and not stop:
                    if optimizer.should_continue(self.progress):
                        self.progress.plateaus += 1
                        monitor.forgive()
                    else:
                        stop = history.converged = True
                if stop:
                    break
            if validation is None:  # else the loss of what is kept has been looked at
                self._passes.clear()
                with _overflow_is_looked_for():
                    judge(self, data)
            return history
        finally:
            if monitor.restore_best() and self.moving is not self.theta:
                begin_anew(self)
            self._passes.clear()
            self._loop = None

    def epoch(self, data: Data) -> float:
        """Go through the data once; return the mean loss over its batches, penalty included."""
        settings, progress, optimizer = self.settings, self.progress, self.optimizer
        assert isinstance(optimizer, Optimizer), "a solver has no epochs"
        size = rows_per_batch(settings.batch_size, len(data))
        progress.steps_per_epoch, progress.epochs = -(-len(data) // size), settings.max_iter
        order = shuffled(len(data), size, self.shuffle_rng if settings.shuffle else None)
        loop = None if self.engine.accelerator is None else self._compiled_loop(data, size)
        before, taken = None if self.moving is self.theta else self.moving_state.copy(), order
        with _overflow_is_looked_for():
            total = weights = 0.0
            if loop is not None:
                order, total, weights = run_compiled(self, loop, data, order, size)
                if len(order) >= size:
                    self._loop = data, size, None  # it has failed: the rest is made step by step
            for batch in batches(data, size, order, reuse=True):
                value, weight = self.backpropagate(batch), batch.total_weight
                if not math.isfinite(value):
                    raise diverged(self, batch, value)
                total += (value + self.penalize(self.gradient, weight)) * weight
                weights += weight
                self._move(optimizer)
            if not math.isfinite(total) and np.abs(self.moving).max() < 1e100:  # it is not the weights that are huge
                raise NonFiniteError(f"the penalty of the weights became inf: alpha={settings.alpha} is too large")
            # A sum of finite numbers is finite unless they are huge; to look at each one takes memory.
            huge = not np.isfinite(self.moving.sum()) and not np.isfinite(self.moving).all()
            if huge or not math.isfinite(total):
                raise diverged(self, data.rows(slice(0, size)), math.nan if huge else math.inf)
            progress.epoch += 1
            progress.rows += len(data)
            if optimizer.swa is not None and progress.epoch > optimizer.swa * progress.epochs:
                include(self.optimizer_state, self.moving, None)
            if before is not None:
                stayed = np.array_equal(before, self.moving_state)
                publish(self, None if stayed else batches(data, size, taken, reuse=True))
        return total / weights

    def backpropagate(self, batch: Data) -> float:
        """Return J for a batch, with ∇J in `gradient`; the penalty is not in them."""
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
        """Return the loss of the published θ on other data, without the penalty."""
        with _overflow_is_looked_for():
            raw = predicted(self.network, self.engine.accelerator, self.theta, self.state, data.x)
            return self.loss.value(data.t, raw, weight=data.weight)

    def _compiled_loop(self, data: Data, rows: int) -> CompiledLoop | None:
        """Return the accelerator's loop for batches of so many rows; None if steps have to be made one by one."""
        if self._loop is None or self._loop[0] is not data or self._loop[1] != rows:
            self.engine.compare_loss(data.t)
            self._loop = data, rows, compiled_loop_for(self, data, rows, self._planned_steps)
        return self._loop[2]

    def _move(self, optimizer: Optimizer) -> None:
        """Move θ along `gradient`, with all that the optimizer is combined with."""
        state = self.optimizer_state
        state.learning_rate = optimizer.rate(self.progress)
        try:
            optimizer.update(self.moving, self.gradient, state, rule=self.engine.rule)
        except Exception as error:
            step = partial(optimizer.update, self.moving, self.gradient, state)
            self.engine.without_accelerator(error, step)
        for W, constraint in self._constrained:
            constraint.project(W)
        if optimizer.ema is not None:
            include(state, self.moving, optimizer.ema)
        self.progress.step += 1

    def pass_for(self, rows: int) -> tuple[Pass, Array]:
        """Return the pass for batches of so many rows, and a buffer for ∂J/∂raw: two sizes at most per epoch."""
        if rows not in self._passes:
            options: dict[str, Any] = {"gradient": self.gradient, "training": True, "rng": self.noise_rng}
            running = Pass(self.engine.network, self.moving, self.moving_state, rows=rows, **options)
            self._passes[rows] = running, np.empty((rows, *self.network.output_shape), self.theta.dtype)
        return self._passes[rows]


def _overflow_is_looked_for() -> np.errstate:
    """Return what silences NumPy: inf and NaN are looked for per step, and its warnings would not say the cause."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")

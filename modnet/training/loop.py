"""The training loop: mini-batches through the network, their gradient to the optimizer, epoch after epoch.

One step is the textbook's: ŷ forward, J and ∂J/∂ŷ from the loss, ∇J(θ) backward, and the optimizer moves θ.
"""

import copy
import math
from collections.abc import Callable
from functools import partial

import numpy as np

from modnet.base import (
    Accelerator,
    Array,
    CompiledLoop,
    Loss,
    Optimizer,
    OptimizerState,
    Progress,
    Solver,
    TrainingStep,
)
from modnet.errors import InvalidSpecError, NonFiniteError
from modnet.network import Network, Pass
from modnet.network.accelerating import accelerated, accelerated_loss, accelerated_step
from modnet.training.at_once import WORTH, make, steps_at_once
from modnet.training.averaging import include, swap
from modnet.training.batches import Data, batches, in_order, shuffled
from modnet.training.divergence import diagnosis
from modnet.training.groups import Groups
from modnet.training.monitor import History, Monitor, OnEpoch
from modnet.training.penalty import Penalty
from modnet.training.settings import TrainingSettings
from modnet.training.stopping import Patience

_SOLVER_BLOCK = 2**20
"""Elements per link that a solver's objective works on at once."""


class Trainer:
    """Trains the weights it is given, in place.

    Parameters
    ----------
    network : Network
    loss : Loss
    optimizer : Optimizer or Solver
    settings : TrainingSettings
    theta, state : ndarray
        As from `Network.initialize`; training changes them.
    shuffle_rng, noise_rng : numpy.random.Generator
        Two independent streams: one for the order of rows, one for what links draw (dropout).
    optimizer_state : OptimizerState, optional
        To go on where an earlier training ended.
    accelerator : Accelerator, optional
        Whose twins are run in place of links, loss and optimizer.

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
        self.theta, self.state = theta, state
        self.optimizer_state = optimizer.init(theta) if optimizer_state is None else optimizer_state
        self.progress = Progress(step=self.optimizer_state.step)
        groups = optimizer.groups if isinstance(optimizer, Optimizer) else ()
        self._groups = Groups(network, groups) if groups else None
        self._constrained = [
            (network.layout.places[name].view(theta), constraint)
            for name, constraint in network.layout.constraints.items()
        ]
        if self._constrained and isinstance(optimizer, Solver):
            names = ", ".join(network.layout.constraints)
            raise InvalidSpecError(
                "ModelSpec", [("optimizer", f"{optimizer!r} keeps no constraints, and there are some on {names}")]
            )
        self._accelerator = accelerator
        self._fast = accelerated(network, accelerator, theta.dtype)
        self._fast_loss = accelerated_loss(loss, accelerator, theta.dtype)
        self._rule = accelerated_step(optimizer, accelerator, theta.dtype) if isinstance(optimizer, Optimizer) else None
        self._penalty = Penalty(settings.alpha, settings.l1_ratio)
        self._shuffle_rng, self._noise_rng = shuffle_rng, noise_rng
        self._gradient = np.zeros_like(theta)
        self._passes: dict[int, tuple[Pass, Array]] = {}
        self._planned = 0  # steps on full batches
        self._at_once: tuple[Data, int, CompiledLoop | None] | None = None

    def fit(
        self,
        data: Data,
        validation: Data | None = None,
        *,
        score: Callable[[], float] | None = None,
        on_begin: Callable[[], None] | None = None,
        on_epoch: OnEpoch | None = None,
        patience: Patience | None = None,
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

        Raises
        ------
        NonFiniteError
            As soon as a batch's loss is inf or NaN.
        """
        self._planned = self.settings.max_iter * (len(data) // self.settings.rows_per_batch(len(data)))
        loss = None if validation is None else partial(self.evaluate, validation)
        monitor = Monitor(
            self.settings,
            self.theta,
            self.state,
            validation_loss=loss,
            score=score,
            on_begin=on_begin,
            on_epoch=on_epoch,
            patience=patience,
        )
        try:
            if isinstance(self.optimizer, Solver):
                self._solve(self.optimizer, data, monitor)
            else:
                self._descend(self.optimizer, data, monitor)
        finally:
            if monitor.restore_best():
                self.optimizer_state.average = None  # of points behind the one that is kept
            self._passes.clear()
            self._at_once = None
        return monitor.history

    def epoch(self, data: Data) -> float:
        """Go through the data once; return the mean loss over its batches, decay included."""
        settings, progress, optimizer = self.settings, self.progress, self.optimizer
        assert isinstance(optimizer, Optimizer), "a solver has no epochs"
        size = settings.rows_per_batch(len(data))
        progress.steps_per_epoch = -(-len(data) // size)
        progress.epochs = settings.max_iter
        order = shuffled(len(data), size, self._shuffle_rng if settings.shuffle else None)
        self.network.check_rows(data.x)
        swap(self.optimizer_state.average, self.theta, self.state)
        # inf and NaN are looked for below, once per step: NumPy's warnings would come late and without the cause.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            steps = self._steps(optimizer, data, size)
            total = weights = 0.0
            if steps is not None:
                order = np.arange(len(data)) if order is None else order
                made, total, weights = make(steps, optimizer, self.optimizer_state, progress, order, size)
                order = order[made * size :]
                if len(order) >= size:  # where it ended there is a loss that is not finite
                    batch = data.take(order[:size])
                    raise self._diverged(batch, self._loss_and_gradient(batch))
            for batch in in_order(data, size, order, reuse=True):
                weight = batch.total_weight
                total += self._step(optimizer, batch, weight) * weight
                weights += weight
            # A sum of finite numbers is finite unless they are huge; to look at each one takes memory.
            if not np.isfinite(self.theta.sum()) and not np.isfinite(self.theta).all():
                raise self._diverged(data.rows(slice(0, size)), math.nan)
        progress.epoch += 1
        progress.rows += len(data)
        if optimizer.swa is not None and progress.epoch > optimizer.swa * progress.epochs:
            include(self.optimizer_state, self.theta, self.state, None)
        swap(self.optimizer_state.average, self.theta, self.state)
        return total / weights

    def evaluate(self, data: Data) -> float:
        """Return the loss of the present θ on other data, without decay."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            raw = self._fast.predict(self.theta, self.state, data.x)
            return self.loss.value(data.t, raw, weight=data.weight)

    def _descend(self, optimizer: Optimizer, data: Data, monitor: Monitor) -> None:
        """Go through the data epoch by epoch."""
        for _ in range(self.settings.max_iter):
            monitor.before()
            loss = self.epoch(data)
            stop = monitor.after(loss, self.optimizer_state.learning_rate)
            self.progress.losses = monitor.history.watched(early_stopping=self.settings.early_stopping)
            if stop:
                return
            if monitor.exhausted:
                if not optimizer.should_continue(self.progress):
                    monitor.history.converged = True
                    return
                self.progress.plateaus += 1
                monitor.forgive()

    def _solve(self, solver: Solver, data: Data, monitor: Monitor) -> None:
        """Let a solver find the minimum, all data being one batch."""
        total = data.total_weight
        size = max(1, _SOLVER_BLOCK // max(link.input_shape[-1] for link in self.network.walk()))
        noise = self._noise_rng.bit_generator.state

        def objective(theta: Array) -> tuple[float, Array]:
            self.theta[...] = theta
            self._noise_rng.bit_generator.state = noise  # the same noise at every point: J is a function of θ alone
            value, gradient = 0.0, np.zeros(theta.shape)
            for block in batches(data, size, None):
                share = block.total_weight / total
                value += share * self._loss_and_gradient(block)
                gradient += share * self._gradient
            value += self._decay(total, gradient)
            if not math.isfinite(value):
                raise self._diverged(data.rows(slice(0, size)), value)
            return value, gradient

        def after(theta: Array, value: float) -> bool:
            self.theta[...] = theta
            self.progress.epoch += 1
            monitor.before()
            return monitor.after(value, None) or (self.settings.early_stopping and monitor.exhausted)

        settings = self.settings
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            monitor.history.converged = solver.minimize(
                objective, self.theta, max_iter=settings.max_iter, tol=settings.tol, after=after
            )

    def _step(self, optimizer: Optimizer, batch: Data, weight: float) -> float:
        value = self._loss_and_gradient(batch)
        if not math.isfinite(value):
            raise self._diverged(batch, value)
        value += self._decay(weight, self._gradient)
        state, progress = self.optimizer_state, self.progress
        state.learning_rate = optimizer.rate(progress)
        if self._groups is not None:
            self._groups.before(self.theta, self._gradient)
        optimizer.update(
            self.theta, self._gradient, state, regularized=self.network.layout.regularized, rule=self._rule
        )
        if self._groups is not None:
            self._groups.after(self.theta)
        for W, constraint in self._constrained:
            constraint.project(W)
        if optimizer.ema is not None:
            include(state, self.theta, self.state, optimizer.ema)
        progress.step += 1
        return value

    def _steps(self, optimizer: Optimizer, data: Data, rows: int) -> CompiledLoop | None:
        """Return what makes steps on batches of so many rows at once; None if they have to be made one by one."""
        if self._accelerator is None or self._planned < WORTH:
            return None
        if self._groups is not None or self._constrained or optimizer.ema is not None:
            return None
        if any(link.chains for link in self._fast.links) or not isinstance(data.x, np.ndarray):
            return None
        if self._at_once is None or self._at_once[0] is not data or self._at_once[1] != rows:
            found = steps_at_once(self._accelerator, self._step_on(data, rows), lambda: self._copies(data, rows))
            self._at_once = data, rows, found
        return self._at_once[2]

    def _step_on(self, data: Data, rows: int) -> TrainingStep:
        """Return the parts of a step."""
        running, draw = self._pass(rows)
        optimizer, rule = self.optimizer, self._rule
        assert isinstance(optimizer, Optimizer), "a solver makes no steps"
        assert rule is not None
        return TrainingStep(
            tuple(link.module for link in self._fast.links),
            running.forward,
            running.backward,
            self._fast_loss,
            optimizer,
            rule,
            self.optimizer_state,
            self.theta,
            self._gradient,
            self.state,
            draw,
            self.network.layout.regularized,
            self.settings.alpha,
            self.settings.l1_ratio,
            data.x,
            data.t,
            data.weight,
            rows,
        )

    def _copies(self, data: Data, rows: int) -> tuple[TrainingStep, TrainingStep]:
        """Return a step with and a step without twins, each on copies of all that a step changes."""
        with_twins, without = (
            Trainer(
                self.network,
                self.loss,
                self.optimizer,
                self.settings,
                self.theta.copy(),
                self.state.copy(),
                shuffle_rng=self._shuffle_rng,
                noise_rng=copy.deepcopy(self._noise_rng),
                optimizer_state=copy.deepcopy(self.optimizer_state),
                accelerator=accelerator,
            )._step_on(data, rows)
            for accelerator in (self._accelerator, None)
        )
        return with_twins, without

    def _loss_and_gradient(self, batch: Data) -> float:
        """Return J for a batch, with ∇J in `_gradient`; decay is not in them."""
        running, draw = self._pass(len(batch))
        raw = running.forward(batch.x)
        value, draw = self._fast_loss.value_and_gradient(batch.t, raw, weight=batch.weight, out=draw)
        running.backward(draw)
        return value

    def _decay(self, weight: float, gradient: Array) -> float:
        """Add the gradient of the penalty of weights to ∇J, and return its value."""
        if self.settings.alpha == 0:
            return 0.0
        regularized = self.network.layout.regularized
        return self._penalty.add(self.theta[:regularized], gradient[:regularized], weight)

    def _pass(self, rows: int) -> tuple[Pass, Array]:
        """Return the pass for batches of so many rows, and a buffer for ∂J/∂raw: two sizes at most per epoch."""
        if rows not in self._passes:
            running = Pass(
                self._fast,
                self.theta,
                self.state,
                gradient=self._gradient,
                rows=rows,
                training=True,
                rng=self._noise_rng,
            )
            self._passes[rows] = running, np.empty((rows, *self.network.output_shape), self.theta.dtype)
        return self._passes[rows]

    def _diverged(self, batch: Data, value: float) -> NonFiniteError:
        """Return the error that says where the first value that is not finite came up."""
        rate, progress = self.optimizer_state.learning_rate, self.progress
        return NonFiniteError(diagnosis(self.network, self.theta, self.state, batch, value, rate, progress))

"""The engine of a training: what runs in place of a network's links, its loss and its optimizer's step.

Without an accelerator that is modnet's own; with one it is what the accelerator offers, once it has been compared.

A compiled loop is compared by one step on copies, made both ways: J, ∇J and the state have to be what modnet's own
links, loss and penalty compute, and θ has to be where modnet's own optimizer goes from the same gradient.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from modnet.acceleration.comparing import agrees, asked, attempted
from modnet.acceleration.fusing import accelerated, set_aside
from modnet.base import (
    Accelerator,
    Array,
    CompiledLoop,
    Layout,
    Loss,
    Optimizer,
    OptimizerState,
    Progress,
    Solver,
    TrainingStep,
)
from modnet.network import Network

_Result = TypeVar("_Result")
_ROWS = 5
_LAYOUT = Layout.of_shapes({"W": (3, 4)}, {"b": (1, 5)})
"""Of the θ on which optimizers are compared: a rule may treat matrices in another way than biases."""


class Engine:
    """What runs a training.

    Parameters
    ----------
    network : Network
    loss : Loss
    optimizer : Optimizer or Solver
    accelerator : Accelerator or None
    dtype : dtype
        Of θ.

    Attributes
    ----------
    accelerator : Accelerator or None
    network : Network
        On the same θ, with the links that run.
    loss : Loss
        What runs in its place: its own until `compare_loss` has seen a truth.
    rule : Optimizer or None
        Whose `step` moves θ, on the optimizer's state; None: there is a solver.

    Warns
    -----
    RuntimeWarning
        Once, for each offer of the accelerator that raises or differs; modnet's own runs then.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer | Solver,
        accelerator: Accelerator | None,
        dtype: "np.dtype[Any]",
    ) -> None:
        self.accelerator, self.loss, self._own_loss, self._dtype = accelerator, loss, loss, np.dtype(dtype)
        self._own_network, self.network = network, accelerated(network, accelerator, dtype)
        self.rule = optimizer if isinstance(optimizer, Optimizer) else None
        if accelerator is not None and self.rule is not None:
            self.rule = fused_optimizer(self.rule, accelerator, self._dtype)

    def compare_loss(self, t: Array) -> None:
        """Choose the `loss` that runs on a truth: the accelerator's, if it has one that agrees on its first rows."""
        if self.accelerator is not None:
            width = self.network.output_shape[-1]
            self.loss = fused_loss(self._own_loss, self.accelerator, t, width, self._dtype)

    def without_accelerator(self, error: Exception, again: Callable[[], _Result]) -> _Result:
        """Run modnet's own from now on, beginning with what has failed: not all goes wrong on a few rows already.

        Raises
        ------
        Exception
            The error itself if no accelerator ran, or what modnet's own raises: then it was not the accelerator.
        """
        if self.accelerator is None:
            raise error
        accelerator, self.accelerator = self.accelerator, None
        self.network, self.loss, self.rule = self._own_network, self._own_loss, None
        result = again()
        set_aside(self._own_network, accelerator, self._dtype, error)
        return result


def fused_loss(loss: Loss, accelerator: Accelerator, t: Array, width: int, dtype: "np.dtype[Any]") -> Loss:
    """Return the accelerator's version of a loss, or the loss itself.

    Parameters
    ----------
    loss : Loss
    accelerator : Accelerator
    t : ndarray
        The truth, on whose first rows the two are compared.
    width : int
        Columns of the raw output.
    dtype : dtype
        Of θ.
    """
    key, what = (accelerator, loss, dtype), repr(loss)
    offer = asked(accelerator, key, what, Loss, lambda: accelerator.loss(loss))
    if offer is None:
        return loss
    rows = t[:_ROWS]
    # A seed of its own: a truth may have been drawn from a common one, and no error of a loss shows where raw = t.
    raw = np.random.default_rng([5, 1, 7]).normal(size=(len(rows), width)).astype(dtype)

    def results(each: Loss) -> list[Array]:
        found: list[Array] = []
        for weight in (None, np.linspace(0.5, 2, len(rows), dtype=dtype)):
            value, draw = each.value_and_gradient(rows, raw, weight=weight)
            found += [np.asarray(value, dtype), draw]
        return found

    return offer if agrees(accelerator, key, what, offer, loss, results) else loss


def fused_optimizer(optimizer: Optimizer, accelerator: Accelerator, dtype: "np.dtype[Any]") -> Optimizer:
    """Return the accelerator's version of an optimizer, or the optimizer itself."""
    key, what = (accelerator, optimizer, dtype), repr(optimizer)
    offer = asked(accelerator, key, what, Optimizer, lambda: accelerator.optimizer(optimizer))

    def results(each: Optimizer) -> list[Array]:
        rng = np.random.default_rng(0)
        theta = rng.normal(size=_LAYOUT.size).astype(dtype)
        state = optimizer.init(theta, _LAYOUT)
        for rule in (each, each, each, optimizer, optimizer):  # either can go on where the other has stopped
            rule.step(theta, rng.normal(size=_LAYOUT.size).astype(dtype), state)
        return [theta]

    return offer if offer is not None and agrees(accelerator, key, what, offer, optimizer, results) else optimizer


MIN_STEPS = 16
"""How many steps a training must have for a compiled loop to be worth it. Preparing one takes 0.5 ms; a step gains 8 µs
in the smallest nets (64-32-10, 32 rows) and 100 in others (784-512-256-10, 128 rows)."""


def compiled_loop(
    accelerator: Accelerator, step: TrainingStep, copies: Callable[[], tuple[TrainingStep, TrainingStep]]
) -> CompiledLoop | None:
    """Return the accelerator's loop for a step, if it has one that agrees with modnet's own step.

    Parameters
    ----------
    accelerator : Accelerator
    step : TrainingStep
        As it is to be made.
    copies : callable
        Returns the same step, as it is to be made and by modnet alone, each on copies of all that a step changes.

    Warns
    -----
    RuntimeWarning
        Once, if it fails or differs.
    """
    weights = None if step.weight is None else step.weight.dtype
    data = (step.x.flags.c_contiguous, step.x.shape[1:], step.t.dtype, step.t.shape[1:], weights, step.rows)
    penalty = (step.alpha > 0, step.l1_ratio)
    key = (accelerator, step.modules, step.loss, step.optimizer, penalty, data, step.theta.dtype)
    what = f"the training loop of {', '.join(map(repr, step.modules))} with {step.loss!r} and {step.optimizer!r}"
    loop: CompiledLoop | None = asked(accelerator, key, what, CompiledLoop, lambda: accelerator.compile(step))
    if loop is None:
        return None
    both = _Comparison(accelerator, copies)
    return loop if agrees(accelerator, key, what, both.compiled, both.own, lambda make: make()) else None


def run_loop(
    loop: CompiledLoop, optimizer: Optimizer, state: OptimizerState, progress: Progress, order: Array, rows: int
) -> tuple[int, float, float]:
    """Make a step on each full batch of an epoch, in as few calls as can be, until a loss is not finite or it fails.

    Parameters
    ----------
    loop : CompiledLoop
    optimizer : Optimizer
        Whose learning rates they are.
    state : OptimizerState
    progress : Progress
        Both count the steps.
    order : ndarray of int64
        Which rows of the data are the first batch, the second, and so on.
    rows : int
        Of a batch.

    Returns
    -------
    made : int
        How many steps.
    loss, weight : float
        Σ w J and Σ w over their batches.
    """
    made, total, weights, count = 0, 0.0, 0.0, len(order) // rows
    for start in range(0, count, loop.max_steps):
        stop = min(start + loop.max_steps, count)
        rates = _rates(optimizer, progress, stop - start)
        ran, failure = attempted(partial(loop.run, order[start * rows : stop * rows], rates))
        if ran is None:
            text = f"modnet makes the rest of the steps one by one, because the compiled loop failed: {failure}"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
            break
        here, value, weight = ran
        made, total, weights = made + here, total + value, weights + weight
        state.step += here
        progress.step += here
        if here:
            state.learning_rate = float(rates[here - 1])
        if here < len(rates):
            break
    return made, total, weights


def _rates(optimizer: Optimizer, progress: Progress, count: int) -> Array:
    """Return the learning rates of the next steps."""
    if optimizer.schedule is None:
        return np.full(count, optimizer.learning_rate)
    rates, at = np.empty(count), replace(progress)
    for index in range(count):
        at.step = progress.step + index
        rates[index] = optimizer.rate(at)
    return rates


class _Comparison:
    """One step, made both ways: two lists of arrays that should be the same."""

    def __init__(self, accelerator: Accelerator, copies: Callable[[], tuple[TrainingStep, TrainingStep]]) -> None:
        self._accelerator, self._copies = accelerator, copies

    def own(self) -> list[Array]:
        """Return J, ∇J and the network's state after a step as modnet makes it; the last array is 0."""
        self._fast, self._plain = self._copies()
        step, first = self._plain, slice(0, self._plain.rows)
        weight = None if step.weight is None else step.weight[first]
        raw = step.forward(step.x[first])
        value, draw = step.loss.value_and_gradient(step.t[first], raw, weight=weight, out=step.draw)
        step.backward(draw)
        value += step.penalize(step.gradient, step.rows if weight is None else float(weight.sum()))
        step.optimizer.clip(step.gradient)
        self._scale = float(np.abs(step.gradient).max(initial=0)) or 1.0
        dtype = step.theta.dtype
        return [np.asarray(value, dtype), step.gradient / self._scale, step.state, np.zeros(1, dtype)]

    def compiled(self) -> list[Array]:
        """Return the same of the loop; the last array says how far its θ is from where its gradient leads."""
        fast, plain = self._fast, self._plain
        loop = self._accelerator.compile(fast)
        assert loop is not None, "it was there for the same step"
        _, loss, weight = loop.run(np.arange(fast.rows), np.array([plain.optimizer_state.learning_rate]))
        gradient, before = fast.gradient.copy(), plain.theta.copy()
        plain.optimizer.update(plain.theta, fast.gradient, plain.optimizer_state)
        # Where steps are as small as the last digits of θ, rounding is all there is to see.
        digits = 1e3 * float(np.finfo(before.dtype).eps) * np.abs(before).max(initial=0)
        moved = np.abs(plain.theta - before).max(initial=0) + digits
        away = np.abs(plain.theta - fast.theta).max(initial=0) / (moved or 1.0)
        dtype = before.dtype
        return [np.asarray(loss / weight, dtype), gradient / self._scale, fast.state, np.array([away], dtype)]

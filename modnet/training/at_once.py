"""Compiled loops: where an accelerator makes steps of training by itself, it may, once one step has been compared.

A step on copies is made both ways: J, ∇J and the state have to be what modnet's own links, loss and penalty find, and θ
where its own optimizer goes from the same gradient.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from modnet.base import Accelerator, Array, CompiledLoop, Optimizer, OptimizerState, Progress, TrainingStep
from modnet.network.accelerating import agrees, described, fallback
from modnet.training.penalty import Penalty

WORTH = 16
"""How many steps a training has to have. Writing them down takes 0.5 ms; a step gains 8 µs in the smallest nets
(64-32-10, 32 rows) and 100 in others (784-512-256-10, 128 rows)."""


def steps_at_once(
    accelerator: Accelerator, step: TrainingStep, copies: Callable[[], tuple[TrainingStep, TrainingStep]]
) -> CompiledLoop | None:
    """Return what makes steps at once, if the accelerator has it and it agrees with single steps.

    Parameters
    ----------
    accelerator : Accelerator
    step : TrainingStep
        As it is to be made.
    copies : callable
        Returns the same step, with and without twins, each on copies of all that a step changes.

    Warns
    -----
    RuntimeWarning
        Once, if it fails or differs.
    """
    dtype = step.theta.dtype
    weights = None if step.weight is None else step.weight.dtype
    data = (step.x.flags.c_contiguous, step.t.dtype, step.t.shape[1:], weights)
    what = f"steps of {step.modules!r}, {step.loss!r}, {step.optimizer!r} at once"
    key = (accelerator, what, step.x.shape[1:], step.rows, step.alpha > 0, step.l1_ratio, data)
    try:
        steps = accelerator.compile(step)
    except Exception as error:  # an accelerator is another's code: whatever goes wrong in it, single steps work
        fallback(key, dtype, described(error))
        return None
    both = _Comparison(accelerator, copies)
    if steps is None or not agrees(key, both.at_once, lambda made: made(), both.singly, dtype):
        return None
    return steps


def make(
    steps: CompiledLoop, optimizer: Optimizer, state: OptimizerState, progress: Progress, order: Array, rows: int
) -> tuple[int, float, float]:
    """Make a step on each full batch of an epoch, as many at once as can be, until a loss is not finite.

    Parameters
    ----------
    steps : CompiledLoop
    optimizer : Optimizer
        Whose rates they are.
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
    for start in range(0, count, steps.max_steps):
        stop = min(start + steps.max_steps, count)
        rates = _rates(optimizer, progress, stop - start)
        here, value, weight = steps.run(order[start * rows : stop * rows], rates)
        made, total, weights = made + here, total + value, weights + weight
        state.step += here
        progress.step += here
        state.learning_rate = float(rates[min(here, len(rates) - 1)])
        if here < len(rates):
            break
    return made, total, weights


def _rates(optimizer: Optimizer, progress: Progress, count: int) -> Array:
    """Return the learning rates of the next steps."""
    if optimizer.schedule is None:
        return np.full(count, optimizer.learning_rate)
    return np.array([optimizer.rate(replace(progress, step=progress.step + index)) for index in range(count)])


class _Comparison:
    """One step, made both ways: two lists of arrays that should be the same."""

    def __init__(self, accelerator: Accelerator, copies: Callable[[], tuple[TrainingStep, TrainingStep]]) -> None:
        self._accelerator, self._copies = accelerator, copies

    def singly(self) -> list[Array]:
        """Return J, ∇J and the network's state after a step as modnet makes it; the last array is 0."""
        self._fast, self._plain = self._copies()
        value, gradient = _value_and_gradient(self._plain)
        self._plain.optimizer.clip(gradient)
        self._scale = float(np.abs(gradient).max(initial=0)) or 1.0
        return [np.asarray(float(value)), gradient / self._scale, self._plain.state, np.zeros(1)]

    def at_once(self) -> list[Array]:
        """Return the same of the accelerator; the last array says how far its θ is from where its gradient leads."""
        fast, plain = self._fast, self._plain
        steps = self._accelerator.compile(fast)
        assert steps is not None, "it was there for the same step"
        rate = np.array([plain.optimizer_state.learning_rate])
        _, loss, weight = steps.run(np.arange(fast.rows), rate)
        gradient, before = fast.gradient.copy(), plain.theta.copy()
        plain.optimizer.update(plain.theta, fast.gradient, plain.optimizer_state, regularized=plain.regularized)
        # Where steps are as small as the last digits of θ, rounding is all there is to see.
        digits = 1e3 * float(np.finfo(before.dtype).eps) * np.abs(before).max(initial=0)
        moved = np.abs(plain.theta - before).max(initial=0) + digits
        away = np.abs(plain.theta - fast.theta).max(initial=0) / (moved or 1.0)
        return [np.asarray(loss / weight), gradient / self._scale, fast.state, np.array([away], float)]


def _value_and_gradient(step: TrainingStep) -> tuple[float, Array]:
    """Return J and ∇J of the first batch, the penalty included."""
    first = slice(0, step.rows)
    weight = None if step.weight is None else step.weight[first]
    raw = step.forward(step.x[first])
    value, draw = step.loss.value_and_gradient(step.t[first], raw, weight=weight, out=step.draw)
    step.backward(draw)
    total = step.rows if weight is None else float(weight.sum())
    W, dW = step.theta[: step.regularized], step.gradient[: step.regularized]
    return value + Penalty(step.alpha, step.l1_ratio).add(W, dW, total), step.gradient

"""Steps of training as tapes: a network of twins, its loss and its optimizer, run without Python between the batches."""

import numpy as np

from modnet import Array, Step, Steps
from modnet.optimizers import NAdam
from modnet_numba import passes
from modnet_numba.activation import FusedActivation
from modnet_numba.batch_norm import FusedBatchNorm
from modnet_numba.compiling import kernel
from modnet_numba.cross_entropy import FusedCrossEntropy
from modnet_numba.dense import FusedDense, FusedDenseActivation
from modnet_numba.dropout import FusedDropout
from modnet_numba.optimizers import FusedOptimizer
from modnet_numba.row_norms import FusedRowNorm
from modnet_numba.squared_error import FusedSquaredError
from modnet_numba.tape import Tape, play

_LINKS = (FusedActivation, FusedBatchNorm, FusedDense, FusedDenseActivation, FusedDropout, FusedRowNorm)
"""Those whose work is done by kernels alone."""

_MOST = 1024
_FLOPS = 10**10
"""Of steps that are made at once: so many at most, and so much work, a tenth of a second, for an interrupt to wait."""


@kernel
def _gather(data: Array, order: Array, clock: Array, batch: Array) -> None:
    """Copy the rows of the batch whose turn it is."""
    first = int(clock[2]) * batch.shape[0]
    for i in range(batch.shape[0]):
        batch[i] = data[order[first + i]]


@kernel
def _weigh(weight: Array | None, rows: int, value: Array) -> None:
    """Begin a step: Σ w of the batch is known, and there is no penalty yet."""
    value[1] = 0
    value[2] = rows if weight is None else np.sum(weight)


@kernel
def _decay(W: Array, dW: Array, value: Array, alpha: float, l1_ratio: float) -> None:
    """Add the penalty (α/Σw) (½ (1 − ρ) ‖W‖² + ρ ‖W‖₁) to the loss, and its gradient to ∂J/∂W."""
    number = W.dtype.type
    strength = alpha / value[2]
    of_square, of_sign = number(strength * (1 - l1_ratio)), number(strength * l1_ratio)
    square = absolute = 0.0
    for i in range(W.size):
        square += W[i] * W[i]
        dW[i] += of_square * W[i]
    if l1_ratio:
        for i in range(W.size):
            absolute += abs(W[i])
            dW[i] += of_sign if W[i] > 0 else -of_sign if W[i] < 0 else number(0)
    value[1] = strength * (0.5 * (1 - l1_ratio) * square + l1_ratio * absolute)


class TapedSteps(Steps):
    """Steps of training on batches of one size, from a tape.

    Parameters
    ----------
    step : Step
        One of which `can_be_taped` holds.
    """

    def __init__(self, step: Step) -> None:
        self._step, self._tape = step, Tape()
        self._clock, self._value = np.zeros(3), np.zeros(3)
        self.at_once = max(1, min(_MOST, _FLOPS // (6 * step.rows * max(1, step.theta.size))))
        self._order = np.zeros(self.at_once * step.rows, np.int64)
        with self._tape.recording():
            self._judged = self._record()
        self._arrays = self._tape.arrays()

    def run(self, order: Array, rates: Array) -> tuple[int, float, float]:
        """Make a step on each batch of these rows."""
        step, clock, totals = self._step, self._clock, np.zeros(2)
        step.loss.check_truth(step.t)
        self._order[: order.size] = order
        clock[:] = step.optimizer_state.step, 0, 0
        made = play.compiled(*self._arrays, self._judged, rates, clock, self._value, totals)
        return made, float(totals[0]), float(totals[1])

    def _record(self) -> int:
        """Write a step down; return after how many calls the loss is known."""
        step, clock, value = self._step, self._clock, self._value
        x = self._gathered(step.x)
        t = self._gathered(step.t)
        weight = None if step.weight is None else self._gathered(step.weight)
        _weigh(weight, step.rows, value)
        raw = step.forward(x)
        step.loss.write(t, raw, weight, step.draw, value)
        judged = len(self._tape)
        step.backward(step.draw)
        optimizer, theta, gradient, decayed = step.optimizer, step.theta, step.gradient, step.decayed
        if step.alpha:
            _decay(theta[:decayed], gradient[:decayed], value, step.alpha, step.l1_ratio)
        if optimizer.clip_value is not None:
            passes.clip(gradient, optimizer.clip_value)
        if optimizer.clip_norm is not None:
            passes.clip_norm(gradient, optimizer.clip_norm)
        if optimizer.weight_decay:
            passes.shrink(theta[:decayed], clock, optimizer.weight_decay)
        step.rule.move(theta, gradient, step.optimizer_state, clock)
        return judged

    def _gathered(self, data: Array) -> Array:
        """Write down that a batch's rows are copied; return where to."""
        batch = np.empty((self._step.rows, *data.shape[1:]), data.dtype)
        _gather(data, self._order, self._clock, batch)
        return batch


def can_be_taped(step: Step) -> bool:
    """Return whether kernels do all that there is to do in a step."""
    links = all(isinstance(each, _LINKS) for each in step.modules)
    loss = isinstance(step.loss, FusedCrossEntropy | FusedSquaredError)
    rule = isinstance(step.rule, FusedOptimizer) and not isinstance(step.rule.original, NAdam)
    rows = step.x.ndim == 2 and step.theta.dtype == step.x.dtype
    truth = step.t.ndim == 1 or step.t.shape[1:] == step.draw.shape[1:]
    return links and loss and rule and rows and truth

"""Compiled loops: a network of fused modules, its loss and its optimizer on a tape, no Python between the batches."""

from typing import Self

import numpy as np

from modnet import Array, CompiledLoop, TrainingStep
from modnet.layers import Flatten, Reshape
from modnet.optimizers import NAdam
from modnet_numba import passes
from modnet_numba.activation import FusedActivation
from modnet_numba.compiling import kernel, readable
from modnet_numba.cross_entropy import FusedCrossEntropy
from modnet_numba.dense import FusedDense, FusedDenseActivation
from modnet_numba.dropout import FusedDropout
from modnet_numba.normalization import FusedNorm
from modnet_numba.optimizers import FusedOptimizer
from modnet_numba.prefetching import prefetch
from modnet_numba.squared_error import FusedSquaredError
from modnet_numba.tape import Tape, play

_MODULES = (FusedActivation, FusedDense, FusedDenseActivation, FusedDropout, FusedNorm)
"""Those whose work is done by kernels alone."""

_VIEWS = (Flatten, Reshape)
"""Those that have no work: what they return is the memory that they are given."""

_AHEAD = 2
"""Rows that are asked for before their turn: 200 shuffled rows of 784 float32 take 28 instead of 37 µs (Zen 5)."""

_MOST = 1024
_FLOPS = 10**10
"""Of one run of a loop: so many steps at most, and so much work, a tenth of a second, for an interrupt to wait."""


@kernel
def _gather(data: Array, order: Array, clock: Array, batch: Array) -> None:
    """Copy the rows of the batch whose turn it is."""
    n, first, size = batch.shape[0], int(clock[2]) * batch.shape[0], data.shape[1] * data.itemsize
    for i in range(n):
        if i + _AHEAD < n:
            prefetch(data.ctypes.data + order[first + i + _AHEAD] * data.strides[0], size)
        row = order[first + i]
        for j in range(batch.shape[1]):
            batch[i, j] = data[row, j]


@kernel
def _weigh(weight: Array | None, rows: int, value: Array) -> None:
    """Begin a step: Σ w of the batch is known, and there is no penalty yet."""
    value[1] = 0
    value[2] = rows if weight is None else np.sum(weight)


class TapedLoop(CompiledLoop):
    """A loop over training steps on batches of one size, which plays a tape.

    Parameters
    ----------
    step : TrainingStep
        One whose modules are of `_MODULES`.
    loss : FusedCrossEntropy or FusedSquaredError
    rule : FusedOptimizer
        Its own.
    """

    def __init__(self, step: TrainingStep, loss: FusedCrossEntropy | FusedSquaredError, rule: FusedOptimizer) -> None:
        self._step, self._loss, self._rule, self._tape = step, loss, rule, Tape()
        self._clock, self._value = np.zeros(3), np.zeros(3)
        self.max_steps = max(1, min(_MOST, _FLOPS // (6 * step.rows * max(1, step.theta.size))))
        self._order = np.zeros(self.max_steps * step.rows, np.int64)
        with self._tape.recording():
            self._judged = self._record_loss()
            self._record_move()
        self._arrays = self._tape.arrays()

    @classmethod
    def of(cls, step: TrainingStep) -> Self | None:
        """Return a loop of steps like this one, if kernels do all that there is to do in it; else None."""
        loss, rule, t, width = step.loss, step.rule, step.t, step.draw.shape[1:]
        fused = all(isinstance(each, _MODULES) or type(each) in _VIEWS for each in step.modules)
        if not fused or not isinstance(loss, FusedCrossEntropy | FusedSquaredError):
            return None
        if not isinstance(rule, FusedOptimizer) or isinstance(rule.original, NAdam):  # it keeps a number of its own
            return None
        if step.x.dtype != step.theta.dtype or (step.x.ndim > 2 and not step.x.flags.c_contiguous):
            return None
        # Codes are used as they are: those out of range are left to single steps, which say what is wrong.
        fits = t.min() >= 0 and t.max() < width[-1] if t.ndim == 1 else t.shape[1:] == width
        return cls(step, loss, rule) if fits else None

    def run(self, order: Array, rates: Array) -> tuple[int, float, float]:
        """Make a step on each batch of these rows."""
        totals = np.zeros(2)
        self._order[: order.size] = order
        self._clock[:] = self._step.optimizer_state.step, 0, 0
        made = play.compiled(*self._arrays, self._judged, rates, self._clock, self._value, totals)
        if made < 0:
            raise RuntimeError(
                f"a kernel failed in the steps of {self._step.modules!r}, {self._loss!r}, {self._rule!r}"
            )
        return made, float(totals[0]), float(totals[1])

    def _record_loss(self) -> int:
        """Write down how a batch is gathered and J is found; return how many calls that are."""
        step = self._step
        x, t, weight = self._gathered(step.x), self._gathered(step.t), None
        if step.weight is not None:
            weight = self._gathered(step.weight)
        _weigh(weight, step.rows, self._value)
        self._loss.write(t, step.forward(x), weight, step.draw, self._value)
        return len(self._tape)

    def _record_move(self) -> None:
        """Write down the way back to ∇J, and how θ moves along it."""
        step, optimizer, clock = self._step, self._step.optimizer, self._clock
        theta, gradient, regularized = step.theta, step.gradient, slice(0, step.regularized)
        step.backward(step.draw)
        if step.alpha:
            passes.penalize(theta[regularized], gradient[regularized], self._value, step.alpha, step.l1_ratio)
        if optimizer.clip_value is not None:
            passes.clip(gradient, optimizer.clip_value)
        if optimizer.clip_norm is not None:
            passes.clip_norm(gradient, optimizer.clip_norm)
        if optimizer.weight_decay:
            passes.shrink(theta[regularized], clock, optimizer.weight_decay)
        self._rule.move(theta, gradient, step.optimizer_state, clock)

    def _gathered(self, data: Array) -> Array:
        """Write down that a batch's rows are copied; return where to."""
        batch = np.empty((self._step.rows, *data.shape[1:]), data.dtype)
        _gather(readable(data).reshape(len(data), -1), self._order, self._clock, batch.reshape(len(batch), -1))
        return batch

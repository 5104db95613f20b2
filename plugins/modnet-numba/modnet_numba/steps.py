"""Compiled loops: a network of fused modules, its loss and its optimizer on a tape, no Python between the batches."""

from typing import Self

import numpy as np

from modnet import Array, CompiledLoop, TrainingStep
from modnet.base import Block, Epochs
from modnet.layers import Flatten, Reshape
from modnet.optimizers import NAdam
from modnet_numba import combining, passes
from modnet_numba.activation import FusedActivation
from modnet_numba.compiling import kernel, readable, sum_of
from modnet_numba.cross_entropy import FusedCrossEntropy
from modnet_numba.dense import FusedDense, FusedDenseActivation
from modnet_numba.dropout import FusedDropout
from modnet_numba.embedding import FusedEmbedding
from modnet_numba.normalization import FusedNorm
from modnet_numba.optimizers import FusedOptimizer
from modnet_numba.prefetching import prefetch
from modnet_numba.squared_error import FusedSquaredError
from modnet_numba.tape import Tape, play

_MODULES = (FusedActivation, FusedDense, FusedDenseActivation, FusedDropout, FusedEmbedding, FusedNorm)
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
    n, first, size = batch.shape[0], int(clock[2]), data.shape[1] * data.itemsize
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
    value[2] = rows if weight is None else sum_of(weight)


@kernel
def _watch(value: Array, weight: float, sums: Array) -> None:
    """Add what is watched of a block: Σ w J and Σ w."""
    sums[0] += value[0] * weight
    sums[1] += weight


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
        self._clock, self._value, self._watched, self._averaged = np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(1)
        self.max_steps = max(1, min(_MOST, _FLOPS // (6 * step.rows * max(1, step.theta.size))))
        self._order = np.empty(self.max_steps * step.rows, np.int64)
        marks: list[int] = []
        with self._tape.recording():
            for each in (step, step.rest):
                if each is not None:
                    judged = self._record_loss(each)
                    self._record_move(each)
                    marks += [judged, len(self._tape)]
            for block in step.watched:
                self._record_watched(block)
        if step.rest is None:
            marks += [0, marks[1]]
        self._marks = np.array([*marks, len(self._tape), step.rows, step.rest.rows if step.rest else 0])
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
        if not all(combining.has_kernel(constraint) for _, constraint in step.constrained):
            return None
        # Codes are used as they are: those out of range are left to single steps, which say what is wrong.
        truths = [t, *(block.t for block in step.watched)]
        fits = all(
            each.min() >= 0 and each.max() < width[-1] if each.ndim == 1 else each.shape[1:] == width for each in truths
        )
        return cls(step, loss, rule) if fits else None

    def run(self, order: Array, rates: Array, epochs: Epochs) -> int:
        """Make a step on each batch of these rows."""
        step, patience, state = self._step, epochs.patience, self._step.optimizer_state
        self._order[: order.size] = order
        self._clock[:] = state.step, 0, 0
        self._averaged[0] = state.averaged
        rule = np.array([patience.tol, patience.limit, patience.first, epochs.by_watched, epochs.steps], float)
        count = np.array([patience.best, patience.waited, epochs.position, epochs.ended], float)
        nowhere = np.empty(0, step.theta.dtype)
        best = (nowhere, nowhere) if epochs.best is None else epochs.best
        kept = (each.view(np.uint8) for each in (step.theta, step.state, *best))
        made = int(
            play.compiled(
                *self._arrays, self._marks, rates, self._clock, self._value, self._watched,
                rule, count, epochs.sums, epochs.losses, *kept,
            )
        )  # fmt: skip
        if made < 0:
            raise RuntimeError(f"a kernel failed in the steps of {step.modules!r}, {self._loss!r}, {self._rule!r}")
        patience.best, patience.waited = float(count[0]), int(count[1])
        epochs.position, epochs.ended = int(count[2]), int(count[3])
        return made

    def _record_loss(self, step: TrainingStep) -> int:
        """Write down how a batch is gathered and J is found; return how many calls there are then."""
        x, t, weight = self._gathered(step.x, step.rows), self._gathered(step.t, step.rows), None
        if step.weight is not None:
            weight = self._gathered(step.weight, step.rows)
        _weigh(weight, step.rows, self._value)
        self._loss.write(t, step.forward(x), weight, step.draw, self._value)
        return len(self._tape)

    def _record_move(self, step: TrainingStep) -> None:
        """Write down the way back to ∇J, and how θ moves along it."""
        optimizer, clock, state = step.optimizer, self._clock, step.optimizer_state
        theta, gradient, regularized = step.theta, step.gradient, slice(0, step.regularized)
        step.backward(step.draw)
        if step.alpha:
            passes.penalize(theta[regularized], gradient[regularized], self._value, step.alpha, step.l1_ratio)
        grouped = []
        for name, factor in state.layout.factors.items():
            place = state.layout.places[name]
            part, of_gradient = theta[place.start : place.stop], gradient[place.start : place.stop]
            grouped.append((part, np.empty_like(part), factor))
            combining.remember(*grouped[-1][:2])
            if factor == 0:
                combining.freeze(of_gradient)
        if optimizer.clip_value is not None:
            passes.clip(gradient, optimizer.clip_value)
        if optimizer.clip_norm is not None:
            passes.clip_norm(gradient, optimizer.clip_norm)
        if optimizer.weight_decay:
            passes.shrink(theta[regularized], clock, optimizer.weight_decay)
        self._rule.move(theta, gradient, state, clock)
        for part, before, factor in grouped:
            combining.scale_step(part, before, factor)
        for W, constraint in step.constrained:
            combining.project(W, constraint)
        if optimizer.ema is not None and state.average is not None:
            combining.include(theta, state.average, self._averaged, 1 - optimizer.ema)

    def _record_watched(self, block: Block) -> None:
        """Write down how the loss of watched rows is found."""
        x, t = (readable(np.ascontiguousarray(each)) for each in (block.x, block.t))
        weight = None if block.weight is None else readable(np.ascontiguousarray(block.weight))
        raw = block.forward(x)
        self._loss.write(t, raw, weight, np.empty_like(raw), self._value)
        _watch(self._value, float(len(x) if weight is None else weight.sum()), self._watched)

    def _gathered(self, data: Array, rows: int) -> Array:
        """Write down that a batch's rows are copied; return where to."""
        batch = np.empty((rows, *data.shape[1:]), data.dtype)
        _gather(readable(data).reshape(len(data), -1), self._order, self._clock, batch.reshape(rows, -1))
        return batch

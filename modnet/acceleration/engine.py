"""The engine of a training: what runs in place of a network's links, its loss and its optimizer's step.

Without an accelerator that is modnet's own; with one it is what the accelerator offers, once it has been compared.

A compiled loop is compared on copies, by a step on a full batch and then one on the last, each made both ways: J, ∇J
and the state have to be what modnet's own links, loss and penalty compute, θ has to be where modnet's own optimizer
goes from the same gradient, and the loss of the rows that are watched has to be modnet's own at that θ.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from modnet.acceleration.comparing import agrees, asked
from modnet.acceleration.fusing import accelerated, set_aside
from modnet.base import (
    Accelerator,
    Array,
    CompiledLoop,
    Epochs,
    Layout,
    Loss,
    Optimizer,
    Patience,
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
        The one that is trained.
    loss : Loss
        What is minimized.
    optimizer : Optimizer or Solver
        What moves θ.
    accelerator : Accelerator or None
        None: modnet's own runs.
    dtype : dtype
        Of θ.

    Attributes
    ----------
    accelerator : Accelerator or None
        The one that runs; None from the moment it has failed.
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
        """Choose the `loss` that runs on a truth: the accelerator's, if it has one that agrees on its first rows.

        Parameters
        ----------
        t : ndarray
            The truth.
        """
        if self.accelerator is not None:
            width = self.network.output_shape[-1]
            self.loss = fused_loss(self._own_loss, self.accelerator, t, width, self._dtype)

    def without_accelerator(self, error: Exception, again: Callable[[], _Result]) -> _Result:
        """Run modnet's own from now on, beginning with what has failed: not all goes wrong on a few rows already.

        Parameters
        ----------
        error : Exception
            What has been raised.
        again : callable
            Does the same again on what then runs.

        Returns
        -------
        object
            What `again` returns.

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
    accelerator: Accelerator, step: TrainingStep, copied: Callable[[int, bool], TrainingStep]
) -> CompiledLoop | None:
    """Return the accelerator's loop for a step, if it has one that agrees with modnet's own step.

    Parameters
    ----------
    accelerator : Accelerator
        What may have a loop.
    step : TrainingStep
        As it is to be made.
    copied : callable
        Returns the same step on batches of so many rows, as it is to be made or by modnet alone, on copies of all that
        a step changes.

    Returns
    -------
    CompiledLoop or None
        None: steps are made one by one.

    Warns
    -----
    RuntimeWarning
        Once, if it fails or differs.
    """
    weights = None if step.weight is None else step.weight.dtype
    sizes = (step.rows,) if step.rest is None else (step.rows, step.rest.rows)
    data = (step.x.flags.c_contiguous, step.x.shape[1:], step.t.dtype, step.t.shape[1:], weights)
    penalty = (step.alpha > 0, step.l1_ratio, bool(step.watched))
    constraints = tuple((W.shape, constraint) for W, constraint in step.constrained)
    groups = tuple(step.optimizer_state.layout.factors.items())
    key = (accelerator, step.modules, step.loss, step.optimizer, penalty, data, constraints, groups, step.theta.dtype)
    what = f"the training loop of {', '.join(map(repr, step.modules))} with {step.loss!r} and {step.optimizer!r}"
    loop: CompiledLoop | None = asked(accelerator, key, what, CompiledLoop, lambda: accelerator.compile(step))
    if loop is None:
        return None

    def agree(rows: int) -> bool:
        both = _Comparison(accelerator, copied, rows)
        return agrees(accelerator, (*key, rows), what, both.compiled, both.own, lambda make: make())

    return loop if all(map(agree, sizes)) else None


class _Comparison:
    """A step made both ways: two lists of arrays that should be the same. One copy is gone before the next is made."""

    def __init__(self, accelerator: Accelerator, copied: Callable[[int, bool], TrainingStep], rows: int) -> None:
        self._accelerator, self._copied, self._rows = accelerator, copied, rows

    def own(self) -> list[Array]:
        """Return J, ∇J and the network's state after the step as modnet makes it, and zeros."""
        step = self._copied(self._rows, False)
        dtype, first = step.theta.dtype, slice(0, step.rows)
        weight = None if step.weight is None else step.weight[first]
        raw = step.forward(step.x[first])
        value, draw = step.loss.value_and_gradient(step.t[first], raw, weight=weight, out=step.draw)
        step.backward(draw)
        value += step.penalize(step.gradient, step.rows if weight is None else float(weight.sum()))
        step.optimizer_state.layout.freeze(step.gradient)
        step.optimizer.clip(step.gradient)
        self._scale = float(np.abs(step.gradient).max(initial=0)) or 1.0
        return [np.asarray(value, dtype), step.gradient / self._scale, step.state, np.zeros(2, dtype)]

    def compiled(self) -> list[Array]:
        """Return the same of the loop; the last two say how far its θ or mean, and validation loss, are from the right.

        Right is where its gradient leads, and what modnet's own makes of the θ that it has come to.
        """
        fast = self._copied(self._rows, True)
        loop = self._accelerator.compile(fast)
        assert loop is not None, "it was there for the same step"
        rates = np.array([fast.optimizer_state.learning_rate])
        epochs = Epochs(np.full((1, 2), np.nan), Patience(0.0, 1), None, by_watched=False, steps=1)
        loop.run(np.arange(fast.rows), rates, epochs)
        theta, mean, after = fast.theta, fast.optimizer_state.average, fast.state
        gradient, found = fast.gradient, fast.gradient / self._scale
        del fast, loop
        plain = self._copied(1, False)  # from here on no batch goes through it
        before, state = plain.theta.copy(), plain.optimizer_state
        plain.optimizer.update(plain.theta, gradient, state)
        for W, constraint in plain.constrained:
            constraint.project(W)
        away = [np.abs(plain.theta - theta).max(initial=0)]
        if plain.optimizer.ema is not None:
            own = state.average
            share = (1 - plain.optimizer.ema) if state.averaged else 1
            away.append(np.abs(own + share * (plain.theta - own) - mean).max(initial=0))  # type: ignore[operator]
        # Where steps are as small as the last digits of θ, rounding is all there is to see.
        dtype = before.dtype
        digits = 1e3 * float(np.finfo(dtype).eps) * np.abs(before).max(initial=0)
        moved = np.abs(plain.theta - before).max(initial=0) + digits
        watched = _watched_loss(plain, theta) - epochs.losses[0, 1] if plain.watched else 0.0
        distances = np.array([max(away) / (moved or 1.0), watched], dtype)
        return [np.asarray(epochs.losses[0, 0], dtype), found, after, distances]


def _watched_loss(step: TrainingStep, theta: Array) -> float:
    """Return the loss of the watched rows at some θ."""
    step.theta[...] = theta
    losses = [(step.loss.value(each.t, each.forward(each.x), weight=each.weight), each) for each in step.watched]
    weights = [len(each.x) if each.weight is None else float(each.weight.sum()) for _, each in losses]
    return float(np.average([value for value, _ in losses], weights=weights))

"""The contract of what trains: optimizers move θ in place, and keep all memory in the state; solvers find a minimum.

Accelerators run in place of layers, losses and optimizers: whatever they offer agrees with the original.
"""

import contextlib
import copy
import dataclasses
import pickle
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from modnet.acceleration import MIN_STEPS, accelerated
from modnet.acceleration.engine import fused_loss, fused_optimizer
from modnet.base import Accelerator, Array, Loss, Optimizer, OptimizerState, Solver, served
from modnet.errors import InvalidSpecError, RegistryError
from modnet.estimators import ModNetRegressor
from modnet.network import Network
from modnet.registry import registry
from modnet.testing.comparing import CheckFailed, expect, expect_same
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules, guarded, interleaved, undisturbed

RULES, SOLVERS, ACCELERATORS = Rules(), Rules(), Rules()
_SIZE = 7
Gradient = Callable[[Array], Array]


class Quadratic:
    """J = ½ θᵀ A θ − cᵀ θ with A positive definite, a start, and the point opposite to it, where ∇J is the opposite."""

    def __init__(self, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(0)
        root = rng.normal(size=(_SIZE, _SIZE))
        A, c = root @ root.T / _SIZE + 0.1 * np.eye(_SIZE), rng.normal(size=_SIZE)
        start = rng.normal(size=_SIZE)
        opposite = 2 * np.linalg.solve(A, c) - start
        self.A, self.c, self.start, self.opposite = (each.astype(dtype) for each in (A, c, start, opposite))

    def J(self, theta: Array) -> float:
        """Return the value."""
        return float(0.5 * theta @ self.A @ theta - self.c @ theta)

    def gradient(self, theta: Array) -> Array:
        """Return ∇J = A θ − c."""
        found: Array = self.A @ theta - self.c
        return found


_BOWL = Quadratic()


def walk(
    rule: Optimizer, steps: int, theta: Array = _BOWL.start, state: Any = None, gradient: Gradient = _BOWL.gradient
) -> tuple[Array, OptimizerState]:
    """Return θ after some steps on the quadratic, and the state."""
    theta = theta.copy()
    state = rule.init(theta) if state is None else state
    for _ in range(steps):
        rule.step(theta, gradient(theta), state)
    return theta, state


@RULES.add()
def theta_is_changed_in_place_and_keeps_its_dtype(optimizer: Optimizer) -> None:
    """`step` changes θ in place wherever the gradient is not zero, and returns nothing; dtypes are kept.

    Usually: `theta = theta − …`, which binds a new array to the name: theta −= …, or np.subtract(…, out=theta)
    """
    for dtype in FLOATS:
        theta, grad = np.ones(_SIZE, dtype), np.linspace(-1, 1, _SIZE, dtype=dtype)
        state = optimizer.init(theta)
        for step in range(3):
            before = theta.copy()
            returned = optimizer.step(theta, grad.copy(), state)
            expect(returned is None, f"step should return None, got {type(returned).__name__}")
            still = np.flatnonzero((theta == before) & (grad != 0))
            expect(not still.size, f"theta{still.tolist()} did not move in step {step + 1}, grad there {grad[still]}")
        expect(theta.dtype == dtype, f"theta became {theta.dtype}")
        for name, vector in state.vectors.items():
            expect(vector.dtype == dtype, f"state.vectors[{name!r}] has dtype {vector.dtype}, θ has {np.dtype(dtype)}")


@RULES.add()
def the_state_has_memory_of_its_own(optimizer: Optimizer) -> None:
    """`step`, which may change the gradient, keeps no hold of it, and none of θ.

    Usually: state.vectors[…] = grad, or = theta: the training loop writes the next gradient into the same memory
    """
    theta = _BOWL.start.copy()
    state, grad = optimizer.init(theta), _BOWL.gradient(theta)
    optimizer.step(theta, grad, state)
    for name, vector in state.vectors.items():
        expect(not np.shares_memory(vector, grad), f"state.vectors[{name!r}] is the gradient's own memory: copy it")
        expect(not np.shares_memory(vector, theta), f"state.vectors[{name!r}] is θ's own memory: copy it")


@RULES.add()
def init_makes_a_state_and_leaves_theta_alone(optimizer: Optimizer) -> None:
    """`init` returns a state at step 0 with the optimizer's learning rate and vectors like θ; θ stays as it is.

    Usually: a learning rate or a step count that is not set, or a vector that is not of θ's shape
    """
    theta = np.ones(_SIZE)
    with guarded(theta):
        state = optimizer.init(theta)
    expect(state.step == 0, f"step should be 0, got {state.step}")
    rate = optimizer.learning_rate
    expect(state.learning_rate == rate, f"learning_rate should be {rate}, got {state.learning_rate}")
    for name, vector in state.vectors.items():
        expect(vector.shape == theta.shape, f"state.vectors[{name!r}] has shape {vector.shape}, θ {theta.shape}")


@RULES.add()
def steps_are_counted(optimizer: Optimizer) -> None:
    """The state counts the steps.

    Usually: `state.step += 1` left out
    """
    expect(walk(optimizer, 5)[1].step == 5, "state.step is not 5 after 5 steps")


@RULES.add()
def the_loss_falls(optimizer: Optimizer) -> None:
    """200 steps lower a convex quadratic, from a start and from the opposite one, where the gradient is opposite.

    Usually: the sign of the step, or that of the gradient lost, as in |g| or √g²: θ moves against the gradient
    """
    for name, start in (("the start", _BOWL.start), ("the opposite start", _BOWL.opposite)):
        before, after = _BOWL.J(start), _BOWL.J(walk(optimizer, 200, start)[0])
        expect(after < before, f"J is {before:.6g} at {name}, and {after:.6g} after 200 steps")


@RULES.add()
def what_others_change_in_theta_stays(optimizer: Optimizer) -> None:
    """A step goes on from the θ it is given, so that weight decay and constraints, which change θ, are not lost.

    Usually: θ written from a copy of its own, theta[...] = state.vectors[…]: change the θ that is given, theta −= …
    """
    ends = []
    for decay in (0.0, 0.05 / optimizer.learning_rate):
        rule, theta = dataclasses.replace(optimizer, weight_decay=decay), np.array([100.0])
        state = rule.init(theta)
        for _ in range(10):
            rule.update(theta, np.ones(1), state, regularized=1)
        ends.append(float(theta[0]))
    without, with_ = ends
    text = f"θ of 100 is {with_:.6g} after 10 steps with a weight_decay of 5 % each, and {without:.6g} without"
    expect(abs(with_ - without) > 10, text)


@RULES.add()
def the_rate_of_a_step_is_the_one_in_the_state(optimizer: Optimizer) -> None:
    """The size of a step goes by state.learning_rate, which the training loop sets before each step.

    Usually: self.learning_rate where state.learning_rate is meant: schedules set the latter
    """
    faster = dataclasses.replace(optimizer, learning_rate=3 * optimizer.learning_rate)
    state = optimizer.init(_BOWL.start)
    state.learning_rate = faster.learning_rate
    set_, own = walk(optimizer, 10, state=state)[0], walk(faster, 10)[0]
    expect_same("θ", set_, own, "with 3 times the rate in the state", "with 3 times the rate in the optimizer")


@RULES.add()
def all_that_is_remembered_is_in_the_state(optimizer: Optimizer) -> None:
    """A state that was pickled goes on where it was, and an optimizer keeps nothing.

    Usually: something that is remembered on the optimizer, or in the closure of a function
    """
    with undisturbed(optimizer):
        straight, _ = walk(optimizer, 20)
        half, state = walk(optimizer, 10)
    for copied, how in ((pickle.loads(pickle.dumps(state)), "pickled"), (copy.deepcopy(state), "copied")):
        resumed, _ = walk(optimizer, 10, half, copied)
        expect_same("θ", resumed, straight, f"after 10 steps and 10 more with a {how} state", "after 20")


@RULES.add()
def two_runs_do_not_meet(optimizer: Optimizer) -> None:
    """Two trainings at the same time come where each would have come alone.

    Usually: memory that two runs share: a list or an array on the class
    """
    other = partial(walk, optimizer, 3, 2 * _BOWL.start, gradient=lambda theta: 100 * _BOWL.gradient(theta))
    beside, _ = interleaved(partial(walk, optimizer, 10), other)
    expect_same("θ", beside, walk(optimizer, 10)[0], "beside another run", "alone")


@RULES.add()
def steps_stay_finite(optimizer: Optimizer) -> None:
    """Gradients of zero, 1e-30 and 1e4 give finite steps without warnings, in float32, too; any length of θ will do.

    Usually: an epsilon below float32's 1e-38, or a square that under- or overflows: √(g²) of g = 1e-30 is 0 in float32
    """
    for dtype in FLOATS:
        for grad in ([0.0] * 6, [1e-30, -1e-30, 0.0, 1.0, 1e4, -1e4], [1e-30], [1e4]):
            theta = np.ones(len(grad), dtype)
            state = optimizer.init(theta)
            for step in range(3):
                optimizer.step(theta, np.array(grad, dtype), state)
                text = f"θ is {theta.tolist()} after step {step + 1} with grad {grad} in {np.dtype(dtype)}"
                expect(np.isfinite(theta).all(), text)


@RULES.add()
def float32_walks_as_float64(optimizer: Optimizer) -> None:
    """In float32 ten steps lead where they lead in float64, to 1e-3 of the way.

    Usually: a float64 among float32 vectors, or an epsilon that float32 cannot tell from 0
    """
    bowl = Quadratic(np.float32)
    rough, _ = walk(optimizer, 10, bowl.start, gradient=bowl.gradient)
    exact, _ = walk(optimizer, 10, bowl.start.astype(np.float64))
    way = float(np.abs(exact - bowl.start).max())
    expect_same("θ", rough, exact, "in float32", "in float64", rtol=1e-6, atol=1e-3 * way)


# Solvers


def _solved(
    solver: Solver, dtype: Any = np.float64, max_iter: int = 200, stop: Callable[[int], bool] = lambda n: False
) -> tuple[Array, Any, list[tuple[Array, float]]]:
    """Return where a solver ends on the quadratic, whether it says that it converged, and what it told `after`."""
    theta, told = _BOWL.start.astype(dtype), []

    def after(theta: Array, value: float) -> bool:
        told.append((np.array(theta), value))
        return stop(len(told))

    converged = solver.minimize(
        lambda t: (_BOWL.J(t), _BOWL.gradient(t)), theta, max_iter=max_iter, tol=1e-6, after=after
    )
    return theta, converged, told


@SOLVERS.add()
def it_finds_the_minimum(solver: Solver) -> None:
    """`minimize` moves θ, in place, to the minimum of a convex quadratic, and says that it converged.

    Usually: the result is left in an array of its own: theta[...] = result
    """
    for dtype, bound in ((np.float64, 1e-5), (np.float32, 1e-4)):
        with undisturbed(solver):
            theta, converged, _ = _solved(solver, dtype)
        left = np.abs(_BOWL.gradient(theta.astype(np.float64))).max()
        expect(left < bound, f"the largest |∂J/∂θᵢ| at the end is {left:.3g} in {np.dtype(dtype)}")
        expect(converged is True, f"minimize should return True there, got {converged!r}")


@SOLVERS.add()
def it_tells_of_every_iteration_and_stops_when_told(solver: Solver) -> None:
    """`after` is called after each iteration with θ and J(θ), and True from it ends the search; so does max_iter.

    Usually: `after` is not called, or what it returns not looked at
    """
    _, _, told = _solved(solver)
    expect(told, "after was never called")
    for theta, value in told:
        expect_same("J", value, _BOWL.J(theta), "as `after` is told", "at the θ that it is told", rtol=1e-9)
    for what, options in (("after said so", {"stop": lambda n: n == 2}), ("max_iter=2 was reached", {"max_iter": 2})):
        _, _, told = _solved(solver, **options)
        expect(len(told) <= 2, f"it made {len(told)} iterations, though {what} after 2")


@SOLVERS.add()
def it_takes_the_same_way_again(solver: Solver) -> None:
    """The same start gives the same result, to the last bit.

    Usually: a random start, or a direction drawn from numpy.random
    """
    expect_same("θ", _solved(solver)[0], _solved(solver)[0], "one time", "another")


# Accelerators


@ACCELERATORS.add()
def fused_layers_agree(accelerator: Accelerator) -> None:
    """A fused module has the output, gradients and state of the links that it stands for, in both dtypes.

    Usually: a factor left out, a buffer read before it is written, or another dtype inside of the kernel
    """
    dense = registry.get("layer", "modnet-layers:dense")
    alone = [[each] for each in _examples("layer", "activation")]
    pairs = [[dense(3, activation)] for activation in _examples("activation")]  # as most networks have them
    for layers in alone + pairs:
        network = Network(layers, layers[0].example_rows(np.random.default_rng(0), 1).shape[1:])
        modules = [link.module for link in network.links]
        starts = [index for index, link in enumerate(network.links) if not link.chains]
        offered = any(accelerator.fuse(modules[index:]) is not None for index in starts)
        _expect_used(f"fused for {layers}", offered, network.links, partial(_fused_links, network, accelerator))


@ACCELERATORS.add()
def fused_losses_agree(accelerator: Accelerator) -> None:
    """A fused loss has the value and the gradient of the original, with and without weights, in both dtypes.

    Usually: the average over rows, or the weights, left out
    """
    for loss in _examples("loss"):
        for task, ready in served(loss).items():
            if ready == loss:
                # Another seed than fused_loss draws raw from: where raw is the truth, wrong losses are zero as well.
                t = loss.example_truth(task, np.random.default_rng(1), 5)
                width = loss.width(t.shape[-1] if t.ndim > 1 else 3)
                fused = partial(_fused_loss, loss, accelerator, t, width)
                _expect_used(f"offered for {loss}", accelerator.loss(loss) not in (None, loss), loss, fused)


@ACCELERATORS.add()
def fused_optimizers_agree(accelerator: Accelerator) -> None:
    """A fused optimizer moves θ and the state as the original does, in both dtypes.

    Usually: another order of the moments, or a step count of its own
    """
    for optimizer in _examples("optimizer"):
        offered = accelerator.optimizer(optimizer) not in (None, optimizer)
        fused = partial(fused_optimizer, optimizer, accelerator)
        _expect_used(f"offered for {optimizer}", offered, optimizer, fused)


@ACCELERATORS.add()
def accelerated_training_gives_the_same_model(accelerator: Accelerator) -> None:
    """A model that is trained with the accelerator is the model that is trained without, to rounding.

    Usually: a kernel that is right on a few rows and wrong for other sizes of batches

    The trainings are long enough for a compiled loop, if the accelerator makes such.
    """
    X = np.random.default_rng(0).normal(size=(50, 4))
    for activation in ("relu", "tanh", "sigmoid"):
        settings: dict[str, Any] = {"max_iter": MIN_STEPS // 3 + 1, "batch_size": 16, "random_state": 0, "tol": 0}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="training stopped at max_iter")
            plain, fast = (
                ModNetRegressor((8, 5), activation, accelerator=each, **settings).fit(X, X[:, 0]).theta_
                for each in (None, accelerator)
            )
        expect_same("theta_", fast, plain, f"with {accelerator!r}", "without", rtol=1e-8, atol=1e-10)


def _fused_loss(loss: Loss, accelerator: Accelerator, t: Array, width: int, dtype: "np.dtype[Any]") -> Loss:
    return fused_loss(loss, accelerator, t if t.dtype.kind == "i" else t.astype(dtype), width, dtype)


def _fused_links(network: Network, accelerator: Accelerator, dtype: "np.dtype[Any]") -> object:
    return accelerated(network, accelerator, dtype).links


def _expect_used(what: str, offered: bool, original: object, fused: Callable[["np.dtype[Any]"], object]) -> None:
    """Expect that what is offered runs in place of the original in both dtypes: if not, it failed or differs."""
    for dtype in map(np.dtype, FLOATS):
        try:
            fast = fused(dtype)
        except RuntimeWarning as warning:
            raise CheckFailed(f"{warning} ({dtype})") from warning
        expect(not offered or fast != original, f"what is {what} was refused before ({dtype})")


def _examples(*kinds: str) -> Iterator[Any]:
    """Return the examples of every registered component of some kinds that can be imported."""
    for kind in kinds:
        for _, cls in registry.classes(kind):
            with contextlib.suppress(InvalidSpecError):  # that there are none is found by a check of its own
                yield from () if isinstance(cls, RegistryError) else cls.examples()

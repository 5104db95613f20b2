"""The contract of what trains: optimizers move θ in place, and keep all memory in the state; solvers find a minimum."""

import copy
import dataclasses
import pickle
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from modnet.base import Array, Layout, Optimizer, OptimizerState, Solver
from modnet.testing.comparing import expect, expect_same
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules, guarded, interleaved, undisturbed

RULES, SOLVERS = Rules(), Rules()
LAYOUT = Layout.of_shapes({"layers[0].W": (2, 2)}, {"layers[0].b": (1, 2), "layers[1].b": (1, 1)})
"""A rule may treat matrices in another way than biases."""
_SIZE = LAYOUT.size
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
    """Return θ in training after some steps on the quadratic, and the state."""
    theta = theta.copy()
    state = rule.init(theta, LAYOUT) if state is None else state
    for _ in range(steps):
        rule.step(theta, gradient(theta), state)
    return theta, state


@RULES.add()
def theta_is_changed_in_place_and_keeps_its_dtype(optimizer: Optimizer) -> None:
    """`step` changes θ in place wherever the gradient is not zero, and returns nothing; dtypes are kept.

    Usually: `theta = theta − …`, which binds a new array to the name: theta −= …, or np.subtract(…, out=theta)
    """
    for dtype in FLOATS:
        theta = np.ones(_SIZE, dtype)
        state = optimizer.init(theta, LAYOUT)
        for step in range(3):
            # Of another size each time: after two equal steps, half the way back is where the first one led.
            before, grad = theta.copy(), np.linspace(-1, 1, _SIZE, dtype=dtype) * (3 - step)
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
    state, grad = optimizer.init(theta, LAYOUT), _BOWL.gradient(theta)
    optimizer.step(theta, grad, state)
    for name, vector in state.vectors.items():
        expect(not np.shares_memory(vector, grad), f"state.vectors[{name!r}] is the gradient's own memory: copy it")
        expect(not np.shares_memory(vector, theta), f"state.vectors[{name!r}] is θ's own memory: copy it")


@RULES.add()
def init_makes_a_state_and_leaves_theta_alone(optimizer: Optimizer) -> None:
    """`init` returns a state at step 0 with the optimizer's learning rate, the layout and vectors like θ, which stays.

    Usually: a learning rate or a step count that is not set, or a vector that is not of θ's shape
    """
    theta = np.ones(_SIZE)
    with guarded(theta):
        state = optimizer.init(theta, LAYOUT)
    expect(state.layout is LAYOUT, "state.layout should be the layout that init is given")
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
        before, after = _BOWL.J(start), _BOWL.J(optimizer.predicts(*walk(optimizer, 200, start)))
        expect(after < before, f"J is {before:.6g} at {name}, and {after:.6g} after 200 steps, where it predicts")


def _has_another_point(optimizer: Optimizer) -> bool:
    """Whether θ, as it is trained, is not all there is: of other rules the training loop keeps these promises."""
    return optimizer.own_points or optimizer.publishes


def _moved(
    rule: Optimizer, grad: Array | None = None, factors: Mapping[str, float] | None = None, shrink: float = 1.0
) -> Array:
    """Return how far what predicts is from a start near 100, after ten updates along a gradient that stays.

    Before each, another one shrinks what is regularized in θ by a factor.
    """
    start = 100 + _BOWL.start
    theta, grad = start.copy(), np.linspace(1, 2, _SIZE) if grad is None else grad
    state = rule.init(theta, LAYOUT.with_factors(factors or {}, theta.dtype))
    for _ in range(10):
        theta[: LAYOUT.regularized] *= shrink
        rule.update(theta, grad.copy(), state)
    moved: Array = rule.predicts(theta, state) - start
    return moved


@RULES.add()
def what_others_change_in_theta_stays(optimizer: Optimizer) -> None:
    """A step goes on from the θ it is given, so decay and constraints stay; or has `own_points`, and decays itself.

    Usually: θ written from vectors of the state, theta[...] = state.vectors[…]: change the θ that is given,
    theta −= …, or say `own_points` and shrink by self.weight_decay what layout.regularized says
    """
    if optimizer.own_points:
        shrunk = _moved(dataclasses.replace(optimizer, weight_decay=0.05 / optimizer.learning_rate))
    else:
        shrunk = _moved(optimizer, shrink=0.95)
    weights, others = np.split(_moved(optimizer) - shrunk, [LAYOUT.regularized])
    text = f"weights around 100 that 10 steps shrink by 5 % each end {weights.min():.6g} lower than without"
    expect(weights.min() > 10, text)
    expect(np.abs(others).max() < 1, f"{text}, and biases, which should not be shrunk, by {np.abs(others).max():.6g}")


@RULES.add(applies=_has_another_point)
def the_opposite_gradient_leads_the_other_way(optimizer: Optimizer) -> None:
    """Along a gradient of one sign what predicts moves against it, and along the opposite one the other way.

    Usually: `predicts` returns the start, or a point that does not follow θ; or the sign of the gradient lost
    """
    grad, rule = np.linspace(1, 2, _SIZE), dataclasses.replace(optimizer, weight_decay=0.0)  # all of it positive
    down, up = (_moved(rule, sign * grad) for sign in (1, -1))
    text = f"after 10 steps of one gradient Σ (θ − start), where it predicts, is {down.sum():.6g}"
    expect(down.sum() < 0 < up.sum(), f"{text}, and of the opposite one {up.sum():.6g}")


@RULES.add(applies=_has_another_point)
def what_is_frozen_keeps_its_bits(optimizer: Optimizer) -> None:
    """Where a group's factor is 0, what predicts keeps its bits, with weight decay as well; the rest learns.

    Usually: a rule that writes θ from vectors and does not say `own_points`; vectors of one that does, which are not
    multiplied by state.layout.rates; or two equal points mixed as (1 − c) x + c z, which may differ from both in its
    last bit: x + c (z − x) does not
    """
    rule = dataclasses.replace(optimizer, weight_decay=0.05 / optimizer.learning_rate)
    for name, place in LAYOUT.places.items():
        moved = _moved(rule, factors={name: 0.0})
        expect(not place.view(moved).any(), f"{name} has a factor of 0, and moved by {place.view(moved).ravel()}")
        still = [other for other, each in LAYOUT.places.items() if other != name and not each.view(moved).any()]
        expect(not still, f"{', '.join(still)} did not move where {name} has a factor of 0")


@RULES.add(applies=lambda optimizer: optimizer.own_points)
def a_factor_is_another_learning_rate(optimizer: Optimizer) -> None:
    """A rule with points of its own, and with a factor of 3 for all layers, goes where one with 3 times the rate goes.

    Usually: state.layout.rates is left out, or multiplies another thing than the learning rate
    """
    faster = dataclasses.replace(optimizer, learning_rate=3 * optimizer.learning_rate)
    found = _moved(optimizer, factors=dict.fromkeys(LAYOUT.places, 3.0))
    expect_same("the way", found, _moved(faster), "with a factor of 3", "with 3 times the rate", rtol=1e-6, atol=1e-9)


@RULES.add()
def predicts_only_looks(optimizer: Optimizer) -> None:
    """`predicts` returns an array like θ and changes neither θ nor the state, so training goes on as if not asked.

    Usually: the point is computed in place, in θ or a vector of the state: return a fresh array
    """
    theta, asked = _BOWL.start.copy(), _BOWL.start.copy()
    states = [optimizer.init(theta, LAYOUT) for _ in range(2)]
    for _ in range(5):
        optimizer.step(theta, _BOWL.gradient(theta), states[0])
        optimizer.step(asked, _BOWL.gradient(asked), states[1])
        with guarded(asked, *states[1].vectors.values()):
            point = optimizer.predicts(asked, states[1])
        like = f"{theta.dtype} of shape {theta.shape}"
        expect(point.dtype == theta.dtype and point.shape == theta.shape, f"it should be {like}, got {point!r}")
        expect_same("θ", asked, theta, "after `predicts`", "without it")


@RULES.add()
def the_rate_of_a_step_is_the_one_in_the_state(optimizer: Optimizer) -> None:
    """The size of a step goes by state.learning_rate, which the training loop sets before each step.

    Usually: self.learning_rate where state.learning_rate is meant: schedules set the latter
    """
    faster = dataclasses.replace(optimizer, learning_rate=3 * optimizer.learning_rate)
    state = optimizer.init(_BOWL.start, LAYOUT)
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


def _of_length(size: int) -> Layout:
    """Return the layout of a matrix and a bias where there is room for them."""
    return Layout.of_shapes({"W": (2, 2)}, {"b": (1, size - 4)}) if size > 4 else Layout.flat(size)


@RULES.add()
def steps_stay_finite(optimizer: Optimizer) -> None:
    """Gradients of zero, 1e-30 and 1e4 give finite steps without warnings, in float32, too; any length of θ will do.

    Usually: an epsilon below float32's 1e-38, or a square that under- or overflows: √(g²) of g = 1e-30 is 0 in float32
    """
    for dtype in FLOATS:
        for grad in ([0.0] * 6, [1e-30, -1e-30, 0.0, 1.0, 1e4, -1e4], [1e-30], [1e4]):
            theta = np.ones(len(grad), dtype)
            state = optimizer.init(theta, _of_length(len(grad)))
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

"""Analytic gradients against central differences.

`check_gradient` holds a function against its gradient; `check_network` runs modules as a network and holds what comes
back through them, for every parameter and for the input, against differences of J = Σ dy ∘ y.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modnet.base import Array, Module, Shape
from modnet.network import Place
from modnet.testing.failure import CheckFailed, counted, element, expect
from modnet.testing.problems import ROWS, Problem

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""6e-6: where the truncation error of a central difference, of order h², meets its rounding error, of order ε/h."""

FLOOR = 1e-2
"""Smaller gradients are compared as if they were this large: rounding leaves about 1e-10 in a difference quotient."""

_FOURTH = 1e-4
"""The step of a difference of fourth order, for functions that bend within `STEP`: error h⁴ against ε/h."""

Terms = Callable[[Array], Any]
"""J as a function of an array: a float, or an array of terms whose sum it is.

Differences are taken term by term: terms that an element has no part in cancel exactly.
"""


def numeric_gradient(f: Terms, x: Array) -> Array:
    """Return the central differences (f(x + h) − f(x − h)) / 2h along every element of x.

    Examples
    --------
    >>> numeric_gradient(lambda x: float(x @ x), np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    gradient, moved = np.empty_like(x), x.copy()
    for index in np.ndindex(x.shape):
        gradient[index] = _second_order(f, moved, index)
    return gradient


def check_gradient(f: Terms, x: Array, analytic: Array, *, rtol: float = 1e-6, subject: str = "gradient") -> None:
    """Compare the gradient of f at x with central differences.

    Parameters
    ----------
    f : callable
        Takes an array like x, returns a float, or an array of terms that are summed.
    x : ndarray, float64, not empty
    analytic : ndarray, shape of x
    rtol : float
        Largest error, relative to the larger of the two values and of `FLOOR`.
    subject : str
        What the error message calls the gradient.

    Raises
    ------
    CheckFailed
        Naming the element with the largest error, its numeric and its analytic value. It is an AssertionError.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_gradient(lambda x: np.sum(x * x), x, 2 * x)
    >>> check_gradient(lambda x: np.sum(x * x), x, x)
    Traceback (most recent call last):
    ...
    modnet.testing.failure.CheckFailed: gradient[0, 0]: numeric 2, analytic 1, relative error 5.0e-01 (4 of 4 ...
    """
    expect(
        x.dtype == np.float64 and x.size,
        f"{subject}: differences need float64 and at least one element, got {x.dtype}, {x.shape}",
    )
    expect(analytic.shape == x.shape, f"{subject}: should have shape {x.shape}, got {analytic.shape}")
    numeric = numeric_gradient(f, x)
    error = _error(numeric, analytic)
    for index in map(tuple, np.argwhere(~(error <= rtol))):  # NaN is wrong, too
        better = min(_error(each, analytic[index]) for each in _fourth_order(f, x.copy(), index))
        error[index] = np.fmin(error[index], better)
    wrong = ~(error <= rtol)
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), x.shape)
        raise CheckFailed(
            f"{element(subject, worst)}: numeric {numeric[worst]:.9g}, analytic {analytic[worst]:.9g}, relative error "
            f"{error[worst]:.1e}{counted(wrong, f'are off by more than {rtol:g}')}"
        )


def check_network(
    layers: Module | Sequence[Module],
    input_shape: Shape,
    *,
    rows: int = ROWS,
    x: Array | None = None,
    training: bool = True,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Compare the gradients of all parameters and of the input of a network with central differences of Σ dy ∘ y.

    Parameters
    ----------
    layers : Module or sequence of Module
    input_shape : tuple of int
        Shape per row.
    rows : int
    x : ndarray, shape (n, *input_shape), optional
        The input; default: `rows` rows of normal numbers.
    training : bool
        Whether links run in training mode. Every evaluation sees the same noise and the same state.
    rtol : float
    seed : int
        Of θ, x, dy and the noise.

    Raises
    ------
    CheckFailed
        Naming the parameter and the element: ``layers[0].W[2, 1]: numeric …, analytic …``.

    Examples
    --------
    >>> from modnet.layers import Dense
    >>> check_network([Dense(3, "tanh"), Dense(2)], (4,))
    """
    if x is None:
        x = np.random.default_rng([seed, 1]).normal(size=(rows, *input_shape))
    modules = [layers] if isinstance(layers, Module) else layers
    check_problem(Problem(modules, x, input_shape=input_shape, training=training, seed=seed), rtol=rtol)


def check_problem(problem: Problem, *, rtol: float = 1e-6) -> None:
    """Compare the gradients of a problem with central differences, element by element."""
    results = problem.run()
    J = _Objective(problem)
    if problem.network.links[0].module.takes_codes:
        expect(not results.dx.any(), "dx is not zero, though x holds codes, and there is nothing between two codes")
    elif not problem.takes_codes:
        check_gradient(lambda x: J(x, J.theta), problem.x, results.dx, rtol=rtol, subject="dx")
    for name, place in problem.network.layout.places.items():

        def moved(parameter: Array, place: Place = place) -> Array:
            theta = J.theta.copy()
            place.view(theta)[...] = parameter
            return J(problem.x, theta)

        view, gradient = place.view(problem.theta).copy(), place.view(results.gradient)
        check_gradient(moved, view, gradient, rtol=rtol, subject=problem.short(name))


def check_along_lines(problem: Problem, *, lines: int = 2, rtol: float = 1e-7) -> None:
    """Compare the gradients of a problem with differences along random lines: two evaluations each, for any size.

    Where they differ, it is said element by element how; at a kink that a line crosses they agree all the same.
    """
    results, J = problem.run(), _Objective(problem)
    rng = np.random.default_rng(problem.seed)
    size = np.abs(results.gradient).sum() + np.abs(results.dx).sum() + FLOOR
    for _ in range(lines):
        d_theta = rng.choice([-1.0, 1.0], problem.theta.shape)
        d_x = rng.choice([-1.0, 1.0], problem.x.shape) * (not problem.takes_codes)
        right, left = (J(problem.x + h * d_x, problem.theta + h * d_theta) for h in (STEP, -STEP))
        numeric, analytic = np.sum(right - left) / (2 * STEP), results.gradient @ d_theta + np.sum(results.dx * d_x)
        if not abs(numeric - analytic) <= rtol * size:
            check_problem(problem)


class _Objective:
    """J = Σ dy ∘ y of a problem, as terms; every evaluation sees the same noise and the same state."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._noise, self.theta = problem, problem.noise(), problem.theta.copy()
        self._start = self._noise.bit_generator.state
        self._running = problem.replaced(theta=self.theta).running(rng=self._noise)

    def __call__(self, x: Array, theta: Array) -> Array:
        before, self.theta[...] = self.theta.copy(), theta
        self._noise.bit_generator.state = self._start
        self._running.state[...] = self._problem.state
        terms: Array = self._problem.dy * self._running.chain.forward(x)
        self.theta[...] = before
        return terms


def _second_order(f: Terms, x: Array, index: tuple[int, ...]) -> Any:
    """Return (f(x + h) − f(x − h)) / 2h."""
    h = STEP * max(1.0, abs(x[index]))
    left, right = _moved(f, x, index, -h), _moved(f, x, index, h)
    return np.sum(right[0] - left[0]) / (right[1] - left[1])


def _fourth_order(f: Terms, x: Array, index: tuple[int, ...]) -> list[Any]:
    """Return (8 (f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h for two steps."""
    found = []
    for h in {_FOURTH, _FOURTH * max(1.0, abs(x[index]))}:
        near, far = (_moved(f, x, index, k * h)[0] - _moved(f, x, index, -k * h)[0] for k in (1, 2))
        found.append(np.sum(8 * near - far) / (12 * h))
    return found


def _moved(f: Terms, x: Array, index: tuple[int, ...], h: float) -> tuple[Any, Any]:
    """Return f with one element moved by h, and where the element then is."""
    before = x[index]
    x[index] += h
    there = x[index]
    value = f(x)
    x[index] = before
    return value, there


def _error(numeric: Array, analytic: Array) -> Array:
    error: Array = np.abs(numeric - analytic) / np.maximum(np.maximum(np.abs(numeric), np.abs(analytic)), FLOOR)
    return error

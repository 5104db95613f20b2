"""Problems to try modules on: a network of one module with parameters, rows and a gradient, all drawn from a seed.

Their gradients are held against differences of J = Σ dy ∘ y: element by element, or along random lines.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, Self

import numpy as np

from modnet.base import Array, Context, Layout, Module, Place, Shape
from modnet.network import Link, Network
from modnet.network.running import Chain
from modnet.network.trial import adapt
from modnet.testing.comparing import FLOOR, STEP, CheckFailed, check_gradient, expect, expect_same, shown
from modnet.testing.rules import for_cases

ROWS = 4
"""So many rows have problems unless they say otherwise."""


class Results(NamedTuple):
    """What a pass through a network gives: y, ∇J(θ), ∂J/∂x, and the state after it."""

    y: Array
    gradient: Array
    dx: Array
    state: Array


class Problem:
    """A network and all that a pass through it needs.

    First values are shaken: of a bias that is zero a slip would not show. Layers that adapt have seen rows, and running
    statistics have run.

    Parameters
    ----------
    layers : sequence of Module
    x : ndarray, shape (n, *input_shape), float64
    input_shape : tuple of int, optional
        With columns where names matter; default: that of x.
    data : ndarray, shape (m, *input_shape), optional
        Rows to adapt to; default: x.
    dtype : dtype
        Of all arrays.
    training : bool
        The mode of passes.
    seed : int
        Of θ, dy and the noise.

    Attributes
    ----------
    modules : tuple of Module
    network : Network
    theta, state, x, dy : ndarray
        dy is the gradient of J with respect to the output; J = Σ dy ∘ y.
    """

    def __init__(
        self,
        layers: Sequence[Module],
        x: Array,
        *,
        input_shape: Shape | None = None,
        data: Array | None = None,
        dtype: Any = np.float64,
        training: bool = False,
        seed: int = 0,
    ) -> None:
        self.modules = tuple(layers)
        self.network = Network(self.modules, x.shape[1:] if input_shape is None else input_shape)
        self.training, self.seed = training, seed
        rng = np.random.default_rng(seed)
        self.theta, self.state = self.network.initialize(rng, dtype)
        self.theta += rng.normal(scale=0.1, size=self.theta.size).astype(dtype)
        for name, constraint in self.network.layout.constraints.items():
            constraint.project(self.network.layout.places[name].view(self.theta))
        self.x = x.astype(dtype)
        self.dy = rng.normal(size=(len(x), *self.network.output_shape)).astype(dtype)
        if self.state.size:
            data = self.x if data is None else data.astype(dtype)
            adapt(self.network, self.theta, self.state, data)
            running = self.replaced(x=data, training=True).running()
            for rows in (data, data[::-1]):
                running.chain.forward(rows)
            self.state = running.state

    @classmethod
    def of(
        cls, module: Module, rows: int = ROWS, *, features: int | None = None, scale: float = 1.0, **options: Any
    ) -> Self:
        """Return a problem for a module, with rows that it says it can take."""
        rng = np.random.default_rng([options.get("seed", 0), 1])
        data, x = module.example_rows(rng, 8), module.example_rows(rng, max(rows, 1))[:rows]
        right = isinstance(x, np.ndarray) and x.dtype == np.float64 and len(x) == rows and x.ndim > 1
        got = f"{type(x).__name__} of shape {np.shape(x)}, dtype {np.asarray(x).dtype}"
        expect(right, f"example_rows(rng, {rows}) should return {rows} rows of float64, got {got}")
        columns = np.arange(x.shape[-1] if features is None else features) % x.shape[-1]
        x, data = (np.ascontiguousarray(each[..., columns]) for each in (scale * x, data))
        return cls([module], x, data=data, **options)

    @property
    def takes_codes(self) -> bool:
        """Whether x holds codes, along which there is no derivative."""
        return any(link.module.takes_codes for link in self.network.walk())

    def noise(self) -> np.random.Generator:
        """Return the source of randomness of a pass, at its start."""
        return np.random.default_rng([self.seed, 2])

    def replaced(self, **arrays: Any) -> Self:
        """Return the same problem with other arrays or settings."""
        other = copy.copy(self)
        vars(other).update(arrays)
        return other

    def astype(self, dtype: Any) -> Self:
        """Return a problem with the same numbers in another dtype."""
        return self.replaced(**{name: getattr(self, name).astype(dtype) for name in ("theta", "state", "x", "dy")})

    def running(self, *, buffers: bool = True, rng: np.random.Generator | None = None) -> "Running":
        """Return what sends rows through the links; buffers, if there are any, hold NaN, as does the gradient."""
        gradient, state = np.full_like(self.theta, np.nan), self.state.copy()
        vectors = {"p": self.theta, "g": gradient, "s": state}
        settings = {"training": self.training, "rng": self.noise() if rng is None else rng}
        contexts = [self._context(link, vectors, settings, buffers) for link in self.network.links]
        return Running(self, Chain(self.network.links, contexts), contexts, gradient, state)

    def run(self, *, buffers: bool = True, rng: np.random.Generator | None = None) -> Results:
        """Send the rows forward and dy back."""
        return self.running(buffers=buffers, rng=rng).run(self.x, self.dy)

    def named(self, results: Results) -> dict[str, Array]:
        """Return results by name, the gradient parameter by parameter."""
        gradients = self._named(self.network.layout, results.gradient, "∂J/∂{}")
        state = self._named(self.network.state_layout, results.state, "ctx.s.{}")
        return {"y": results.y, **gradients, "dx": results.dx, **state}

    def expect_same(
        self, found: Results, expected: Results, here: str, there: str, *, rtol: float = 0, atol: float = 0
    ) -> None:
        """Compare results, name by name; see `comparing.expect_same`."""
        others = self.named(expected)
        for name, array in self.named(found).items():
            expect_same(name, array, others[name], here, there, rtol=rtol, atol=atol)

    def example(self) -> str:
        """Return the problem as a failed check shows it."""
        rows, features = len(self.x), " × ".join(map(str, self.x.shape[1:]))
        head = f"{rows} row{'s' * (rows != 1)} of {features} feature{'s' * (features != '1')} in {self.x.dtype}, "
        mode = "training" if self.training else "prediction"
        own = self._named(self.network.layout, self.theta) | self._named(self.network.state_layout, self.state)
        return f"{head}{mode}, seed {self.seed}\n{shown({'x': self.x, 'dy': self.dy, **own})}"

    def short(self, name: str) -> str:
        """Return a parameter's name without the path of the only layer."""
        return name.removeprefix("layers[0].") if len(self.modules) == 1 else name

    def _named(self, layout: Layout, vector: Array, form: str = "{}") -> dict[str, Array]:
        return {form.format(self.short(name)): place.view(vector) for name, place in layout.places.items()}

    def _context(self, link: Link, vectors: Mapping[str, Array], settings: Mapping[str, Any], buffers: bool) -> Context:
        memory: dict[str, Any] = {
            name: SimpleNamespace(**{key: place.view(vectors[name]) for key, place in places.items()})
            for name, places in (("p", link.places), ("g", link.places), ("s", link.state_places))
        }
        for name, shape in {"out": link.output_shape, "dx": link.input_shape}.items():
            memory[name] = np.full((len(self.x), *shape), np.nan, self.theta.dtype) if buffers else None
        inside = [[self._context(each, vectors, settings, buffers) for each in chain] for chain in link.chains]
        children = tuple(Chain(chain, contexts) for chain, contexts in zip(link.chains, inside, strict=True))
        return Context(children=children, input_shape=link.input_shape, **memory, **settings)


class Running(NamedTuple):
    """A pass with a context for each link, and the vectors of the gradient and the state that it writes to."""

    problem: Problem
    chain: Chain
    contexts: Sequence[Context]
    gradient: Array
    state: Array

    def run(self, x: Array, dy: Array) -> Results:
        """Send rows forward and dy back, from the state that the problem has."""
        self.state[...] = self.problem.state
        y = _array("forward", self.chain.forward(x)).copy()
        self.chain.grad_params(dy)
        return Results(y, self.gradient, _array("grad_input", self.chain.grad_input()), self.state)


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
        What stands in the network, from the input on.
    input_shape : tuple of int
        Shape per row.
    rows : int
        How many, ≥ 1.
    x : ndarray, shape (n, *input_shape), optional
        The input; default: `rows` rows of normal numbers.
    training : bool
        Whether links run in training mode. Every evaluation sees the same noise and the same state.
    rtol : float
        Largest error, relative to the larger of the two values.
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


def check_along_lines(problem: Problem) -> None:
    """Compare the gradients of a problem with differences along two random lines: two evaluations each, for any size.

    Where they differ, it is said element by element how; at a kink that a line crosses they agree all the same.
    """
    results, J = problem.run(), _Objective(problem)
    rng = np.random.default_rng(problem.seed)
    size = np.abs(results.gradient).sum() + np.abs(results.dx).sum() + FLOOR
    for _ in range(2):
        d_theta = rng.choice([-1.0, 1.0], problem.theta.shape)
        d_x = rng.choice([-1.0, 1.0], problem.x.shape) * (not problem.takes_codes)
        right, left = (J(problem.x + h * d_x, problem.theta + h * d_theta) for h in (STEP, -STEP))
        numeric, analytic = np.sum(right - left) / (2 * STEP), results.gradient @ d_theta + np.sum(results.dx * d_x)
        if not abs(numeric - analytic) <= 1e-7 * size:
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


def for_problems(**given: Sequence[Any]) -> Callable[[Callable[[Problem], None]], Callable[[Module], None]]:
    """Make a check of a module out of a check of problems, in prediction and training unless `given` says otherwise."""
    values = {"rows": (ROWS,), "training": (False, True), **given}
    return for_cases(Problem.of, lambda module: values, lambda module, case: _smaller(module, case["rows"]))


def _smaller(module: Module, rows: int) -> Iterator[dict[str, int]]:
    """Return fewer rows and fewer features, from the smallest product on."""
    example = module.example_rows(np.random.default_rng(0), 1)
    width = example.shape[-1]
    features = {1, 2, width} if example.ndim == 2 else {width}
    sizes = sorted(itertools.product({1, 2, 6, 33, rows}, features), key=lambda size: (size[0] * size[1], size))
    for r, d in sizes:
        if r <= rows and d <= width and (r, d) != (rows, width):
            yield {"rows": r, "features": d}


def _array(method: str, found: object) -> Array:
    if not isinstance(found, np.ndarray):  # the message is made only then: to print arrays took half of the time
        raise CheckFailed(f"{method} returned {found!r}, not an array", cause="the `return` left out")
    return found

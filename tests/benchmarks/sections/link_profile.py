"""Profile: where a step's time goes, link by link, and how much of it is matrix products."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from benchmarks.contenders import ACCELERATED, MODNET, named
from benchmarks.contenders.modnet_estimator import estimator
from benchmarks.job import Job, Options, Record
from benchmarks.problem import Array, Case, Problem, preferred
from benchmarks.tables import shown, table
from benchmarks.timing import seconds_of
from modnet import ModNetClassifier
from modnet.acceleration import Engine
from modnet.base import Accelerator
from modnet.network import Link, Pass
from modnet.registry import registry
from modnet.training import Data
from modnet.training.batches import batches, shuffled

TITLE = "Profile"
HOW = """µs per step of modnet. The hook of a pass takes the time between what it sees of each link, medians over steps;
the loop is the training loop's, written out. What a fit of all epochs takes more than one of a single epoch
tells the loop from what is done once per fit (validation, first weights, the trial run); of each the
fastest counts. Products are timed apart: `np.matmul` on arrays of the shapes of a step, in its order, into
arrays that are there, with nothing between them. Where an accelerator has a compiled loop, a fit runs in it, and
links are still timed one by one: "between them" is less than nothing then, by what the loop saves."""

_STEP, _ONCE = ("a step", "all"), ("once per fit", "by the step")
_CASES = ("64-32-10/32", "784-512-256-10/128", "1024-1024-1024-10/1024")


def jobs(options: Options) -> list[Job]:
    """Return a job for each kernel."""
    cases = preferred(options.cases, *_CASES)
    return [Job.of("profile", options, cases=cases, kernel=kernel) for kernel in options.kernels]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Profile modnet without and with its accelerator."""
    engines = [each.name for each in named(job.contenders) if each.name in (MODNET, ACCELERATED)]
    for case in job.cases:
        problem = Problem.of(case, job.dtype, job.threads)
        products = products_of(case, job.dtype)
        for engine in engines:
            try:
                found = {**profiled(problem, engine), **whole(problem, engine, job.rounds)}
            except Exception as error:  # as in `each_ready`
                failures.append(f"{job.title}: {case.name}, {engine}: {type(error).__name__}: {error}")
                continue
            common = {"case": case.name, "engine": engine, "products": products}
            for (part, method), us in found.items():
                yield {**common, "part": part, "method": method, "us": us}


def installed(engine: str) -> Accelerator | None:
    """Return the accelerator that "auto" stands for, or None for modnet's own engine."""
    entries = registry.entries("accelerator") if engine == ACCELERATED else ()
    return registry.get("accelerator", entries[0].name)() if entries else None


def whole(problem: Problem, engine: str, rounds: int) -> dict[tuple[str, str], float]:
    """Return the µs per step of the whole fit: of each step, and of what is done once."""
    case = problem.case
    short = replace(problem, case=replace(case, epochs=1))
    one, all_epochs = _fastest(short, engine, rounds), _fastest(problem, engine, rounds)
    epoch = (all_epochs - one) / (case.epochs - 1)
    per_step, once = epoch * case.epochs / case.steps, (one - epoch) / case.steps
    return {_STEP: 1e6 * per_step, _ONCE: 1e6 * once}


def _fastest(problem: Problem, engine: str, rounds: int) -> float:
    return min(seconds_of(lambda: _fitted(problem, engine)) for _ in range(rounds))


def _fitted(problem: Problem, engine: str) -> ModNetClassifier:
    return estimator(problem, "auto" if engine == ACCELERATED else None).fit(problem.X, problem.y)


def profiled(problem: Problem, engine: str) -> dict[tuple[str, str], float]:
    """Return the µs per step of each part and method."""
    case, model = problem.case, _fitted(problem, engine)
    dtype, optimizer = model.theta_.dtype, model.spec_.optimizer
    runs = Engine(model.network_, model.spec_.loss, optimizer, installed(engine), dtype)
    network, rule = runs.network, runs.rule
    theta, gradient = model.theta_.copy(), np.zeros_like(model.theta_)
    state, clock, rng = optimizer.init(theta, model.network_.layout), Clock(), np.random.default_rng(0)
    running = Pass(
        network, theta, model.state_.copy(), gradient=gradient, rows=case.batch_size, training=True, hook=clock.hook
    )
    draw = np.empty((case.batch_size, *network.output_shape), dtype)
    t = problem.y[:, None].astype(dtype) if case.outputs == 1 else problem.y
    runs.compare_loss(t)
    data, loss = Data(problem.X, t), runs.loss

    def step(batch: Data) -> None:
        raw = running.forward(batch.x)
        _, found = clock.call("loss", "value, ∂J/∂raw", lambda: loss.value_and_gradient(batch.t, raw, out=draw))
        running.backward(found)
        clock.call("optimizer", "step", lambda: optimizer.update(theta, gradient, state, rule=rule))

    for _ in range(case.epochs):
        gathered = batches(data, case.batch_size, shuffled(len(data), case.batch_size, rng))
        while (batch := clock.call("rows", "gather", next, gathered, None)) is not None:
            step(batch)
    return clock.us_per_step(case.steps)


class Clock:
    """Times calls, by the part and the method that they belong to."""

    _METHODS: ClassVar[dict[str, str]] = {"y": "forward", "dx": "backward"}

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._last = 0.0

    def call(self, part: str, method: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call something, and take the time."""
        started = time.perf_counter()
        found = call(*arguments)
        self._seconds[part, method].append(time.perf_counter() - started)
        return found

    def hook(self, link: Link, event: str, array: Array) -> None:
        """Take the time when something passes a link: backward, "dx" of one link is "dy" of the one before it."""
        now, method = time.perf_counter(), self._METHODS.get(event)
        if method is not None:
            self._seconds[link.title, method].append(now - self._last)
        self._last = time.perf_counter()

    def us_per_step(self, steps: int) -> dict[tuple[str, str], float]:
        """Return medians; of what is not done in every step (rows are gathered by the megabyte), means."""
        return {
            key: 1e6 * (sum(found) / steps if key[1] == "gather" else statistics.median(found))
            for key, found in self._seconds.items()
        }


def products_of(case: Case, dtype: str) -> float:
    """Return the µs of the matrix products of a step: x W, xᵀ dz, and dz Wᵀ for all layers but the first."""
    rng, n = np.random.default_rng(0), case.batch_size
    products: list[tuple[Array, Array, Array]] = []
    for i, (n_in, n_out) in enumerate(case.layers):
        x, W, dz = (rng.normal(size=shape).astype(dtype) for shape in ((n, n_in), (n_in, n_out), (n, n_out)))
        forward, dW, dx = (x, W, np.empty_like(dz)), (x.T, dz, np.empty_like(W)), (dz, W.T, np.empty_like(x))
        products = [*products, forward, dW] if i == 0 else [forward, *products, dW, dx]

    def step() -> None:
        for a, b, out in products:
            np.matmul(a, b, out=out)

    step()
    return 1e6 * statistics.median(seconds_of(step) for _ in range(min(200, case.steps)))


def tables(records: Sequence[Record]) -> str:
    """Return a table for each net and engine."""
    parts = []
    for case, engine, kernel in dict.fromkeys((each["case"], each["engine"], each["kernel"]) for each in records):
        mine = [each for each in records if (each["case"], each["engine"], each["kernel"]) == (case, engine, kernel)]
        us = {(each["part"], each["method"]): each["us"] for each in mine}
        step, once = us.pop(_STEP), us.pop(_ONCE)
        rows = [*sorted(us.items(), key=lambda item: -item[1]), (("between them", "loop"), step - sum(us.values()))]
        rows += [(_ONCE, once), (("the whole fit", "per step"), step + once)]
        rows.append((("of it: matrix products", "alone"), mine[0]["products"]))
        parts.append(f"### {case}, {engine}{f', kernel {kernel}' if kernel else ''}")
        cells = [[*key, shown(each), f"{100 * each / (step + once):.0f}"] for key, each in rows]
        parts.append(table(["part", "", "µs", "%"], cells, left=2))
    return "\n\n".join(parts)


def share(records: Sequence[Record], case: str, engine: str, kernel: str | None) -> float | None:
    """Return the share of a step that is matrix products; None if it was not measured."""
    for each in records:
        found = each["case"], each["engine"], each["kernel"], (each["part"], each["method"])
        if found == (case, engine, kernel, _STEP):
            return float(each["products"] / each["us"])
    return None

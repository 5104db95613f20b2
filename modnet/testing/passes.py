"""The contract of modules: what passes, rows, threads and members know of each other, which is nothing."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from modnet.base import Array
from modnet.network.adapting import adapt
from modnet.testing.failure import expect, expect_same
from modnet.testing.modules import FLOATS, expect_finite
from modnet.testing.problems import Problem, Results, for_problems
from modnet.testing.rules import global_randomness_untouched, nothing_kept, rule

_THREADS = 4


@rule("self.x = x, a list on the class, a cached property: what belongs to a pass is in ctx.x, ctx.y and ctx.scratch")
@for_problems()
def the_component_keeps_nothing(problem: Problem) -> None:
    """A component holds numbers somebody chose, never arrays it met: passes leave it and its class as they were."""
    with nothing_kept(problem.modules[0]):
        problem.run()


@rule("memory that is expected to be new or to hold zeros, or something kept outside of the context")
@for_problems()
def one_pass_is_like_another(problem: Problem) -> None:
    """The same rows and noise give the same results to the last bit, whatever was run before."""
    expected = problem.run()
    problem.expect_same(problem.run(), expected, "when run again", "the first time")
    noise = problem.noise()
    start = noise.bit_generator.state
    running, gradient, state = problem.passing(noise)
    for x, dy in ((problem.x[::-1], 3 * problem.dy), (problem.x, problem.dy)):
        noise.bit_generator.state = start
        state[...] = problem.state
        y = running.forward(x).copy()
        running.backward(dy)
        dx = running.input_gradient().copy()
    problem.expect_same(Results(y, gradient, dx, state), expected, "behind another batch", "the first time")


@rule("np.random.…, random.… or a generator made in the module: draw from ctx.rng")
@for_problems()
def randomness_comes_from_the_context(problem: Problem) -> None:
    """The only source of randomness is ctx.rng: one seed, one result, and nobody else's numbers are drawn."""
    before = np.random.get_state()  # noqa: NPY002  # what a module might draw from
    try:
        results = []
        for seed in (0, 1):
            np.random.seed(seed)  # noqa: NPY002
            with global_randomness_untouched():
                results.append(problem.run())
    finally:
        np.random.set_state(before)  # noqa: NPY002
    problem.expect_same(results[0], results[1], "with one seed", "with the same seed again")


@rule("`if ctx.training:` left out: running statistics move, and masks are drawn, in training only")
@for_problems(training=(False,))
def prediction_is_a_function_of_the_rows(problem: Problem) -> None:
    """Outside of training ctx.rng counts for nothing, and ctx.s stays as it is."""
    results = problem.run(rng=np.random.default_rng(1))
    problem.expect_same(results, results._replace(state=problem.state), "after prediction", "before")
    other = problem.run(rng=np.random.default_rng(2))
    expect_same("y", results.y, other.y, "with one seed", "with another")


@rule("statistics of the batch where the running ones are wanted, or a sum over the wrong axis: rows are axis −2")
@for_problems(training=(False,))
def rows_do_not_depend_on_each_other_in_prediction(problem: Problem) -> None:
    """In prediction y and dx of a row are the same whatever other rows are in the batch, to 1e-12."""
    together = problem.run()
    for row in range(len(problem.x)):
        alone = problem.row(row).run()
        for name, one, all_ in (("y", alone.y, together.y), ("dx", alone.dx, together.dx)):
            scale = 1e-13 * np.abs(all_).max(initial=1.0)
            expect_same(name, one, all_[row : row + 1], f"in row {row} alone", "among others", rtol=1e-12, atol=scale)


@rule("arrays kept on the component or in a module-level buffer: memory for a pass is ctx.scratch(…)")
@for_problems()
def threads_do_not_meet(problem: Problem) -> None:
    """Any number of threads can run one component at the same time, each with its own contexts."""
    problems = [_other(problem, seed) for seed in range(_THREADS)]
    expected = [each.run() for each in problems]
    gate = threading.Barrier(_THREADS, timeout=30)
    with _frequent_switches(), ThreadPoolExecutor(_THREADS) as pool:
        runs = [pool.submit(_through, partial(_twice, each, gate), gate) for each in problems]
        errors = [run.exception() for run in runs]
    for error in errors:
        if error is not None and not isinstance(error, threading.BrokenBarrierError):
            raise error
    for each, run, results in zip(problems, runs, expected, strict=True):
        for found in run.result():
            each.expect_same(found, results, "in a thread among others", "alone")


@rule(
    "statistics that start anew with every block, or a mean of means: blocks have different lengths",
    applies=lambda module: module.adapts,
)
@for_problems(rows=(12,), training=(False,))
def adapting_in_blocks_is_adapting_at_once(problem: Problem) -> None:
    """What `adapt` takes note of does not depend on how rows come in blocks; a row of weight k counts as k rows."""
    n, close = len(problem.x), {"rtol": 1e-9, "atol": 1e-12}
    counts, blocks = np.resize([1, 3, 2], n), [slice(0, n // 2), slice(n // 2, n // 2 + 1), slice(n // 2 + 1, n)]
    for weight in (None, counts.astype(float)):
        whole = _adapted(problem, problem.x, weight, [slice(0, n)])
        parts = _adapted(problem, problem.x, weight, blocks)
        weighted = "" if weight is None else " with weights"
        expect_same("y", parts, whole, f"after three blocks{weighted}", f"after one{weighted}", **close)
    repeated = _adapted(problem, problem.x.repeat(counts, axis=0), None, [slice(0, counts.sum())])
    expect_same("y", whole, repeated, "after rows with weights", "after rows repeated", **close)


@rule(
    "np.matmul or np.sum, which take no sparse matrix: x @ W, or a branch for it",
    applies=lambda module: module.takes_sparse,
)
@for_problems(rows=(6,), training=(True,), dtype=FLOATS)
def sparse_rows_give_what_dense_rows_give(problem: Problem) -> None:
    """With takes_sparse, rows in a CSR matrix give the same output and gradients as in an array."""
    problem.x[problem.x < 0] = 0
    dense = problem.run()
    for kind in (sparse.csr_array, sparse.csr_matrix):
        running, gradient, _ = problem.passing()
        y = running.forward(kind(problem.x))
        running.backward(problem.dy)
        expect(isinstance(y, np.ndarray), f"y of a sparse x should be an array, got {type(y).__name__}")
        found = dense._replace(y=y, gradient=gradient)
        for name, array in problem.named(found).items():
            expect(array.dtype == problem.x.dtype, f"{name} of sparse rows is {array.dtype}, x {problem.x.dtype}")
        problem.expect_same(found, dense, f"for a {kind.__name__}", "for an array", rtol=1e-4, atol=1e-5)


@rule("NaN compared or multiplied before it is replaced", applies=lambda module: module.takes_missing)
@for_problems()
def missing_values_give_finite_results(problem: Problem) -> None:
    """With takes_missing, NaN in x stands for a missing value, and results are finite."""
    problem.x[0] = np.nan
    problem.x[-1, ..., 0] = np.nan
    expect_finite(problem)


def _other(problem: Problem, seed: int) -> Problem:
    """Return a problem like this one with other numbers."""
    (module,), rows = problem.modules, len(problem.x)
    options: dict[str, Any] = {"training": problem.training, "dtype": problem.theta.dtype, "seed": seed + 1}
    return Problem.of(module, rows, features=problem.x.shape[-1], **options)


def _twice(problem: Problem, gate: threading.Barrier) -> list[Results]:
    """Run a problem in step with the others: all are forward before one goes back."""
    gate.wait()
    return [problem.run(between=gate.wait) for _ in range(2)]


def _through(work: Callable[[], list[Results]], gate: threading.Barrier) -> list[Results]:
    """Do the work; if it fails, let those who wait for it go."""
    try:
        return work()
    except BaseException:
        gate.abort()
        raise


@contextmanager
def _frequent_switches() -> Iterator[None]:
    """Let threads take turns more often than they usually do, so that they get into each other's way."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def _adapted(problem: Problem, x: Array, weight: Array | None, blocks: list[slice]) -> Array:
    """Return what the module predicts after it has seen rows in blocks."""
    theta, state = problem.network.initialize(np.random.default_rng(0))
    for block in blocks:
        adapt(problem.network, theta, state, x[block], None if weight is None else weight[block])
    return problem.replaced(theta=theta, state=state).run().y


RULES = (
    the_component_keeps_nothing,
    one_pass_is_like_another,
    randomness_comes_from_the_context,
    prediction_is_a_function_of_the_rows,
    rows_do_not_depend_on_each_other_in_prediction,
    threads_do_not_meet,
    adapting_in_blocks_is_adapting_at_once,
    sparse_rows_give_what_dense_rows_give,
    missing_values_give_finite_results,
)

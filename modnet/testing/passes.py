"""The contract of modules: passes, rows, threads and processes, none of which may depend on another."""

import opcode
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.random import default_rng
from scipy import sparse

from modnet.base import Array, Column, Module, TableShape
from modnet.network import Network, Pass
from modnet.testing.comparing import expect, expect_same
from modnet.testing.modules import FLOATS, MANY, expect_finite
from modnet.testing.problems import ROWS, Problem, for_problems
from modnet.testing.rules import Rules, interleaved, no_other_randomness, nothing_kept, traced

RULES = Rules()
_PROCESSES = 5
"""How many orders of sets are tried, where a set is met at all; each takes the start of an interpreter."""

_NAMES = "import pickle, sys; module, shape = pickle.load(sys.stdin.buffer); print(*module.parameters(shape))"


@RULES.add(for_problems())
def the_component_keeps_nothing(problem: Problem) -> None:
    """A component holds numbers somebody chose, never arrays it met: passes leave it and its class as they were.

    Usually: self.x = x, a list on the class, a cached property: what belongs to a pass is in ctx.x, ctx.y and
    ctx.scratch
    """
    with nothing_kept(problem.modules[0]):
        problem.run()


@RULES.add(for_problems())
def one_pass_is_like_another(problem: Problem) -> None:
    """The same rows and noise give the same results to the last bit, whatever was run before.

    Usually: memory that is expected to be new or to hold zeros, or something kept outside of the context
    """
    expected = problem.run()
    problem.expect_same(problem.run(), expected, "when run again", "the first time")
    noise = problem.noise()
    start = noise.bit_generator.state
    running = problem.running(rng=noise)
    running.run(problem.x[::-1], 3 * problem.dy)
    noise.bit_generator.state = start
    found = running.run(problem.x, problem.dy)
    problem.expect_same(found, expected, "behind another batch", "the first time")


@RULES.add(for_problems())
def randomness_comes_from_the_context(problem: Problem) -> None:
    """The only source of randomness is the rng that is given: one seed, one result, and nobody else's numbers.

    Usually: np.random.…, random.… or a generator made in the module: draw from ctx.rng, and first values by an
    initializer
    """
    with no_other_randomness(problem.modules[0]):
        problem.run()
        networks = [Network(problem.modules, problem.network.input_shape) for _ in range(2)]
        one, other = (network.initialize(default_rng(0))[0] for network in networks)
    expect_same("θ", other, one, "with one seed", "with the same seed before")


@RULES.add()
def parameters_have_one_order_in_all_processes(module: Module) -> None:
    """`parameters` names them in the same order in every process: by it θ is laid out.

    Usually: names taken from a set, whose order is another in each process: take them from a tuple or a dict
    """
    shape = module.example_rows(default_rng(0), 1).shape[1:]
    names = list(module.parameters(shape))
    if len(names) < 2 or not _meets_a_set(module, shape):
        return
    given = pickle.dumps((module, shape))
    for seed in map(str, range(_PROCESSES)):
        settings = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", _NAMES]
        run = subprocess.run(command, input=given, env=settings, capture_output=True, check=False)
        there = run.stdout.decode().split()
        if run.returncode == 0:  # else the class cannot be imported there, which is the business of other checks
            text = f"parameters({shape}) names {', '.join(names)} here, and {', '.join(there)} in a process with"
            expect(there == names, f"{text} PYTHONHASHSEED={seed}")


@RULES.add(for_problems(rows=(ROWS, MANY), training=(False,)))
def prediction_is_a_function_of_the_rows(problem: Problem) -> None:
    """Outside of training ctx.rng counts for nothing, and ctx.s stays as it is.

    Usually: `if ctx.training:` left out: running statistics move, and masks are drawn, in training only
    """
    results = problem.run(rng=np.random.default_rng(1))
    problem.expect_same(results, results._replace(state=problem.state), "after prediction", "before")
    other = problem.run(rng=np.random.default_rng(2))
    expect_same("y", results.y, other.y, "with one seed", "with another")


@RULES.add(for_problems(rows=(ROWS, MANY), training=(False,)))
def rows_do_not_depend_on_each_other_in_prediction(problem: Problem) -> None:
    """In prediction y and dx of a row are the same whatever other rows are in the batch, and wherever it is in it.

    Usually: statistics of the batch where the running ones are wanted, or a sum over the wrong axis: rows are axis −2
    """
    together, n = problem.run(), len(problem.x)
    chosen = [(np.arange(n)[::-1], "in reverse order"), *((np.array([row]), "alone") for row in {*range(4), n - 1})]
    for rows, how in chosen:
        found = problem.replaced(x=problem.x[rows], dy=problem.dy[rows]).run()
        for name, some, all_ in (("y", found.y, together.y), ("dx", found.dx, together.dx)):
            close = {"rtol": 1e-12, "atol": 1e-13 * np.abs(all_).max(initial=1.0)}
            expect_same(name, some, all_[rows], f"in row {rows[0]} {how}", "among others", **close)


@RULES.add(for_problems())
def threads_do_not_meet(problem: Problem) -> None:
    """Any number of threads can run one component at the same time, each with its own contexts.

    Usually: arrays kept on the component or in a module-level buffer: memory for a pass is ctx.scratch(…)
    """
    anew: dict[str, Any] = {"training": problem.training, "dtype": problem.theta.dtype, "seed": problem.seed + 1}
    other = Problem.of(problem.modules[0], len(problem.x), features=problem.x.shape[-1], **anew)
    expected = problem.run()
    again = other.running()
    found = interleaved(problem.run, lambda: again.run(other.x, other.dy))
    problem.expect_same(found, expected, "while another thread runs it, too", "alone")


@RULES.add(for_problems(rows=(12,), training=(False,)), applies=lambda module: module.adapts)
def adapting_in_blocks_is_adapting_at_once(problem: Problem) -> None:
    """What `adapt` takes note of does not depend on how rows come in blocks; a row of weight k counts as k rows.

    Usually: a mean of means: blocks have different lengths; or rows kept that were not copied
    """
    n, close = len(problem.x), {"rtol": 1e-9, "atol": 1e-12}
    counts, blocks = np.resize([1, 3, 2], n), [slice(0, n // 2), slice(n // 2, n // 2 + 1), slice(n // 2 + 1, n)]
    for weight, weighted in ((None, ""), (counts.astype(float), " with weights")):
        whole = _adapted(problem, problem.x, weight, [slice(0, n)])
        parts = _adapted(problem, problem.x, weight, blocks)
        expect_same("y", parts, whole, f"after three blocks{weighted}", f"after one{weighted}", **close)
    repeated = _adapted(problem, problem.x.repeat(counts, axis=0), None, [slice(0, counts.sum())])
    expect_same("y", whole, repeated, "after rows with weights", "after rows repeated", **close)


@RULES.add(for_problems(rows=(ROWS, MANY)), applies=lambda module: module.fixed)
def fixed_layers_do_in_training_what_they_do_in_prediction(problem: Problem) -> None:
    """With fixed, y depends on x and on what `adapt` has noted alone: the same in training, whatever came before.

    Usually: noise, statistics of the batch, or trainable parameters: such a layer is not fixed
    """
    expect(not problem.theta.size, f"it has {problem.theta.size} trainable numbers, which change from step to step")
    predicted = problem.replaced(training=False).run()
    for seed in (1, 2):
        found = problem.replaced(training=True).run(rng=np.random.default_rng(seed))
        expect_same("y", found.y, predicted.y, "in training", "in prediction")
        expect_same("the state", found.state, problem.state, "after training", "before")


@RULES.add(for_problems(rows=(6,), training=(True,), dtype=FLOATS), applies=lambda module: module.takes_sparse)
def sparse_rows_give_what_dense_rows_give(problem: Problem) -> None:
    """With takes_sparse, rows in a CSR matrix give the same output and gradients as in an array.

    Usually: np.matmul or np.sum, which take no sparse matrix: x @ W, or a branch for it
    """
    problem.x[problem.x < 0] = 0
    dense = problem.run()
    for kind in (sparse.csr_array, sparse.csr_matrix):
        running = problem.running()
        y = running.chain.forward(kind(problem.x))
        running.chain.grad_params(problem.dy)
        expect(isinstance(y, np.ndarray), f"y of a sparse x should be an array, got {type(y).__name__}")
        found = dense._replace(y=y, gradient=running.gradient)
        for name, array in problem.named(found).items():
            expect(array.dtype == problem.x.dtype, f"{name} of sparse rows is {array.dtype}, x {problem.x.dtype}")
        problem.expect_same(found, dense, f"for a {kind.__name__}", "for an array", rtol=1e-4, atol=1e-5)


@RULES.add(for_problems(), applies=lambda module: module.takes_missing)
def missing_values_give_finite_results(problem: Problem) -> None:
    """With takes_missing, NaN in x stands for a missing value, and results are finite.

    Usually: NaN compared or multiplied before it is replaced
    """
    problem.x[0] = np.nan
    problem.x[-1, ..., 0] = np.nan
    expect_finite(problem)


def _meets_a_set(module: Module, shape: tuple[int, ...]) -> bool:
    """Whether `parameters`, or what it calls in the component's own package, has to do with a set."""
    packages = {cls.__module__.partition(".")[0] for cls in type(module).__mro__} - {"modnet", "builtins", "abc"}
    met = []

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in packages:
            code = frame.f_code
            named = [frame.f_globals.get(name, getattr(module, name, None)) for name in code.co_names]
            words = {*code.co_names, *(opcode.opname[each] for each in code.co_code[::2])}
            met.append(bool(words & {"BUILD_SET", "SET_ADD", "SET_UPDATE", "set", "frozenset"}))
            met.append(any(isinstance(each, set | frozenset) for each in (*named, *code.co_consts)))

    with traced(look):
        module.parameters(shape)
    return any(met)


def _adapted(problem: Problem, x: Array, weight: Array | None, blocks: list[slice]) -> Array:
    """Return what the module predicts after it has seen rows in blocks, all in the memory of the first."""
    theta, state = problem.network.initialize(default_rng(0))
    before, memory = state.copy(), np.empty_like(x)
    (link,) = (link for link in problem.network.links if link.module is problem.modules[0])

    def arriving() -> Iterator[tuple[Array, Array | None]]:
        for block in blocks:
            part = memory[: block.stop - block.start]
            part[...] = x[block]
            yield part, None if weight is None else weight[block]
        memory.fill(len(blocks))  # what is read now is not what was shown

    link.module.adapt(Pass(problem.network, theta, state, rows=0).context_of(link), arriving())
    expect(not np.array_equal(state, before), "adapt left the state as it was: write into it, ctx.s.mean[...] = …")
    return problem.replaced(theta=theta, state=state).run().y


@RULES.add(for_problems(training=(False,)))
def columns_that_count_as_unread_are_not_read(problem: Problem) -> None:
    """Fewer columns in output_shape are those columns of x; a module with chains looks at x through them alone.

    Usually: a TableShape returned for columns that were changed, or x itself beside the chains, in an output that does
    not keep its columns: a shortcut is a branch with `identity`
    """
    x, running = problem.x, problem.running()
    if x.ndim != 2 or len(running.contexts) > 1:
        return
    ctx, module = running.contexts[0], problem.network.links[0].module
    y = running.chain.forward(x).copy()
    table = TableShape(Column(str(i)) for i in range(x.shape[1]))
    behind = module.output_shape(table)
    if not isinstance(behind, TableShape):
        outputs = [child.forward(x).copy() for child in ctx.children]
        same: Any = (SimpleNamespace(forward=partial(lambda output, _: output, each)) for each in outputs)
        ctx.children = tuple(same)
        if ctx.children:
            found = module.forward(ctx, x[::-1].copy())
            expect_same("y", found, y, "with another x, and the same out of the chains", "before")
    elif set(behind.names) < set(table.names):
        expect_same("y", y, x[:, list(map(int, behind.names))], "of fewer columns, by their names", "those columns")

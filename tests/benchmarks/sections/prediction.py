"""Prediction: one row, some rows, many rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.contenders import Contender, Trained, named
from benchmarks.job import Job, Options, Record
from benchmarks.problem import Array, Problem, preferred
from benchmarks.tables import shown, table
from benchmarks.timing import Times, each_ready, interleaved

TITLE = "Prediction"
HOW = """µs per call of `predict`, a NumPy array in, a NumPy array of classes out; medians."""

_CASES = ("64-32-10/32", "784-100-10/200", "784-512-256-10/128")


def jobs(options: Options) -> list[Job]:
    """Return one job."""
    return [Job.of("prediction", options, cases=preferred(options.cases, *_CASES))]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time predictions in turn."""
    for case in job.cases:
        problem = Problem.of(replace(case, rows=4 * case.batch_size, epochs=1), job.dtype, job.threads)
        trained = _trained(problem, job, failures)
        X = np.random.default_rng(2).standard_normal((10_000 if job.quick else 100_000, case.sizes[0]), job.dtype)
        for rows in (1, 100, len(X)):
            for name, seconds in _seconds(trained, X[:rows], job, failures).items():
                us = [1e6 * each for each in seconds]
                yield {"case": case.name, "contender": name, "rows": rows, "us": us}


def _trained(problem: Problem, job: Job, failures: list[str]) -> dict[str, Trained]:
    return each_ready(lambda contender: contender.prepare(problem)(), named(job.contenders), failures)


def _seconds(trained: dict[str, Trained], X: Array, job: Job, failures: list[str]) -> dict[str, list[float]]:
    def once(contender: Contender) -> Callable[[], Array]:
        net = trained[contender.name]
        classes = net.predict(X)
        assert classes.shape == (len(X),), f"predict returned shape {classes.shape}"
        return lambda: net.predict(X)

    able = [each for each in named(job.contenders) if each.name in trained]
    return interleaved(each_ready(once, able, failures), job.rounds, at_least=0.02)


def tables(records: Sequence[Record]) -> str:
    """Return the times."""
    contenders = list(dict.fromkeys(each["contender"] for each in records))
    median = {(each["case"], each["rows"], each["contender"]): Times.of(each["us"]).median for each in records}
    rows = [
        [case, str(n), *(shown(median.get((case, n, name))) for name in contenders)]
        for case, n in dict.fromkeys((each["case"], each["rows"]) for each in records)
    ]
    return table(["net", "rows", *contenders], rows)

"""Streams: mini-batches that come one at a time, a step for each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from benchmarks.contenders import Contender, named
from benchmarks.job import Job, Options, Record
from benchmarks.problem import Problem, preferred
from benchmarks.tables import shown, table
from benchmarks.timing import Times, each_ready, interleaved

TITLE = "Streams"
HOW = """µs per call that makes one step on the rows it is given: `partial_fit` of modnet, scikit-learn and skorch,
`train_on_batch` of Keras, a step of the loop of torch, a compiled step of JAX; medians."""

_CASES = ("64-32-10/32", "784-100-10/200")
_ROWS = (1, 32, 256)


def jobs(options: Options) -> list[Job]:
    """Return one job."""
    return [Job.of("stream", options, cases=preferred(options.cases, *_CASES))]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time steps in turn."""
    for case in job.cases:
        problem = Problem.of(replace(case, rows=max(_ROWS)), job.dtype, job.threads)
        for rows in _ROWS:
            for name, seconds in _seconds(problem, rows, job, failures).items():
                us = [1e6 * each for each in seconds]
                yield {"case": case.name, "contender": name, "rows": rows, "us": us}


def _seconds(problem: Problem, rows: int, job: Job, failures: list[str]) -> dict[str, list[float]]:
    X, y = problem.X[:rows], problem.y[:rows]

    def begun(contender: Contender) -> Callable[[], object]:
        step = contender.stream(problem, rows)
        for _ in range(3):
            step(X, y)
        return lambda: step(X, y)

    return interleaved(each_ready(begun, named(job.contenders), failures), job.rounds, at_least=0.02)


def tables(records: Sequence[Record]) -> str:
    """Return the times."""
    contenders = list(dict.fromkeys(each["contender"] for each in records))
    median = {(each["case"], each["rows"], each["contender"]): Times.of(each["us"]).median for each in records}
    rows = [
        [case, str(n), *(shown(median.get((case, n, name))) for name in contenders)]
        for case, n in dict.fromkeys((each["case"], each["rows"]) for each in records)
    ]
    return table(["net", "rows per call", *contenders], rows)

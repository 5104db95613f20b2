"""Training: the whole fit, from arrays to a trained net."""

import time
from collections.abc import Iterator, Sequence

from benchmarks.agreement import disagreements
from benchmarks.contenders import ACCELERATED, MODNET, Contender, named
from benchmarks.job import Job, Options, Record, counted
from benchmarks.problem import Problem, mean_loss
from benchmarks.tables import shown, table
from benchmarks.timing import Times, each_ready, interleaved

TITLE = "Training"
HOW = """µs per step of the whole `fit`, shuffling included; first fits, in which things are compiled, do not count.
Widths / rows per batch. Two classes are one logit for everyone, as in scikit-learn."""


def jobs(options: Options) -> list[Job]:
    """Return a job for every precision and number of threads, and for other kernels one each."""
    chosen, *others = options.kernels
    plain = [
        Job.of("training", options, dtype=dtype, threads=threads, kernel=chosen)
        for dtype in options.dtypes
        for threads in options.threads
    ]
    return [*plain, *(Job.of("training", options, kernel=kernel) for kernel in others)]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time fits in turn, after one of each that shows that they do the same."""
    for case in job.cases:
        wrong: list[str] = []
        yield from _measured(Problem.of(case, job.dtype, job.threads), job, wrong)
        failures += [f"{job.title}: {each}" for each in wrong]


def _measured(problem: Problem, job: Job, wrong: list[str]) -> Iterator[Record]:
    case, contenders, first = problem.case, named(job.contenders), {}
    fits = each_ready(lambda contender: contender.prepare(problem), contenders, wrong)

    def train(contender: Contender) -> float:
        started = time.perf_counter()
        net = fits[contender.name]()
        first[contender.name] = time.perf_counter() - started
        return mean_loss(problem, net.weights())

    losses = each_ready(train, [each for each in contenders if each.name in fits], wrong)
    wrong += disagreements(case.name, case.steps, mean_loss(problem, problem.start), losses)
    for name, seconds in interleaved({name: fits[name] for name in losses}, job.rounds).items():
        yield {
            "case": case.name,
            "contender": name,
            "us": [1e6 * each / case.steps for each in seconds],
            "compiling": max(0.0, first[name] - Times.of(seconds).longest),
            "loss": losses[name],
        }


def ratio(records: Sequence[Record], case: str, peer: str, ours: str) -> float | None:
    """Return a peer's time through modnet's, among the records of one setting; None where one is missing."""
    median = {each["contender"]: Times.of(each["us"]).median for each in records if each["case"] == case}
    return median[peer] / median[ours] if peer in median and ours in median else None


def under(records: Sequence[Record], dtype: str, threads: int, kernel: str | None) -> list[Record]:
    """Return the records of one setting."""
    wanted = {"dtype": dtype, "threads": threads, "kernel": kernel}
    return [record for record in records if all(record[name] == value for name, value in wanted.items())]


def settings(records: Sequence[Record]) -> list[tuple[str, int, str | None]]:
    """Return the settings in the order in which they were measured."""
    return list(dict.fromkeys((each["dtype"], each["threads"], each["kernel"]) for each in records))


def tables(records: Sequence[Record]) -> str:
    """Return ratios and times of every setting."""
    parts = []
    for dtype, threads, kernel in settings(records):
        mine = under(records, dtype, threads, kernel)
        parts.append(f"### {dtype}, {counted(threads)}{f', kernel {kernel}' if kernel else ''}")
        parts += [ratios(mine, ours) for ours in (MODNET, ACCELERATED) if any(r["contender"] == ours for r in mine)]
        parts.append(times(mine))
    return "\n\n".join(parts)


def ratios(records: Sequence[Record], ours: str) -> str:
    """Return the table of how many times as long the others take."""
    cases = list(dict.fromkeys(each["case"] for each in records))
    others = list(dict.fromkeys(each["contender"] for each in records if each["contender"] != ours))
    rows = [[case, *(shown(ratio(records, case, other, ours)) for other in others)] for case in cases]
    return table([f"time / time of {ours}", *others], rows)


def times(records: Sequence[Record]) -> str:
    """Return the table of times."""
    rows = []
    for record in records:
        us = Times.of(record["us"])
        numbers = (us.median, us.shortest, us.longest, record["compiling"], record["loss"])
        rows.append([record["case"], record["contender"], *map(shown, numbers)])
    return table(["net", "contender", "µs per step", "least", "most", "compiling, s", "last loss"], rows, left=2)

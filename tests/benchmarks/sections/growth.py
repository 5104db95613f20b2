"""Growth: how time grows with rows, width, depth and classes, and with data that does not fit."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.contenders import Contender, Fit, named
from benchmarks.job import Job, Options, Record
from benchmarks.problem import Case, Problem
from benchmarks.tables import shown, table
from benchmarks.timing import Times, each_ready, interleaved

TITLE = "Growth"
HOW = """One epoch, the whole `fit`, in µs per step; medians of at most three fits. Data of the last row is a file
mapped to memory."""

_ROUNDS = 3


def grown(*, quick: bool) -> dict[str, list[Case]]:
    """Return what grows, by its name."""
    steps = 10 if quick else 50
    rows = (10_240, 102_400) if quick else (10_240, 102_400, 1_024_000)
    widths = (32, 128) if quick else (32, 128, 512, 2048)
    depths = (1, 4) if quick else (1, 2, 4, 8, 16)
    classes = (10, 1000) if quick else (3, 10, 100, 1000)
    mapped = 20_000 if quick else 200_000
    return {
        "rows": [Case((20, 64, 64, 2), 256, n, 1) for n in rows],
        "width": [Case((64, n, n, 10), 256, 256 * steps, 1) for n in widths],
        "depth": [Case((64, *(64,) * n, 10), 256, 256 * steps, 1) for n in depths],
        "classes": [Case((64, 64, n), 256, 256 * steps, 1) for n in classes],
        "mapped": [Case((784, 100, 10), 200, mapped, 1)],
    }


def jobs(options: Options) -> list[Job]:
    """Return one job; it has cases of its own."""
    return [Job.of("growth", options, cases=(), rounds=min(options.rounds, _ROUNDS))]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time fits in turn."""
    for kind, cases in grown(quick=job.quick).items():
        for case in cases:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "X.bin") if kind == "mapped" else None
                seconds = _seconds(Problem.of(case, job.dtype, job.threads, file), job, failures)
            for name, found in seconds.items():
                us = [1e6 * each / case.steps for each in found]
                yield {"grows": kind, "case": case.name, "rows": case.rows, "contender": name, "us": us}


def _seconds(problem: Problem, job: Job, failures: list[str]) -> dict[str, list[float]]:
    def once(contender: Contender) -> Fit:
        fit = contender.prepare(problem)
        fit()
        return fit

    return interleaved(each_ready(once, named(job.contenders), failures), job.rounds)


def tables(records: Sequence[Record]) -> str:
    """Return µs per step."""
    contenders = list(dict.fromkeys(each["contender"] for each in records))
    keys = list(dict.fromkeys((each["grows"], each["case"], each["rows"]) for each in records))
    median = {
        (each["grows"], each["case"], each["rows"], each["contender"]): Times.of(each["us"]).median for each in records
    }
    rows = [
        [kind, _short(case), str(n), *(shown(median.get((kind, case, n, name))) for name in contenders)]
        for kind, case, n in keys
    ]
    return table(["grows", "net", "rows", *contenders], rows, left=2)


def _short(case: str) -> str:
    """Return a name in which equal widths in a row are counted.

    Examples
    --------
    >>> _short("64-64-64-64-10/256"), _short("20-64-64-2/256")
    ('64×4-10/256', '20-64-64-2/256')
    """
    widths, _, batch_size = case.partition("/")
    parts: list[list[str]] = []
    for width in widths.split("-"):
        if parts and parts[-1][0] == width:
            parts[-1].append(width)
        else:
            parts.append([width])
    return "-".join(f"{p[0]}×{len(p)}" if len(p) > 2 else "-".join(p) for p in parts) + f"/{batch_size}"

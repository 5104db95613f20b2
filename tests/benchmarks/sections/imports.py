"""Imports: how long a program waits before it can begin."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks.contenders import ACCELERATED, named
from benchmarks.job import Job, Options, Record, backends
from benchmarks.tables import shown, table
from benchmarks.timing import Times, each_ready, interleaved

TITLE = "Import"
HOW = """ms in a fresh interpreter that has run before, less those of one that imports nothing."""

_ALSO = ("pass", "import numpy", "import modnet")


def jobs(options: Options) -> list[Job]:
    """Return one job, in which every CPU can be used as a program would use it."""
    return [Job.of("import", options, cases=(), threads=max(options.threads))]


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Time interpreters in turn."""
    peers = [each for each in named(job.contenders) if each.name != ACCELERATED]

    def run(statement: str) -> None:
        command = [sys.executable, "-P", "-c", statement]
        subprocess.run(command, check=True, env={**os.environ, **backends()}, capture_output=True)

    each_ready(lambda each: run(each.imports), peers, failures)
    statements = dict.fromkeys((*_ALSO, *(each.imports for each in peers)))
    seconds = interleaved({each: (lambda each=each: run(each)) for each in statements}, job.rounds)
    nothing = Times.of(seconds.pop("pass")).median
    for statement, durations in seconds.items():
        yield {"statement": statement, "ms": [1e3 * (each - nothing) for each in durations]}


def tables(records: Sequence[Record]) -> str:
    """Return the times."""
    rows = []
    for record in records:
        ms = Times.of(record["ms"])
        rows.append([f"`{record['statement']}`", *map(shown, (ms.median, ms.shortest, ms.longest))])
    return table(["statement", "ms", "least", "most"], rows)

"""The process of a job: ``python -m benchmarks.worker JOB FILE`` measures, and writes what it found into a file."""

import dataclasses
import importlib
import json
import os
import sys
import warnings
from pathlib import Path

from benchmarks.job import Job, Result


def main() -> None:
    """Measure."""
    job, answer = Job.read(sys.argv[1]), Path(sys.argv[2])
    pin(job.threads)
    machine = importlib.import_module("benchmarks.machine")  # imports NumPy
    section = importlib.import_module("benchmarks.sections").section(job.section)
    warnings.filterwarnings("ignore", message=".*(max_iter|[Mm]aximum iterations).*")  # the epochs are the point here
    warnings.filterwarnings("ignore", message=".*is not writ[e]?able.*")  # torch will not write to what is mapped
    result = Result(machine=machine.seen())
    with importlib.import_module("threadpoolctl").threadpool_limits(job.threads):
        for record in section.measure(job, result.failures):
            result.records.append({**record, **job.setting})
    answer.write_text(json.dumps(dataclasses.asdict(result)), encoding="utf-8")


def pin(threads: int) -> None:
    """Keep this process on so many CPUs, where the system can.

    It is the only limit that JAX keeps to: with its own flags it used 1.9 CPUs for "one thread". The last CPUs are
    taken, as the first have more to do with the system.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


if __name__ == "__main__":
    main()

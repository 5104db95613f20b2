"""Memory: what a fit needs beside the data, at its peak."""

import gc
import mmap
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks.contenders import CONTENDERS, Contender, Fit, named
from benchmarks.job import Job, Options, Record
from benchmarks.problem import Case, Problem, preferred
from benchmarks.tables import shown, table
from benchmarks.timing import each_ready

TITLE = "Memory"
HOW = """Peak of a fit beyond what its process held before: the data, and what a tiny net left behind that was fitted
first. Resident memory, in which compiling counts; and, in a second fit, arrays (`tracemalloc`, where all of
them are NumPy's). θ: the size of all parameters. A batch: its rows and every layer's output for them. The
last column leaves out four vectors of the size of θ (θ, ∇J and Adam's two) and says how many batches the
rest is."""

_CASES = ("784-100-10/200", "784-512-256-10/128")
_MORE_ROWS = 4
_MIB = 2**20


def jobs(options: Options) -> list[Job]:
    """Return a job for every contender, case and number of rows: memory once used is not seen again."""
    missing = {each.name for each in CONTENDERS if each.missing or not each.takes_part("memory")}
    found = []
    for case in preferred(options.cases, *_CASES):
        cases = [replace(case, epochs=1)]
        if not options.quick:
            cases.append(replace(case, epochs=1, rows=_MORE_ROWS * case.rows))
        found += [
            Job.of("memory", options, cases=(each,), contenders=(name,))
            for each in cases
            for name in options.contenders
            if name not in missing
        ]
    return found


def measure(job: Job, failures: list[str]) -> Iterator[Record]:
    """Watch one fit of one contender."""
    (contender,), (case,) = named(job.contenders), job.cases
    tiny = Problem.of(Case((4, 3, 3), 8, 16, 1), job.dtype, job.threads)
    problem = Problem.of(case, job.dtype, job.threads)
    each_ready(lambda each: each.prepare(tiny)(), [contender], failures)
    gc.collect()
    _forget_the_peak()
    before = _resident()

    def fitted(each: Contender) -> Fit:
        fit = each.prepare(problem)
        fit()
        return fit

    for name, fit in each_ready(fitted, [contender], failures).items():
        record = {"case": case.name, "contender": name, "rows": case.rows, "resident": _peak() - before}
        yield {**record, **_units(case, job.dtype), "arrays": _arrays(fit) if contender.in_numpy else None}


def _units(case: Case, dtype: str) -> Record:
    """Return the bytes of θ and of a batch."""
    widths = case.sizes[0] + sum(n_out for _, n_out in case.layers)
    size = np.dtype(dtype).itemsize
    return {"theta": case.parameters * size, "batch": case.batch_size * widths * size}


def _arrays(fit: Fit) -> int:
    """Return the peak of what Python and NumPy allocate in a fit."""
    gc.collect()
    tracemalloc.start()
    fit()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _forget_the_peak() -> None:
    """Let the peak be what is held now, where the system can; elsewhere it is that of all that came before."""
    references = Path("/proc/self/clear_refs")
    if references.exists():
        references.write_text("5", encoding="ascii")


def _resident() -> int:
    """Return the bytes that this process holds."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return _peak()
    return int(statm.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE


def _peak() -> int:
    """Return the most bytes that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` of Linux is not below the peak of the process that started this one
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    resource = import_module("resource")  # Windows has none
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def tables(records: Sequence[Record]) -> str:
    """Return megabytes, and how many θ and batches they are."""
    rows = []
    for each in records:
        arrays = each["arrays"]
        mib = [each["resident"] / _MIB, None if arrays is None else arrays / _MIB]
        rows.append(
            [
                each["case"],
                each["contender"],
                str(each["rows"]),
                *map(shown, (*mib, each["resident"] / each["theta"], arrays and arrays / each["theta"])),
                shown(batches(each)),
            ]
        )
    header = ["net", "contender", "rows", "resident, MiB", "arrays, MiB", "resident / θ", "arrays / θ"]
    return table([*header, "(arrays − 4 θ) / batch"], rows, left=2)


def batches(record: Record) -> float | None:
    """Return how many batches the arrays of a fit are, beyond four vectors of the size of θ."""
    return None if record["arrays"] is None else (record["arrays"] - 4 * record["theta"]) / record["batch"]

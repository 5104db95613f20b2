"""The report: the machine, the targets, and the tables of every section."""

import shlex
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks import targets
from benchmarks.contenders import Contender
from benchmarks.job import Job, Record, Result
from benchmarks.machine import versions
from benchmarks.sections import section


@dataclass
class Report:
    """What a run has found so far.

    Attributes
    ----------
    command : list of str
    contenders : sequence of Contender
        Those that were asked for, installed or not.
    machine : dict
    right : str or None
        The kernel of OpenBLAS that suits the CPU; None: the one that it chooses.
    notes : list of str
        What was left out.
    records : dict of str to list of Record
        By section.
    failures : list of str
    kernels : dict
        The kernel of each library, by the kernel that was asked for.
    """

    command: Sequence[str]
    contenders: Sequence[Contender]
    machine: Mapping[str, Any]
    right: str | None
    notes: list[str] = field(default_factory=list)
    records: dict[str, list[Record]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    kernels: dict[str | None, Mapping[str, str]] = field(default_factory=dict)

    def add(self, name: str, job: Job, result: Result) -> None:
        """Add what a job of a section has found."""
        self.records.setdefault(name, []).extend(result.records)
        self.failures += result.failures
        if result.machine:
            self.kernels.setdefault(job.kernel, result.machine["kernels"])

    def where(self) -> list[str]:
        """Return the machine, the libraries and the kernels of BLAS."""
        machine = self.machine
        return [
            f"{machine['cpu']}, {machine['cpus']} CPUs ({machine['vectors']}), {machine['system']}, "
            f"Python {machine['python']}, {time.strftime('%Y-%m-%d')}",
            ", ".join(f"{name} {version}" for name, version in versions().items()),
            "BLAS: " + "; ".join(f"{name} {kernel}" for name, kernel in machine["kernels"].items()),
        ]

    def head(self) -> str:
        """Return what was measured, on what."""
        lines, load = self.where(), self.machine["load"]
        for asked, kernels in self.kernels.items():
            if asked is not None:
                lines.append(f"With OPENBLAS_CORETYPE={asked}: " + "; ".join(f"{n} {k}" for n, k in kernels.items()))
        if load is not None and load > 0.3:
            lines.append(f"The machine was not quiet: a load of {load:.1f} when the run began")
        lines += [f"{each.name}: {each.title}" for each in self.contenders if each.missing is None]
        lines += [
            f"{each.name} is left out: {each.missing} is not installed" for each in self.contenders if each.missing
        ]
        return "\n".join(textwrap.fill(f"- {line}", 116, subsequent_indent="  ") for line in [*lines, *self.notes])

    def part(self, name: str) -> str:
        """Return the tables of a section."""
        module, records = section(name), self.records[name]
        return f"## {module.TITLE}\n\n{module.HOW}\n\n{module.tables(records) if records else 'Nothing was measured.'}"

    def targets(self) -> str:
        """Return which targets are met."""
        return f"## Targets\n\n{targets.tables(self.records, self.right)}"

    def trouble(self) -> str:
        """Return what went wrong, or nothing."""
        return "## Failures\n\n" + "\n".join(f"- {each}" for each in self.failures) if self.failures else ""

    def document(self) -> str:
        """Return the whole report as Markdown."""
        command = f"`python {shlex.join(self.command)}`"
        how = "contenders in turn, in one process per setting; medians"
        parts = [f"# modnet and its peers\n\n{command}: {how}.", self.head(), self.trouble(), self.targets()]
        if "training" in self.records:
            parts.insert(2, "![Ratios of training times](benchmark.png)")
        return "\n\n".join([*filter(None, parts), *map(self.part, self.records)]) + "\n"

"""What is measured, a section in each file.

A section has a `TITLE`, says in `HOW` how it measures, and has three functions: `jobs` for options, `measure` for a
job, and `tables` of the records of all its jobs.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol, cast

from benchmarks.job import Job, Options, Record


class Section(Protocol):
    """A section's module."""

    TITLE: str
    HOW: str

    def jobs(self, options: Options) -> list[Job]:
        """Return what is to be done."""

    def measure(self, job: Job, failures: list[str]) -> Iterator[Record]:
        """Yield records; what goes wrong is added to `failures`."""

    def tables(self, records: Sequence[Record]) -> str:
        """Return the records as Markdown."""


SECTIONS = {
    "training": "training",
    "prediction": "prediction",
    "search": "search",
    "import": "imports",
    "memory": "memory",
    "growth": "growth",
    "stream": "stream",
    "profile": "link_profile",
}
"""Modules by the names that ``--only`` takes."""


def section(name: str) -> Section:
    """Return a section's module."""
    return cast(Section, import_module(f"benchmarks.sections.{SECTIONS[name]}"))

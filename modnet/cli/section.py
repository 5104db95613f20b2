"""A part of the report of ``modnet doctor``: what there is, what was found, and what to do about it."""

import textwrap
from dataclasses import dataclass
from typing import Any

from modnet.cli import output
from modnet.diagnosis.finding import Finding

_INDENT = "  "
_MARK = 9
"""Columns that a mark takes: "problem" and two blanks."""


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    name : str
        As JSON calls it.
    heading : str
    data : object
        For JSON.
    facts : tuple of (str, str)
        What there is, each by its name.
    findings : tuple of Finding
    fine : str
        What to say if nothing was found.
    table : str
        What does not fit on a line.
    """

    name: str
    heading: str
    data: Any
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...] = ()
    fine: str = ""
    table: str = ""

    def __str__(self) -> str:
        """Return the lines of the report."""
        width = max((len(name) for name, _ in self.facts), default=0) + 2
        lines = [self.heading]
        for name, value in self.facts:
            lines += _wrapped(value, _INDENT + name.ljust(width))
        if self.table:
            lines += ["", *textwrap.indent(self.table, _INDENT).splitlines(), ""]
        for index, finding in enumerate(self.findings):
            lines += _wrapped(f"{finding.subject}: {finding.found}", _INDENT + finding.severity.ljust(_MARK))
            # What several findings in a row ask for is said once, below the last.
            if [finding.remedy] != [following.remedy for following in self.findings[index + 1 : index + 2]]:
                lines += _wrapped(finding.remedy, _INDENT + " " * _MARK + "→ ")
        if self.fine and not self.findings:
            lines += _wrapped(self.fine, _INDENT + "ok".ljust(_MARK))
        return "\n".join(lines)


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(
        text,
        output.width(),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
        break_long_words=False,
    ) or [first.rstrip()]

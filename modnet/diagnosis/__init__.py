"""What `modnet doctor` finds, as data: the installation it runs in, and a network on the data it is to learn.

A finding is one thing that is not as it should be, a section all about one subject: `str` gives the text for people,
`dataclasses.asdict` what becomes JSON. `diagnose` is `modnet.diagnose`; it is imported when first used, since it looks
at estimators, and scikit-learn takes a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from textwrap import indent
from typing import TYPE_CHECKING, Any, Literal

from modnet.text import facts, wrapped

if TYPE_CHECKING:
    from modnet.diagnosis.model import Diagnosis, diagnose

__all__ = ["Diagnosis", "Finding", "Section", "Severity", "diagnose"]

Severity = Literal["problem", "note"]
"""A problem keeps a network from learning, or a plugin from working; a note is worth knowing."""

_MARK = 9
"""Columns that a mark takes: "problem" and two blanks."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Parameters
    ----------
    check : str
        What was looked for, a name that stays the same: ``"dead-units"``.
    severity : {"problem", "note"}
        Whether it keeps from learning or working, or is worth knowing.
    subject : str
        Where: ``"X"``, ``"layers[0].activation (ReLU)"``, ``"numpy"``.
    found : str
        What was found there, with the numbers.
    remedy : str
        What to do.

    Examples
    --------
    >>> print(Finding("missing-values", "problem", "X", "2 values are missing in column 3", "impute them"))
    problem  X: 2 values are missing in column 3
             → impute them
    """

    check: str
    severity: Severity
    subject: str
    found: str
    remedy: str

    def __str__(self) -> str:
        """Return the finding, and the remedy below it."""
        return _lines([self])


@dataclass(frozen=True)
class Section:
    """All that there is to say about one subject.

    Parameters
    ----------
    name : str
        As JSON calls it.
    heading : str
        As people read it.
    data : object
        For JSON.
    facts : sequence of (str, str)
        What there is, each by its name.
    findings : sequence of Finding
        What is not as it should be.
    fine : str
        What to say if nothing was found.
    table : str
        What does not fit on a line.

    Examples
    --------
    >>> print(Section("threads", "Threads", {"cores": 2}, [("cores", "2")], fine="no more threads than cores"))
    Threads
      cores  2
      ok       no more threads than cores
    """

    name: str
    heading: str
    data: Any
    facts: Sequence[tuple[str, str]]
    findings: Sequence[Finding] = ()
    fine: str = ""
    table: str = ""

    def __str__(self) -> str:
        """Return the lines of the report."""
        parts = [self.heading, facts(self.facts, "  ")]
        if self.table:
            parts.append(f"\n{indent(self.table, '  ')}\n")
        if self.findings:
            parts.append(_lines(self.findings, "  "))
        elif self.fine:
            parts.append(wrapped(self.fine, "  " + "ok".ljust(_MARK)))
        return "\n".join(filter(None, parts))


def _lines(findings: Sequence[Finding], margin: str = "") -> str:
    """Return the lines of findings; a remedy that several in a row share is given once, below the last of them."""
    lines = []
    for finding, after in zip(findings, [*findings[1:], None], strict=True):
        lines.append(wrapped(f"{finding.subject}: {finding.found}", margin + finding.severity.ljust(_MARK)))
        if after is None or after.remedy != finding.remedy:
            lines.append(wrapped(finding.remedy, f"{margin}{' ' * _MARK}→ "))
    return "\n".join(lines)


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("modnet.diagnosis.model"), name)
    raise AttributeError(f"module 'modnet.diagnosis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""A finding: what was looked for, where it was found, in numbers, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["problem", "note"]
"""A problem keeps a network from learning, or a plugin from working; a note is worth knowing."""

_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes
    ----------
    check : str
        What was looked for, a name that stays the same: ``"dead-units"``.
    severity : {"problem", "note"}
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
               impute them
    """

    check: str
    severity: Severity
    subject: str
    found: str
    remedy: str

    def __str__(self) -> str:
        """Return the finding on one line, the remedy below it."""
        return f"{self.severity:<7}  {self.subject}: {self.found}\n           {self.remedy}"


def listed(items: Sequence[str]) -> str:
    """Return the first items of a list and how many more there are.

    Examples
    --------
    >>> listed(["age", "town", "job", "height", "income"])
    'age, town, job and 2 more'
    """
    more = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "unit"), counted(2000, "unit")
    ('1 unit', '2,000 units')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

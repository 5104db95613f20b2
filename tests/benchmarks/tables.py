"""Markdown that is tidy as plain text, too."""

import math
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table whose columns stand below each other, the first `left` of them flush left.

    Examples
    --------
    >>> print(table(["net", "µs"], [["a", "12"], ["long", "3"]]))
    | net  | µs |
    |------|---:|
    | a    | 12 |
    | long |  3 |
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    # A minus sign and a colon at least, as a rule under a column on the right has.
    widths = [max(width, 2) for width in widths]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rules = ["-" * (width + 2) if i < left else "-" * (width + 1) + ":" for i, width in enumerate(widths)]
    return "\n".join([line(header), f"|{'|'.join(rules)}|", *map(line, rows)])


def shown(value: float | None) -> str:
    """Return a number with three digits that count; "–" for none.

    Examples
    --------
    >>> shown(34.12), shown(0.012345), shown(116_432.0), shown(1216), shown(None)
    ('34.1', '0.0123', '116000', '1220', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    value = float(f"{value:.2e}")
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"

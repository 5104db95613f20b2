"""What the commands print: tables in plain text, JSON for machines, complaints on stderr."""

import argparse
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from modnet.errors import ModNetError
from modnet.files import as_json

RULE = "─"


class CommandError(ModNetError):
    """What was asked on the command line cannot be done."""


def emit(args: argparse.Namespace, data: Any, text: str) -> None:
    """Print the result of a command.

    Parameters
    ----------
    args : Namespace
        With ``json``: whether machines are to read it.
    data : object
        Mappings, sequences, strings and numbers. inf and NaN, which JSON has no numbers for, become null.
    text : str
        The same for people.

    Examples
    --------
    >>> emit(argparse.Namespace(json=True), {"loss": float("nan"), "epochs": 3}, "3 epochs")
    {
      "loss": null,
      "epochs": 3
    }
    >>> emit(argparse.Namespace(json=False), {"epochs": 3}, "3 epochs")
    3 epochs
    """
    write(json.dumps(as_json(data, words={}), indent=2, ensure_ascii=False, allow_nan=False) if args.json else text)


def write(text: str) -> None:
    """Print a text; what the terminal has no sign for becomes a question mark."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


def complain(what: str, message: object) -> None:
    """Print a line on stderr: ``modnet: error: no such file``."""
    sys.stdout.flush()
    print(f"modnet: {what}: {message}", file=sys.stderr)


def note(text: str) -> None:
    """Print a line on stderr, beside the result."""
    sys.stdout.flush()
    print(text, file=sys.stderr)


def listing(names: Sequence[str], what: str) -> str:
    """Return names with a noun and a verb in front of what follows.

    Examples
    --------
    >>> listing(["town"], "column"), listing(["town", "sex"], "column")
    ("column 'town' holds", "columns 'town', 'sex' hold")
    """
    names = [repr(name) for name in names]
    return f"{what} {names[0]} holds" if len(names) == 1 else f"{what}s {', '.join(names)} hold"


def close() -> None:
    """Let what is still to be printed go nowhere: the reader of our output has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def width() -> int:
    """Return the columns that tables may fill: the terminal's, from 60 to 120."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)


def filled(text: str, indent: str = "", first: str = "") -> str:
    """Return paragraphs filled to the width of the terminal, each with `first` in front and `indent` below it."""
    return "\n\n".join(
        textwrap.fill(
            " ".join(paragraph.split()),
            width(),
            initial_indent=first,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
        for paragraph in text.strip().split("\n\n")
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Return rows as a table; the last column is wrapped where the terminal ends.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
    right : sequence of str
        The columns, by their headings, that are aligned to the right.

    Examples
    --------
    >>> print(table(["name", "range"], [["units", "≥ 1"], ["use_bias", "true, false"]]))
    name      range
    ─────────────────────
    units     ≥ 1
    use_bias  true, false
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    left = sum(widths[:-1]) + 2 * (len(widths) - 1)
    widths[-1] = max(min(widths[-1], width() - left), 20)

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.rjust(size) if name in right else cell.ljust(size)
            for name, cell, size in zip(header, cells, widths, strict=True)
        ]
        return "  ".join(aligned).rstrip()

    def lines(cells: Sequence[str]) -> list[str]:
        first, *others = textwrap.wrap(cells[-1], widths[-1]) or [""]
        blank = [""] * (len(cells) - 1)
        return [line([*cells[:-1], first]), *(line([*blank, other]) for other in others)]

    body = [text for row in rows for text in lines(row)]
    return "\n".join([line(header), RULE * max(map(len, [line(header), *body])), *body])

"""Text for people: tables, facts by name, paragraphs that fit the terminal.

It lies at the bottom, beside the files: summaries, the diagnosis and the command print through it.
"""

import shutil
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

Row = Sequence[str]
"""The cells of a row in a table."""


def width() -> int:
    """Return how many columns a text may fill: those of the terminal, from 60 to 120.

    Returns
    -------
    int
        From 60 to 120; 100 where there is no terminal.
    """
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """Return a paragraph wrapped to the terminal, with `first` in front and `indent` before its other lines.

    Parameters
    ----------
    text : str
        Words; how they are broken into lines does not matter.
    first : str
        What stands before the first line.
    indent : str, optional
        Default: blanks, as many as `first` has characters.

    Returns
    -------
    str
        One line or several.

    Examples
    --------
    >>> wrapped("the loss is inf", "problem  ")
    'problem  the loss is inf'
    """
    rest = " " * len(first) if indent is None else indent
    wrapper = textwrap.TextWrapper(width(), first, rest, break_on_hyphens=False, break_long_words=False)
    return wrapper.fill(" ".join(text.split())) or first.rstrip()


def filled(text: str, indent: str = "") -> str:
    """Return paragraphs, which blank lines separate, each wrapped with `indent` below its first line.

    Parameters
    ----------
    text : str
        Paragraphs; how they are broken into lines does not matter.
    indent : str
        What stands before all lines of a paragraph but its first.

    Returns
    -------
    str
        The same text in lines that fit the terminal.
    """
    return "\n\n".join(wrapped(paragraph, indent=indent) for paragraph in text.strip().split("\n\n"))


def facts(pairs: Iterable[tuple[str, str]], indent: str = "", *, wrap: bool = True) -> str:
    """Return a line for each name and what there is to say of it, the names in a column of their own.

    Parameters
    ----------
    pairs : iterable of (str, str)
        A name, and what there is to say of it.
    indent : str
        What stands before each name.
    wrap : bool
        Whether lines end where the terminal does.

    Returns
    -------
    str
        As many lines as there are pairs, or more if they are wrapped.

    Examples
    --------
    >>> print(facts([("data", "iris.csv"), ("features", "4")]))
    data      iris.csv
    features  4
    """
    pairs = list(pairs)
    size = max((len(name) for name, _ in pairs), default=0) + 2
    named = [(f"{indent}{name:<{size}}", text) for name, text in pairs]
    return "\n".join(wrapped(text, name) if wrap else name + text for name, text in named)


@dataclass(frozen=True)
class Table:
    """Rows under headings: `str` gives the text, `html` what notebooks show.

    Parameters
    ----------
    header : sequence of str
        The headings.
    rows : sequence of sequences of str
        As many cells in each as there are headings.
    right : sequence of str
        The columns, by their headings, that are aligned to the right.
    foot : sequence of str
        A last row, below a rule; none if it is empty.
    wrap : bool
        Whether the last column of the text is wrapped where the terminal ends.

    Examples
    --------
    >>> print(Table(["name", "range"], [["units", "≥ 1"], ["use_bias", "true, false"]]))
    name      range
    ─────────────────────
    units     ≥ 1
    use_bias  true, false
    """

    header: Row
    rows: Sequence[Row]
    right: Row = ()
    foot: Row = ()
    wrap: bool = True

    def __str__(self) -> str:
        """Return the table as text."""
        feet = [self.foot] if self.foot else []
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, *feet, strict=True)]
        if self.wrap:
            left = sum(widths[:-1]) + 2 * (len(widths) - 1)
            widths[-1] = max(min(widths[-1], width() - left), 20)

        def line(cells: Row) -> str:
            named = zip(self.header, cells, widths, strict=True)
            placed = (cell.rjust(size) if name in self.right else cell.ljust(size) for name, cell, size in named)
            return "  ".join(placed).rstrip()

        def lines(cells: Row) -> list[str]:
            first, *others = (textwrap.wrap(cells[-1], widths[-1]) if self.wrap else cells[-1:]) or [""]
            return [line([*cells[:-1], first]), *(line([*[""] * (len(cells) - 1), other]) for other in others)]

        head, body = line(self.header), [text for row in self.rows for text in lines(row)]
        end = list(map(line, feet))
        rule = "─" * max(map(len, [head, *body, *end]))
        return "\n".join([head, rule, *body, *([rule, *end] if end else [])])

    def html(self) -> str:
        """Return the table as HTML in the colours around it; one that is wider than the page scrolls by itself.

        Returns
        -------
        str
            One element, whose cells are escaped.
        """
        from html import escape  # not needed to import modnet

        sides = ["right" if name in self.right else "left" for name in self.header]
        lines = ["pre"] * len(sides)
        if self.wrap:
            lines[-1] = "pre-wrap; min-width: 20em"

        def line(cells: Row, tag: str, rule: str = "") -> str:
            styles = (f"text-align: {side}; white-space: {kept}" for side, kept in zip(sides, lines, strict=True))
            row = (
                f'<{tag} style="{style}; vertical-align: top; padding: .2em .8em{rule}">{escape(cell)}</{tag}>'
                for style, cell in zip(styles, cells, strict=True)
            )
            return f"<tr>{''.join(row)}</tr>"

        rule = "; border-top: 1px solid"
        head, body = line(self.header, "th"), "".join(line(cells, "td") for cells in self.rows)
        foot = f"<tfoot>{line(self.foot, 'td', rule)}</tfoot>" if self.foot else ""
        table = f"<table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table>"
        return f'<div style="overflow-x: auto">{table}</div>'


class Shown(ABC):
    """What prints as paragraphs and tables, and shows the same in notebooks."""

    between: ClassVar[str] = "\n\n"
    """What stands between two of them in the text."""

    @abstractmethod
    def paragraphs(self) -> Sequence[str | Table]:
        """Return the paragraphs and tables from top to bottom.

        Returns
        -------
        sequence of str or Table
            What `repr` and notebooks show.
        """

    def __repr__(self) -> str:
        """Return them as text."""
        return self.between.join(map(str, self.paragraphs()))

    def _repr_html_(self) -> str:
        """Return them as HTML."""
        from html import escape

        parts = self.paragraphs()
        return "".join(part.html() if isinstance(part, Table) else f"<p>{escape(part)}</p>" for part in parts)


def listed(items: Iterable[object], most: int = 3) -> str:
    """Return the first items of a list and how many more there are.

    Parameters
    ----------
    items : iterable
        Their `str` is what is listed.
    most : int
        How many at most, ≥ 1.

    Returns
    -------
    str
        They are separated by commas.

    Examples
    --------
    >>> listed(["age", "town", "job", "height", "income"])
    'age, town, job and 2 more'
    """
    names = [str(item) for item in items]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number : int
        How many there are, ≥ 0.
    noun : str
        What they are, in the singular.

    Returns
    -------
    str
        Thousands are separated by commas.

    Examples
    --------
    >>> counted(1, "unit"), counted(2000, "unit"), counted(0, "loss")
    ('1 unit', '2,000 units', '0 losses')
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"

"""Docstrings of estimators: parameters and attributes that several share are described once, on their base."""

import inspect
import re
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)


def completed(cls: _Class) -> _Class:
    """Complete the Parameters and Attributes of a class's docstring by those that its bases describe.

    What a class describes itself stands as it is. Parameters come in the order of the signature, attributes behind
    the class's own. Usable as a decorator.

    Examples
    --------
    >>> class Base:
    ...     '''A base.
    ...
    ...     Parameters
    ...     ----------
    ...     a : int
    ...     b : int
    ...         The second.
    ...     '''
    >>> @completed
    ... class Model(Base):
    ...     '''A model.
    ...
    ...     Parameters
    ...     ----------
    ...     a : float
    ...     '''
    ...     def __init__(self, a, b): ...
    >>> print(Model.__doc__.partition("-" * 10)[2].strip())
    a : float
    b : int
        The second.
    """
    doc, names, end = inspect.cleandoc(cls.__doc__ or ""), list(inspect.signature(cls).parameters), 0
    for title in ("Parameters", "Attributes"):
        found: dict[str, str] = {}
        for each in cls.__mro__:
            for name, text in _entries(inspect.cleandoc(each.__doc__ or ""), title).items():
                found.setdefault(name, text)
        if not found:
            continue
        known = [name for name in names if name in found] if title == "Parameters" else list(found)
        section = "\n".join([title, "-" * len(title), *(found[name] for name in known), ""])
        if place := _section(title).search(doc):
            start, stop = place.span()
        else:  # behind the section before
            start, stop, section = end, end, f"\n{section}"
        doc, end = doc[:start] + section + doc[stop:], start + len(section)
    cls.__doc__ = doc
    return cls


def _section(title: str) -> "re.Pattern[str]":
    return re.compile(rf"(^{title}\n-+\n)((?:.+\n?)*)", re.MULTILINE)


def _entries(doc: str, title: str) -> dict[str, str]:
    """Return what a section says, by the name or names in front of the colon."""
    found = _section(title).search(doc)
    entries = re.split(r"\n(?=\S)", found[2].rstrip()) if found and found[2].strip() else []
    return {entry.split(" : ")[0].strip(): entry for entry in entries}

"""Docstrings that are written once: what a class leaves out about its parameters and methods comes from its bases.

A class describes what is its own; a method that overrides another says in a line what it does differently.
"""

import functools
import inspect
import re
from collections.abc import Iterable, Mapping

_TITLE = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


def complete(class_: type, *titles: str, like: type | None = None) -> None:
    """Complete the docstrings of a class and of its methods by what is said above them.

    What they say themselves stands as it is. Methods take over Parameters, Returns and Yields.

    Parameters
    ----------
    class_ : type
        The class; its bases are complete.
    *titles : {"Parameters", "Attributes"}
        The sections of its own docstring that are completed: parameters come in the order of the signature,
        attributes behind the class's own.
    like : type, optional
        A class that is no base, whose parameters and attributes the class has: its docstring goes before the bases'.

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
    >>> class Model(Base):
    ...     '''A model.
    ...
    ...     Parameters
    ...     ----------
    ...     a : float
    ...     '''
    ...     def __init__(self, a, b): ...
    >>> complete(Model, "Parameters")
    >>> print(Model.__doc__.partition("-" * 10)[2].strip())
    a : float
    b : int
        The second.
    """
    bases = class_.__mro__[1:] if like is None else (like, *class_.__mro__[1:])
    above = [doc for each in bases if (doc := vars(each).get("__doc__"))]
    if class_.__doc__:
        class_.__doc__ = _merged(class_.__doc__, above, inspect.signature(class_).parameters, titles)
    for name in [name for name in vars(class_) if not name.startswith("_")]:
        function = getattr(class_, name)
        function = getattr(function, "__func__", function)  # of a class method
        if (
            inspect.isfunction(function)
            and function.__doc__
            and function.__qualname__ == f"{class_.__qualname__}.{name}"
        ):
            above = [doc for each in class_.__mro__[1:] if name in vars(each) and (doc := getattr(each, name).__doc__)]
            names = inspect.signature(function).parameters
            function.__doc__ = _merged(function.__doc__, above[:1], names, ("Parameters", "Returns", "Yields"))


def _merged(doc: str, above: Iterable[str], names: Iterable[str], titles: Iterable[str]) -> str:
    """Return a docstring with what its sections leave out and those above it say."""
    head, own = sections(doc)
    others, found = [sections(each)[1] for each in above], {}
    for title in titles:
        texts = [each[title] for each in (own, *others) if title in each]
        if title in ("Parameters", "Attributes"):
            said: dict[str, str] = {}
            for text in texts:
                said |= {name: entry for name, entry in entries(text).items() if name not in said}
            known = (*names, *entries(own.get(title, ""))) if title == "Parameters" else said
            texts = ["\n".join(dict.fromkeys(said[name] for name in known if name in said))]
        if any(texts):
            found[title] = texts[0]
    parts = [f"{title}\n{'-' * len(title)}\n{text}" for title, text in {**found, **own, **found}.items()]
    return "\n\n".join([head, *parts]) + "\n" if parts else doc


def entries(section: str) -> dict[str, str]:
    """Return the entries of a section by name; one of several names is there for each.

    Parameters
    ----------
    section : str
        Its text, without the title.

    Returns
    -------
    dict of str to str
        Each entry as it stands there.

    Examples
    --------
    >>> entries("low, high : float")
    {'low': 'low, high : float', 'high': 'low, high : float'}
    """
    found = [(entry.partition("\n")[0].partition(" :")[0], entry) for entry in re.split(r"\n(?=\S)", section)]
    return {name.lstrip("*"): entry.rstrip() for names, entry in found for name in names.split(", ")}


@functools.lru_cache(1024)
def sections(doc: str) -> tuple[str, Mapping[str, str]]:
    """Return what stands before the sections of a docstring, and the text of each section by its title.

    Examples
    --------
    >>> list(sections(sections.__doc__)[1])
    ['Examples']
    """
    head, *parts = _TITLE.split(inspect.cleandoc(doc))
    return head.rstrip(), {title: text.rstrip() for title, text in zip(parts[::2], parts[1::2], strict=True)}

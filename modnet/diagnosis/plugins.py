"""What is registered: who offers how much, what is broken, which names mean more than one thing."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from modnet.diagnosis.finding import Finding
from modnet.errors import RegistryError
from modnet.registry import DISABLE, OWN, Entry, Registry, registry


@dataclass(frozen=True)
class Plugins:
    """The registered components.

    Attributes
    ----------
    counts : dict of str to int
        How many each distribution offers, by ``"name version"``; modnet's own first.
    findings : tuple of Finding
        Broken ones, and names that are offered more than once.
    """

    counts: dict[str, int]
    findings: tuple[Finding, ...]


def plugins(book: Registry = registry) -> Plugins:
    """Return what is registered, after importing every component.

    Examples
    --------
    >>> next(iter(plugins().counts)).split()[0]
    'modnet-layers'
    """
    entries = book.entries()
    counts = Counter(_source(entry) for entry in entries)
    ordered = sorted(counts, key=lambda source: (not source.startswith(f"{OWN} "), source))
    findings = [*_broken(book, entries), *_ambiguous(entries), *_switched_off()]
    return Plugins({source: counts[source] for source in ordered}, tuple(findings))


def _source(entry: Entry) -> str:
    return f"{entry.distribution} {entry.version}" if entry.distribution else "modnet.register"


def _broken(book: Registry, entries: tuple[Entry, ...]) -> Iterator[Finding]:
    for entry in entries:
        try:
            book.get(entry.kind, f"{entry.distribution}:{entry.name}")
        except (RegistryError, SystemExit) as error:  # a plugin may call sys.exit when it is imported
            cause = error.__cause__ or error
            reason = f"{type(cause).__name__}: {cause}" if cause is not error or isinstance(error, SystemExit) else ""
            found = f"{entry.value} fails to import: {reason}" if reason else str(error)
            remedy = f"repair, update or uninstall {entry.distribution}; everything else keeps working"
            yield Finding("broken-plugin", "problem", f"{entry.kind} {entry.name!r}, {_source(entry)}", found, remedy)


def _ambiguous(entries: tuple[Entry, ...]) -> Iterator[Finding]:
    claims: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        claims[entry.kind, entry.name].append(entry)
    for (kind, name), mine in claims.items():
        if len({entry.value for entry in mine}) > 1:
            sources = " and ".join(map(_source, mine))
            choices = " or ".join(repr(f"{entry.distribution}:{entry.name}") for entry in mine)
            yield Finding("ambiguous-name", "note", f"{kind} {name!r}", f"is offered by {sources}", f"write {choices}")


def _switched_off() -> Iterator[Finding]:
    if os.environ.get(DISABLE, "0") not in ("", "0"):
        found = f"{DISABLE}={os.environ[DISABLE]}: only {OWN} is looked at"
        yield Finding("plugins-off", "note", "environment", found, f"unset {DISABLE} to have installed plugins back")

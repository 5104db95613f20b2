"""What is installed: who offers components, which of them are broken or ignored, and which accelerators there are."""

import difflib
import importlib.metadata
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from modnet.acceleration import attempted
from modnet.base import Accelerator
from modnet.diagnosis import Finding, Section
from modnet.entries import DISABLE, NAMES, OWN, Entry, group_of, plugins_off
from modnet.errors import RegistryError
from modnet.registry import Registry, estimators, registry
from modnet.text import counted


def reason(error: RegistryError) -> str:
    """Return why a component cannot be used: what its import has raised, or what is wrong with the class."""
    cause = error.__cause__
    return str(error) if cause is None else f"{type(cause).__name__}: {cause}"


def source(entry: Entry) -> str:
    """Return who offers a component, such as ``"modnet-layers 0.1.0"``."""
    return f"{entry.distribution} {entry.version}" if entry.distribution else "modnet.register"


# Components


def plugins(book: Registry = registry) -> Section:
    """Return who offers how many components, and what is wrong with them; imports every component.

    Examples
    --------
    >>> next(iter(plugins().data)).split()[0]
    'modnet-layers'
    """
    entries = book.entries()
    counts = Counter(map(source, entries))
    ordered = sorted(counts, key=lambda name: (not name.startswith(f"{OWN} "), name))
    data = {name: counts[name] for name in ordered}
    facts = [(name, counted(number, "component")) for name, number in data.items()]
    findings = (*_broken(book), *_about_names(book), *_unread(book))
    return Section("plugins", "Plugins", data, facts, findings, "every component can be imported")


def estimator_section(book: Registry = estimators) -> Section:
    """Return which estimators there are; imports them only if some are others': scikit-learn takes a second.

    Examples
    --------
    >>> estimator_section().facts[0][0]
    'classifier'
    """
    entries = book.entries()
    # Others' import it in any case.
    broken = _broken(book) if any(entry.distribution != OWN for entry in entries) else ()
    facts = [(entry.name, source(entry)) for entry in entries]
    data = [{"name": name, "source": offered} for name, offered in facts]
    return Section("estimators", "Estimators", data, facts, (*broken, *_about_names(book)))


def _broken(book: Registry) -> Iterator[Finding]:
    for entry, cls in book.classes():
        if isinstance(cls, RegistryError):
            found = f"{entry.value} fails to import: {reason(cls)}" if cls.__cause__ else str(cls)
            remedy = f"repair, update or uninstall {entry.distribution}; everything else keeps working"
            yield Finding("broken-plugin", "problem", f"{entry.kind} {entry.name!r}, {source(entry)}", found, remedy)


def _about_names(book: Registry) -> Iterator[Finding]:
    """Yield which names are offered more than once, lead to another component, or are not offered at all."""
    claims: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in book.entries():
        claims[entry.kind, entry.name].append(entry)
    for (kind, name), mine in claims.items():
        if len({entry.value for entry in mine}) > 1 and not mine[0].standard:
            sources = " and ".join(map(source, mine))
            choices = " or ".join(repr(f"{entry.distribution}:{entry.name}") for entry in mine)
            yield Finding("ambiguous-name", "note", f"{kind} {name!r}", f"is offered by {sources}", f"write {choices}")
    standard = {entry.name: entry for entry in book.entries() if entry.standard}
    for entry in book.entries():
        name, first = book.name_of_entry(entry), standard.get(entry.name)
        if first and not entry.standard and first.value != entry.value:
            found = f"has a standard name: {entry.name!r} means {OWN}' {first.kind} wherever both fit"
            remedy = f"write {name!r}, as saved files do"
            yield Finding("standard-name", "note", f"{entry.kind} {entry.name!r}, {source(entry)}", found, remedy)
    for entry in book.misnamed():
        found, remedy = f"is not offered: {NAMES}", "change it in its pyproject.toml, and install it anew"
        yield Finding("not-snake-case", "problem", f"{entry.kind} {entry.name!r}, {source(entry)}", found, remedy)


def _unread(book: Registry) -> Iterator[Finding]:
    """Yield what modnet does not read: plugins that are switched off, or groups whose names begin like modnet's."""
    if plugins_off():
        found = f"{DISABLE}={os.environ[DISABLE]}: only {OWN} is looked at"
        yield Finding("plugins-off", "note", "environment", found, f"unset {DISABLE} to use installed plugins again")
        return
    groups = {group_of(kind) for kind in (*book.kinds, *estimators.kinds)}
    # What an author may take for the name of a group: the kind, or its class (Module), in the singular or the plural.
    meant = {word: group_of(kind) for kind in book.kinds for word in (kind, book.base(kind).__name__.lower())}
    meant |= {kind: group_of(kind) for kind in estimators.kinds}
    meant |= {f"{word}s": group for word, group in meant.items()}
    points = importlib.metadata.entry_points()
    wrong = sorted(group for group in points.groups if group.startswith("modnet.") and group not in groups)
    for point in (point for group in wrong for point in points.select(group=group)):
        close = difflib.get_close_matches(point.group.lower().removeprefix("modnet."), meant, n=1)
        remedy = f"write {meant[close[0]]!r}" if close else f"write one of {', '.join(sorted(groups))}"
        who = f"{point.dist.name} {point.dist.version}" if point.dist else "a distribution"
        found = f"registers {point.name!r} in the entry-point group {point.group!r}, which modnet does not read"
        remedy += " in its pyproject.toml, and install it anew"
        yield Finding("entry-point-group", "problem", who, found, remedy)


# Accelerators


def accelerators(book: Registry = registry) -> list[tuple[Entry, Accelerator | str]]:
    """Return the accelerators that can be imported, or why one cannot be made; "auto" takes the first that can."""
    classes = ((entry, cls) for entry, cls in book.classes("accelerator") if not isinstance(cls, RegistryError))
    return [(entry, made or failure) for entry, cls in classes for made, failure in [attempted(cls)]]


def fused_by_kind(accelerator: Accelerator, book: Registry = registry) -> dict[str, list[str]]:
    """Return the names of the components that an accelerator runs, by kind.

    Examples
    --------
    >>> fused_by_kind(Accelerator())
    {'layer': [], 'activation': [], 'loss': [], 'optimizer': []}
    """
    offers: dict[str, Callable[[Any], object]] = {
        "layer": lambda each: accelerator.fuse([each]),
        "activation": lambda each: accelerator.fuse([each]),
        "loss": accelerator.loss,
        "optimizer": accelerator.optimizer,
    }
    found: dict[str, list[str]] = {kind: [] for kind in offers}
    for entry, cls in (pair for kind in offers for pair in book.classes(kind)):
        examples, _ = ((), "") if isinstance(cls, RegistryError) else attempted(cls.examples)
        offered = (attempted(partial(offers[entry.kind], example)) for example in examples or ())
        if any(offer is not None for offer, _ in offered):
            found[entry.kind].append(book.name_of_entry(entry))
    return found


def accelerator_section(
    found: list[tuple[Entry, Accelerator | str]], compiling: Callable[[str], object] | None
) -> Section:
    """Return which accelerators there are, and what came of compiling ahead.

    Parameters
    ----------
    found : list of (Entry, Accelerator or str)
        As `accelerators` returns them.
    compiling : callable or None
        Compile what each compiles, for later fits to find on disk; it is called with a line before each compilation.
    """
    facts, data, findings = [], [], []
    first = next((entry for entry, accelerator in found if isinstance(accelerator, Accelerator)), None)
    for entry, accelerator in found:
        facts.append((entry.name, source(entry) + (', what accelerator="auto" takes' if entry is first else "")))
        data.append({"name": entry.name, "source": source(entry), "auto": entry is first})
        if isinstance(accelerator, str):
            findings.append(_problem("broken-accelerator", entry, f"cannot be made: {accelerator}"))
        if compiling is None or isinstance(accelerator, str):
            continue
        fused, times = fused_by_kind(accelerator), {}
        facts.append(("  fused", ", ".join(counted(len(names), kind) for kind, names in fused.items())))
        for dtype in ("float32", "float64"):
            compiling(f"compiling ahead with {entry.name} for {dtype} …")
            text, times[dtype], problems = _warmed_up(entry, accelerator, dtype)
            facts.append((f"  {dtype}", text))
            findings += problems
        data[-1] |= {"fused": fused, "warm_up": times}
    if not found:
        facts.append(("auto", "none is installed: every layer runs in NumPy, and there is nothing to compile"))
    return Section("accelerators", "Accelerators", data, facts, findings)


def _problem(check: str, entry: Entry, found: str) -> Finding:
    remedy = 'repair, update or uninstall it, or fit with accelerator=None; "auto" takes it otherwise'
    return Finding(check, "problem", f"{entry.name}, {source(entry)}", found, remedy)


def _warmed_up(entry: Entry, accelerator: Accelerator, dtype: str) -> tuple[str, dict[str, Any], list[Finding]]:
    """Compile ahead what usual networks need in a dtype; return what came of it, as text, numbers and findings."""

    def warm_up() -> tuple[float | None, float]:
        before = accelerator.compile_seconds()
        seconds = accelerator.warm_up(dtype)
        return seconds, 0.0 if seconds is None else accelerator.compile_seconds() - before

    made, failure = attempted(warm_up)
    if made is None:
        found = _problem("warm-up", entry, f"compiling for {dtype} fails: {failure}")
        return "failed", {"seconds": None, "compile_seconds": 0.0}, [found]
    seconds, spent = made
    compiled = f"{spent:.1f} s of it compiling" if spent else "compiled before"
    text = "compiles nothing" if seconds is None else f"ready after {seconds:.1f} s, {compiled}"
    return text, {"seconds": seconds, "compile_seconds": spent}, []

"""The accelerators that are installed: which one "auto" takes, what it has twins of, and compiling ahead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from modnet.base import Accelerator
from modnet.diagnosis.finding import Finding
from modnet.errors import InvalidSpecError, RegistryError
from modnet.registry import Registry, registry

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Installed:
    """An accelerator that can be imported.

    Attributes
    ----------
    name, source : str
        Its registered name, and who offers it.
    accelerator : Accelerator
    """

    name: str
    source: str
    accelerator: Accelerator


@dataclass(frozen=True)
class WarmUp:
    """What came of compiling ahead.

    Attributes
    ----------
    seconds : float or None
        How long it took, with loading what was compiled before; None: it compiles nothing.
    compile_seconds : float
        How much of that was compilation.
    finding : Finding or None
        What went wrong.
    """

    seconds: float | None
    compile_seconds: float = 0.0
    finding: Finding | None = None


def accelerators(book: Registry = registry) -> tuple[Installed, ...]:
    """Return the accelerators that are installed and can be imported; "auto" takes the first."""
    return tuple(_found(book))


def twins_by_kind(accelerator: Accelerator, book: Registry = registry) -> dict[str, list[str]]:
    """Return the names of what an accelerator has twins of, by kind.

    Examples
    --------
    >>> twins_by_kind(Accelerator())
    {'module': [], 'activation': [], 'loss': [], 'optimizer': []}
    """
    offers: dict[str, Callable[[Any], object]] = {
        "layer": lambda each: accelerator.fuse([each]),
        "activation": lambda each: accelerator.fuse([each]),
        "loss": accelerator.loss,
        "optimizer": accelerator.optimizer,
    }
    found: dict[str, list[str]] = {kind: [] for kind in offers}
    for entry in (entry for kind in offers for entry in book.entries(kind)):
        try:
            examples = book.get(entry.kind, f"{entry.distribution}:{entry.name}").examples()
        except (RegistryError, InvalidSpecError):
            continue  # that it is broken stands among the plugins
        if any(offers[entry.kind](example) is not None for example in examples):
            found[entry.kind].append(entry.name)
    return found


def warm_up(installed: Installed, dtype: str) -> WarmUp:
    """Compile ahead what usual networks need in a dtype.

    Examples
    --------
    >>> warm_up(Installed("none", "nobody", Accelerator()), "float32").seconds is None
    True
    """
    before = installed.accelerator.compile_seconds()
    try:
        seconds = installed.accelerator.warm_up(dtype)
    except Exception as error:  # an accelerator is another's code, and the report goes on
        found = f"compiling for {dtype} fails: {type(error).__name__}: {error}"
        remedy = 'repair, update or uninstall it, or fit with accelerator=None; "auto" takes it otherwise'
        return WarmUp(
            None, finding=Finding("warm-up", "problem", f"{installed.name}, {installed.source}", found, remedy)
        )
    return WarmUp(seconds, installed.accelerator.compile_seconds() - before)


def _found(book: Registry) -> Iterator[Installed]:
    for entry in book.entries("accelerator"):
        try:
            cls = book.get("accelerator", f"{entry.distribution}:{entry.name}")
        except RegistryError:
            continue  # it stands among the plugins
        source = f"{entry.distribution} {entry.version}" if entry.distribution else "modnet.register"
        yield Installed(entry.name, source, cls())

"""List the components that are installed.

A component that cannot be used is listed with the reason: its plugin fails to import, or its class is no component of
that kind. To say what a component does, its plugin is imported; KIND limits that to one kind, and --names imports
nothing.
"""

import argparse
import inspect
from collections.abc import Sequence
from typing import Any

import modnet  # noqa: F401  declares the kinds
from modnet.cli.output import emit
from modnet.diagnosis.plugins import reason
from modnet.errors import RegistryError
from modnet.registry import Entry, group_of, registry
from modnet.text import counted, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("kind", nargs="?", metavar="KIND", choices=registry.kinds, help=", ".join(registry.kinds))
    parser.add_argument("--names", action="store_true", help="names only")


def run(args: argparse.Namespace) -> int:
    """List; return the exit status."""
    if args.names:
        names = [{"kind": entry.kind, "name": qualified(entry)} for entry in registry.entries(args.kind)]
        lines = [each["name"] if args.kind else f"{each['kind']:<11}  {each['name']}" for each in names]
        emit(args, names, "\n".join(lines))
        return 0
    found = [described(entry, cls) for entry, cls in registry.classes(args.kind)]
    emit(args, found, _text(found))
    return 0


def qualified(entry: Entry) -> str:
    """Return the name that leads to an entry: with its distribution in front if others have the same."""
    others = [other for other in registry.entries(entry.kind) if other.name == entry.name]
    return entry.name if len(others) == 1 else f"{entry.distribution}:{entry.name}"


def described(entry: Entry, cls: Any) -> dict[str, Any]:
    """Return what there is to say about an entry.

    Parameters
    ----------
    entry : Entry
    cls : type or RegistryError
        Its class, or why it has none.

    Returns
    -------
    dict
        ``kind``, ``name``, ``distribution``, ``version``, ``module`` (``"package.module:Class"``), ``summary`` (the
        first line of its docstring, or null) and ``error`` (why it cannot be used, or null).
    """
    broken = isinstance(cls, RegistryError)
    return {
        "kind": entry.kind,
        "name": qualified(entry),
        "distribution": entry.distribution,
        "version": entry.version,
        "module": entry.value,
        "summary": None if broken else (inspect.getdoc(cls) or "").partition("\n")[0],
        "error": reason(cls) if broken else None,
    }


def _text(found: Sequence[dict[str, Any]]) -> str:
    parts = []
    for kind in dict.fromkeys(each["kind"] for each in found):
        rows = [
            [
                each["name"],
                f"{each['distribution']} {each['version']}".strip() or "this process",
                f"BROKEN: {each['error']}" if each["error"] else each["summary"],
            ]
            for each in found
            if each["kind"] == kind
        ]
        parts.append(f"{group_of(kind).partition('.')[2]}\n\n{table(['name', 'from', 'what it is'], rows)}")
    broken = sum(each["error"] is not None for each in found)
    parts.append(counted(len(found), "component") + (f", {broken} of them BROKEN" if broken else ""))
    return "\n\n".join(parts)

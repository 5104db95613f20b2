"""The commands that list the components that are installed, and that describe one."""

import argparse
import inspect
import re
from collections import Counter
from typing import Any

import pydantic

import modnet  # noqa: F401  declares the kinds
from modnet.cli.shared import emit
from modnet.component import Component, dump, field_names
from modnet.diagnosis.plugins import reason
from modnet.docstrings import entries, sections
from modnet.entries import article, group_of
from modnet.errors import RegistryError, UnknownComponentError
from modnet.registry import estimators, registry
from modnet.slot import SLOT_MARK
from modnet.text import Table, counted, filled
from modnet.words import suggestions


def components_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``components``."""
    kinds = (*registry.kinds, *estimators.kinds)
    parser.add_argument("kind", nargs="?", metavar="KIND", choices=kinds, help=", ".join(kinds))
    parser.add_argument("--names", action="store_true", help="names only")


def components(args: argparse.Namespace) -> None:
    """List the components and the estimators that are installed.

    A component that cannot be used is listed with the reason: its plugin fails to import, or its class is no component
    of that kind. To say what a component does, its plugin is imported; KIND limits that to one kind, and --names
    imports nothing. Of estimators KIND says what they are, since they import scikit-learn.
    """
    names = {entry: book.name_of_entry(entry) for book in (registry, estimators) for entry in book.entries(args.kind)}
    if args.names:
        lines = [name if args.kind else f"{entry.kind:<11}  {name}" for entry, name in names.items()]
        emit(args, [{"kind": entry.kind, "name": name} for entry, name in names.items()], "\n".join(lines))
        return
    classes = dict(registry.classes(args.kind)) | (dict(estimators.classes(args.kind)) if args.kind else {})
    found: list[dict[str, Any]] = [
        {
            "kind": entry.kind,
            "name": name,
            "distribution": entry.distribution,
            "version": entry.version,
            "module": entry.value,
            "summary": (inspect.getdoc(cls) or "").partition("\n")[0] if isinstance(cls, type) else None,
            "error": reason(cls) if isinstance(cls, RegistryError) else None,
        }
        for entry, name in names.items()
        for cls in [classes.get(entry)]
    ]
    tables: dict[str, list[list[str]]] = {}
    for each in found:
        source = f"{each['distribution']} {each['version']}".strip() or "this process"
        what = f"BROKEN: {each['error']}" if each["error"] else each["summary"] or each["module"]
        tables.setdefault(each["kind"], []).append([each["name"], source, what])
    header = ["name", "from", "what it is"]
    parts = [f"{group_of(kind).partition('.')[2]}\n\n{Table(header, rows)}" for kind, rows in tables.items()]
    broken = sum(each["error"] is not None for each in found)
    number = Counter("estimator" if each["kind"] == "estimator" else "component" for each in found)
    total = ", ".join(counted(count, what) for what, count in number.items())
    parts.append(total + (f", {broken} of them BROKEN" if broken else ""))
    emit(args, found, "\n\n".join(parts))


def describe_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``describe``."""
    parser.add_argument("name", metavar="NAME", help="such as relu, or acme-layers:relu")
    parser.add_argument("--kind", choices=registry.kinds, metavar="KIND", help=", ".join(registry.kinds))


def describe(args: argparse.Namespace) -> None:
    """Describe a component: its equation, its fields and where it comes from.

    NAME is a registered name, or distribution:name where several distributions offer one of that name; without a
    distribution a standard name is modnet-layers'. Components of several kinds that have the same name are all
    described; --kind chooses one.
    """
    bare = args.name.rpartition(":")[2]
    kinds = [args.kind] if args.kind else [kind for kind in registry.kinds if bare in registry.names(kind)]
    if not kinds:
        known = sorted({name for kind in registry.kinds for name in registry.names(kind)})
        close = suggestions(bare, known, 3)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "'modnet components' lists what there is"
        raise UnknownComponentError(f"there is no component {args.name!r}; {hint}")
    found, problems = [], []
    for kind in kinds:
        try:
            found.append(described(registry.get(kind, args.name)))
        except RegistryError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    emit(args, found, "\n\n\n".join(map(_text, found)))


def described(cls: type[Component]) -> dict[str, Any]:
    """Return what there is to say about a component class.

    Returns
    -------
    dict
        ``kind``, ``name``, ``class``, ``module``, ``distribution``, ``version``, ``summary`` (with the equation),
        ``text`` (what else its docstring says before its sections), ``references`` and ``fields``: for each ``name``,
        ``type`` (with bounds), ``schema`` (the same as JSON Schema), ``required``, ``default`` and ``text``.
    """
    entry = registry.entry_of(cls)
    docstring = inspect.getdoc(cls) or ""
    head, told = sections(docstring)
    summary, _, text = head.partition("\n")
    schemas = pydantic.TypeAdapter(cls).json_schema()
    fields = []
    for name in field_names(cls):
        schema, info = schemas["properties"][name], cls.__pydantic_fields__[name]  # type: ignore[attr-defined]
        default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
        fields.append(
            {
                "name": name,
                "type": in_words(schema),
                "schema": schema,
                "required": info.is_required(),
                "default": _dumped(default),
                "text": _text_of_field(cls, name),
            }
        )
    return {
        "kind": cls.kind,
        "name": registry.name_of(cls),
        "class": cls.__qualname__,
        "module": cls.__module__,
        "distribution": entry.distribution if entry else "",
        "version": entry.version if entry else "",
        "summary": summary,
        "text": text.strip(),
        "references": told.get("References", ""),
        "fields": fields,
    }


def in_words(schema: dict[str, Any]) -> str:
    """Return what a JSON Schema allows, in a few words.

    Examples
    --------
    >>> in_words({"type": "number", "minimum": 0, "exclusiveMaximum": 1})
    'number in [0, 1)'
    >>> in_words({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
    'integer ≥ 1, or none'
    >>> in_words({"enum": ["error", "missing"]})
    "'error' or 'missing'"
    """
    if SLOT_MARK in schema:
        mark = schema[SLOT_MARK]
        return _or([*map(article, mark["kinds"]), *map(in_words, mark["also"])])
    if "anyOf" in schema:
        *words, last = (in_words(each) for each in schema["anyOf"])
        return f"{', '.join(words)}, or {last}"
    if "enum" in schema or "const" in schema:
        return _or([repr(each) for each in schema.get("enum", [schema.get("const")])])
    if "$ref" in schema:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", schema["$ref"].rpartition("/")[2]).lower()
    if schema.get("type") == "array":
        inside = schema.get("items", {})
        if "prefixItems" in schema:
            return f"[{', '.join(in_words(each) for each in schema['prefixItems'])}]"
        shortest = f" of at least {schema['minItems']}" if schema.get("minItems") else ""
        return f"list{shortest}: {in_words(inside)}" if inside else f"list{shortest}"
    word = {"null": "none", "boolean": "true or false", "string": "text"}.get(schema.get("type", ""))
    return f"{word or schema.get('type', 'anything')}{_range(schema)}"


def _range(schema: dict[str, Any]) -> str:
    """Return the bounds of a number: " ≥ 1", " in [0, 1)"."""
    signs = {"≥": "minimum", ">": "exclusiveMinimum", "≤": "maximum", "<": "exclusiveMaximum"}
    bounds = [(sign, schema[key]) for sign, key in signs.items() if schema.get(key) is not None]
    if len(bounds) == 2:
        (low, a), (high, b) = bounds
        return f" in {'[' if low == '≥' else '('}{a:g}, {b:g}{']' if high == '≤' else ')'}"
    return "".join(f" {sign} {bound:g}" for sign, bound in bounds)


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _dumped(value: Any) -> Any:
    """Return a default as it would stand in a spec."""
    if isinstance(value, tuple):
        return [_dumped(each) for each in value]
    return dump(value) if isinstance(value, Component) and value.kind else value


def _text_of_field(cls: type, name: str) -> str:
    """Return what the docstring of a class says about a field."""
    found = entries(sections(cls.__doc__ or "")[1].get("Parameters", "")).get(name, "")
    return " ".join(found.partition("\n")[2].split())


def _text(each: dict[str, Any]) -> str:
    where = f"{each['module']}:{each['class']}"
    source = f"{each['distribution']} {each['version']}, {where}" if each["distribution"] else f"this process, {where}"
    blocks = [f"{each['name']}  ({each['kind']}, {source})", _wrapped(each["summary"])]
    blocks += [_wrapped(paragraph) for paragraph in each["text"].split("\n\n") if paragraph]
    rows = [[f["name"], f["type"], "required" if f["required"] else _default(f["default"])] for f in each["fields"]]
    if rows:
        blocks.append(str(Table(["field", "value", "default"], rows)))
        blocks.append("\n".join(_wrapped(f"{f['name']}: {f['text']}", "    ") for f in each["fields"] if f["text"]))
    else:
        blocks.append("It has no fields.")
    if each["references"]:
        blocks.append(_wrapped(f"References: {each['references']}", "    "))
    return "\n\n".join(blocks)


def _default(value: Any) -> str:
    """Return a default in a word or two: of a component its name, and the fields it was given."""
    if isinstance(value, dict) and "type" in value:
        return str(value["type"])
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _wrapped(text: str, indent: str = "") -> str:
    # A formula or code is set off from the text: its lines stay as they are.
    return text if "\n    " in text else filled(text, indent)

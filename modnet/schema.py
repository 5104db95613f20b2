"""The JSON Schema of a component: what an editor needs to complete and check spec files, installed plugins included.

Slots refer to kinds (``#/$defs/module``), and each kind is one of the components that are registered for it; so
containers may hold themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

from modnet.component import SLOT_MARK, Component
from modnet.errors import RegistryError
from modnet.registry import registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(root: type[Component]) -> dict[str, Any]:
    """Return the JSON Schema of a component class, with every component that its slots may hold.

    A plugin that fails to import is left out.

    Examples
    --------
    >>> from modnet import ModelSpec
    >>> schema = json_schema(ModelSpec)
    >>> schema["properties"]["layers"]["items"]
    {'anyOf': [{'$ref': '#/$defs/module'}, {'$ref': '#/$defs/activation'}]}
    >>> schema["$defs"]["activation.relu"]["properties"]["type"]
    {'const': 'relu'}
    """
    definitions: dict[str, Any] = {}
    schema = _own(root, definitions)
    for kind in registry.kinds:
        definitions[kind] = _kind(kind, definitions)
    return {"$schema": DIALECT, **schema, "$defs": dict(sorted(definitions.items()))}


def _kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a kind: a name, or the mapping of one of its components."""
    names, mappings = [], []
    for entry, cls in registry.classes(kind):
        if isinstance(cls, RegistryError):
            continue  # `doctor` says what is wrong with it
        name = registry.name_of(cls) or f"{entry.distribution}:{entry.name}"
        own = _own(cls, definitions)
        own["properties"] = {"type": {"const": name}, **own.get("properties", {})}
        own["required"] = ["type", *own.get("required", [])]
        definitions[f"{kind}.{name}"] = own
        names.append(name)
        mappings.append({"$ref": f"#/$defs/{kind}.{name}"})
    return {"anyOf": [{"enum": names}, *mappings]} if names else {"not": {}}


def _own(cls: type[Component], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a class, its slots as references; what Pydantic defines apart goes to `definitions`."""
    schema: dict[str, Any] = _with_references(pydantic.TypeAdapter(cls).json_schema())
    definitions.update(schema.pop("$defs", {}))
    return schema


def _with_references(schema: Any) -> Any:
    """Return a schema with the marks of slots replaced by references to kinds."""
    if isinstance(schema, Mapping):
        if SLOT_MARK in schema:
            choices: Sequence[dict[str, Any]] = [{"$ref": f"#/$defs/{kind}"} for kind in schema[SLOT_MARK]["kinds"]]
            choices = [*choices, *({"const": word} for word in schema[SLOT_MARK]["keep"])]
            rest = {key: each for key, each in schema.items() if key != SLOT_MARK}
            return {**(choices[0] if len(choices) == 1 else {"anyOf": choices}), **rest}
        return {key: _with_references(each) for key, each in schema.items()}
    return [_with_references(each) for each in schema] if isinstance(schema, list) else schema

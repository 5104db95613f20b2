"""The JSON Schema of components: what an editor completes specs by, with every installed plugin.

In it slots refer to kinds (``#/$defs/layer``), and each kind is one of the components that are registered for it; so
containers may hold themselves.
"""

from collections.abc import Mapping
from typing import Any

import pydantic

from modnet.component import Component
from modnet.errors import RegistryError
from modnet.registry import registry
from modnet.slot import SLOT_MARK


def schema_of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a kind: a name, or the mapping of one of its components.

    Parameters
    ----------
    kind : str
        Such as ``"layer"``.
    definitions : dict
        What the schema refers to by ``#/$defs/…``; what is not there yet is added.

    Returns
    -------
    dict
        JSON Schema; nothing is valid for a kind that nobody offers anything for.
    """
    names, references, offered = [], [], [entry.name for entry in registry.entries(kind)]
    for entry, cls in registry.classes(kind):
        if isinstance(cls, RegistryError):
            continue  # `doctor` says what is wrong with it
        name = registry.name_of_entry(entry)
        known = sorted({name, entry.name}) if offered.count(entry.name) == 1 else [name]
        own = schema_of(cls, definitions)
        own["properties"] = {"type": {"enum": known}, **own.get("properties", {})}
        own["required"] = ["type", *own.get("required", [])]
        definitions[f"{kind}.{name}"] = own
        names += known
        references.append({"$ref": f"#/$defs/{kind}.{name}"})
    return {"anyOf": [{"enum": names}, *references]} if names else {"not": {}}


def schema_of(class_: type[Component], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a class, its slots as references; what Pydantic defines apart goes to `definitions`.

    Parameters
    ----------
    class_ : type
        Of a component, or another that Pydantic validates.
    definitions : dict
        What the schema refers to by ``#/$defs/…``; what is not there yet is added.

    Returns
    -------
    dict
        JSON Schema.
    """
    schema: dict[str, Any] = _with_references(pydantic.TypeAdapter(class_).json_schema())
    definitions.update(schema.pop("$defs", {}))
    return schema


def _with_references(schema: Any) -> Any:
    """Return a schema with the marks of slots replaced by references to kinds."""
    if isinstance(schema, Mapping):
        if mark := schema.get(SLOT_MARK):
            choices = [*({"$ref": f"#/$defs/{kind}"} for kind in mark["kinds"]), *mark["also"]]
            rest = {key: each for key, each in schema.items() if key != SLOT_MARK}
            return {**(choices[0] if len(choices) == 1 else {"anyOf": choices}), **rest}
        return {key: _with_references(each) for key, each in schema.items()}
    return [_with_references(each) for each in schema] if isinstance(schema, list) else schema

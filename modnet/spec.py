"""The spec: layers, loss, optimizer and training settings, validated as a whole; to and from JSON, with its schema.

Names in a spec are resolved through the registry and in no other way: reading one never imports what it names unless an
installed distribution has registered it. In the JSON Schema slots refer to kinds (``#/$defs/layer``), and each kind is
one of the components that are registered for it; so containers may hold themselves.
"""

import importlib.metadata
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import pydantic

from modnet.base import Activation, Column, Loss, Module, Optimizer, Shape, Solver, TableShape, located
from modnet.component import Component, dump_fields, walk
from modnet.errors import InvalidSpecError, RegistryError
from modnet.files import as_json
from modnet.network import Network
from modnet.registry import registry
from modnet.slot import SLOT_MARK, Converted, Slot, Slots, default
from modnet.training import TrainingSettings

DENSE = "modnet-layers:dense"
"""The layer behind ``layers=(100,)`` and in front of the output, by its full name: no plugin can take its place."""


class ModelSpec(Component):
    """Everything that makes a model, except the data and the seed.

    Parameters
    ----------
    layers : tuple of Module
        The hidden layers: instances, registered names or mappings. The output layer is not among them: its width
        comes from the data.
    output_activation : Activation, optional
        Applied behind the output layer; None: the raw output is affine, as losses on logits want it.
    loss : Loss or "auto"
        "auto": cross-entropy for classes, squared error for numbers.
    optimizer : Optimizer
    training : TrainingSettings
    spec_version : int
        Version of this format.

    Raises
    ------
    InvalidSpecError
        With the path of every value that is not valid.

    Examples
    --------
    >>> from modnet import ModelSpec
    >>> spec = ModelSpec(layers=[{"type": "dense", "units": 8, "activation": "tanh"}], optimizer="sgd")
    >>> spec.layers
    (Dense(units=8, activation=Tanh()),)
    >>> ModelSpec.from_json(spec.to_json()) == spec
    True
    >>> [link.title for link in spec.network(n_features=4, n_outputs=3).links]
    ['layers[0] (Dense)', 'layers[0].activation (Tanh)', 'output (Dense)']
    """

    layers: Slots[Module] = default(())
    output_activation: Slot[Activation | None] = default(None)
    loss: Slot[Loss | Literal["auto"]] = default("auto")
    optimizer: Slot[Optimizer | Solver] = default("adam")
    training: Converted[TrainingSettings, TrainingSettings | Mapping[str, Any]] = default(TrainingSettings())
    spec_version: Literal[1] = 1

    @property
    def requires(self) -> dict[str, str]:
        """The distributions whose components it uses, with their versions; classes registered by hand have none."""
        entries = (registry.entry_of(type(each)) for _, each in walk(self))
        return {entry.distribution: entry.version for entry in entries if entry and entry.distribution}

    def network(self, n_features: int, n_outputs: int, columns: Sequence[Column] | None = None) -> Network:
        """Return the network that the spec describes, for data of these widths.

        Parameters
        ----------
        n_features, n_outputs : int
            Columns of X and of the raw output.
        columns : sequence of Column, optional
            Names of the columns of X and what is in them, for layers that go by it.

        Raises
        ------
        ShapeError
            If a layer does not fit what comes before it.
        """
        shape: Shape = (n_features,) if columns is None else TableShape(columns)
        links = [*located("layers", self.layers), ("output", registry.get("layer", DENSE)(n_outputs))]
        if self.output_activation is not None:
            links.append(("output_activation", self.output_activation))
        return Network(links, shape)

    # To and from text

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain mappings, sequences and numbers, with what it `requires`."""
        return {**dump_fields(self), "requires": self.requires}

    def to_json(self) -> str:
        """Return the spec as JSON.

        Raises
        ------
        RegistryError
            If a component's class has no registered name.
        """
        return json.dumps(as_json(self.to_dict()), indent=2, allow_nan=False)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of specs, with every installed plugin, for editors to complete and check files by.

        A plugin that fails to import is left out.

        Examples
        --------
        >>> from modnet import ModelSpec
        >>> schema = ModelSpec.json_schema()
        >>> schema["properties"]["layers"]["items"]
        {'anyOf': [{'$ref': '#/$defs/layer'}, {'$ref': '#/$defs/activation'}]}
        >>> schema["$defs"]["activation.relu"]["properties"]["type"]
        {'const': 'relu'}
        """
        definitions: dict[str, Any] = {}
        schema = _schema_of(cls, definitions)
        schema["properties"]["requires"] = {"type": "object", "additionalProperties": {"type": "string"}}
        for kind in registry.kinds:
            definitions[kind] = _schema_of_kind(kind, definitions)
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return {"$schema": dialect, **schema, "$defs": dict(sorted(definitions.items()))}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec that plain mappings describe.

        Parameters
        ----------
        fields : mapping
        allow : iterable of str, optional
            The distributions, beside modnet-layers, whose components the spec may use; None: any that is installed.

        Raises
        ------
        InvalidSpecError
            If something is not valid or not allowed, or a distribution that it requires is not installed.
        """
        if not isinstance(fields, Mapping):
            raise InvalidSpecError(cls.__name__, [("", f"should be a mapping, got {fields!r}")])
        version = fields.get("spec_version", 1)
        if isinstance(version, int) and version > 1:
            problem = f"this modnet reads version 1, got {version}: upgrade the distribution modnet-layers"
            raise InvalidSpecError("ModelSpec", [("spec_version", problem)])
        _check_requirements(fields.get("requires", {}))
        with registry.allowing(allow):
            return cls(**{name: each for name, each in fields.items() if name != "requires"})

    @classmethod
    def from_json(cls, text: str | bytes, *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec that a JSON text describes; see `from_dict`."""
        return cls._from_text(text, "JSON", json.loads, allow)

    @classmethod
    def from_toml(cls, text: str, *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec that a TOML text describes; see `from_dict`."""
        return cls._from_text(text, "TOML", tomllib.loads, allow)

    @classmethod
    def _from_text(cls, text: Any, format: str, loads: Callable[[Any], Any], allow: Iterable[str] | None) -> Self:
        try:
            fields = loads(text)
        except ValueError as error:  # of both formats, and of bytes that are no text
            raise InvalidSpecError(cls.__name__, [("", f"should be {format}: {error}")]) from error
        return cls.from_dict(fields, allow=allow)

    @classmethod
    def load(cls, path: str | Path, *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec in a file whose name ends in .json or .toml."""
        path = Path(path)
        readers = {".json": cls.from_json, ".toml": cls.from_toml}
        if path.suffix not in readers:
            raise InvalidSpecError(cls.__name__, [("", f"should be a .json or .toml file, got {str(path)!r}")])
        return readers[path.suffix](path.read_text(encoding="utf-8"), allow=allow)


def _check_requirements(requires: Any) -> None:
    """Say which distributions are missing; warn of those older than the ones that the spec was written with."""
    if not isinstance(requires, Mapping):
        raise InvalidSpecError("ModelSpec", [("requires", f"should map distributions to versions, got {requires!r}")])
    problems = []
    for name, version in requires.items():
        if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name)):
            problems.append(("requires", f"{name!r} is not the name of a distribution"))
            continue
        if not (isinstance(version, str) and _release(version)):
            problems.append((f"requires.{name}", f"should be a version such as '1.2', got {version!r}"))
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            remedy = f"install it (python -m pip install {name}) if you trust it"
            problems.append((f"requires.{name}", f"version {version} was used, none is installed: {remedy}"))
            continue
        if _release(found) < _release(version):
            warnings.warn(f"the spec was written with {name} {version}, {found} is installed", stacklevel=5)
    if problems:
        raise InvalidSpecError("ModelSpec", problems)


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with, without zeros at the end: (1, 2) for "1.2.0rc1"."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, re.sub(r"(\.0+)+$", "", match.group()).split("."))) if match else ()


def _schema_of_kind(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a kind: a name, or the mapping of one of its components."""
    names = []
    for entry, cls in registry.classes(kind):
        if isinstance(cls, RegistryError):
            continue  # `doctor` says what is wrong with it
        name = registry.name_of(cls) or f"{entry.distribution}:{entry.name}"
        own = _schema_of(cls, definitions)
        own["properties"] = {"type": {"const": name}, **own.get("properties", {})}
        own["required"] = ["type", *own.get("required", [])]
        definitions[f"{kind}.{name}"] = own
        names.append(name)
    references = ({"$ref": f"#/$defs/{kind}.{name}"} for name in names)
    return {"anyOf": [{"enum": names}, *references]} if names else {"not": {}}


def _schema_of(cls: type[Component], definitions: dict[str, Any]) -> dict[str, Any]:
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

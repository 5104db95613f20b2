"""The spec: inputs, layers, output, loss, optimizer and training settings, validated as a whole; to and from JSON.

Names in a spec are resolved through the registry and in no other way: reading one never imports what it names unless an
installed distribution has registered it.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from modnet.base import (
    Activation,
    Inputs,
    Links,
    Loss,
    Module,
    Optimizer,
    Output,
    Shape,
    Solver,
    located,
    shape_through,
    under,
)
from modnet.component import Component, dump_fields, walk
from modnet.errors import InvalidSpecError, ShapeError
from modnet.files import as_json, write_whole
from modnet.network import Network, checked_shape
from modnet.registry import registry
from modnet.requirements import check_requirements
from modnet.schema import schema_of, schema_of_kind
from modnet.slot import Converted, Slot, default
from modnet.spec_slots import LayerSlot, OptimizerSlot
from modnet.training import TrainingSettings


class ModelSpec(Component):
    """Everything that makes a model, except the data and the seed.

    Parameters
    ----------
    inputs : Inputs or Module, optional
        What turns the columns of X into the numbers that layers take, by default `Table`; None: X as it is.
    layers : tuple of Module
        The hidden layers: instances, registered names, mappings, or numbers of units, each a dense layer with ReLU.
    output : Output
        What ends the network in as many columns as the loss asks for, which only the data tells.
    output_activation : Activation, optional
        Applied behind the output layer; None: the raw output is affine. Only for a loss of numbers that predicts the
        raw output as it is: the others apply a link themselves, or look at scores.
    loss : Loss or "auto"
        "auto": cross-entropy for classes, squared error for numbers.
    optimizer : Optimizer or Solver
        "auto", the default: Adam with a rate of 0.003 and β₂ = 0.95.
    training : TrainingSettings
        How long, on which batches, with which penalty.
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
    >>> [link.title for link in spec.network((4,), 3).links]
    ['inputs (Encode)', 'layers[0] (Dense)', 'layers[0].activation (Tanh)', 'output (Dense)']
    """

    inputs: Slot[Inputs | Module | None] = default("modnet-layers:table")
    layers: Converted[tuple[Annotated[Module, LayerSlot()], ...], Sequence[Module | int | str | Mapping[str, Any]]] = (
        default(())
    )
    output: Slot[Output] = default("affine")
    output_activation: Slot[Activation | None] = default(None)
    loss: Slot[Loss | Literal["auto"]] = default("auto")
    optimizer: Converted[
        Annotated[Optimizer | Solver, OptimizerSlot()], Optimizer | Solver | str | Mapping[str, Any]
    ] = default("auto")
    training: Converted[TrainingSettings, TrainingSettings | Mapping[str, Any]] = default(TrainingSettings())
    spec_version: Literal[1] = 1

    @model_validator(mode="after")
    def _one_link_only(self) -> Self:
        loss, activation = self.loss, self.output_activation
        if activation is not None and isinstance(loss, Loss) and (loss.links or loss.for_task("regression") is None):
            why = f"because {loss!r} " + ("has a link of its own" if loss.links else "looks at scores without bounds")
            raise ValueError(f"output_activation: should be None, {why}; got {activation!r}: leave it out")
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        seen: dict[str, str] = {}
        for path, each in self.modules():
            if isinstance(each, Module) and each.name is not None and seen.setdefault(each.name, path) != path:
                raise ValueError(f"{path}.name: {each.name!r} is the name of {seen[each.name]} already: names differ")
        return self

    def modules(self) -> Iterator[tuple[str, Inputs | Module | Output]]:
        """Yield inputs, layers, those inside layers too, and output, with their paths.

        Yields
        ------
        (str, Inputs or Module or Output)
            Outer ones before those inside.
        """
        for field in ("inputs", "layers", "output", "output_activation"):
            for path, each in walk(getattr(self, field), field):
                if isinstance(each, Inputs | Module | Output):
                    yield path, each

    @property
    def requires(self) -> dict[str, str]:
        """The distributions whose components it uses, with their versions; classes registered by hand have none."""
        entries = (registry.entry_of(type(each)) for _, each in walk(self))
        return {entry.distribution: entry.version for entry in entries if entry and entry.distribution}

    def network(self, shape: Shape, width: int) -> Network:
        """Return the network that the spec describes.

        Parameters
        ----------
        shape : tuple of int
            Per row of X: ``(n_features,)``, or a `TableShape` for layers that go by the names and kinds of columns.
        width : int
            Columns of the raw output, ≥ 1.

        Returns
        -------
        Network
            It holds no weights.

        Raises
        ------
        ShapeError
            If a layer does not fit what comes before it, or the output does not end in rows of shape ``(width,)``.
        """
        shape = checked_shape(shape)
        links = self.before_output(shape)
        links += under("output", self.output.links(shape_through(links, shape), width))
        if self.output_activation is not None:
            links.append(("output_activation", self.output_activation))
        network = Network(links, shape)
        if network.output_shape != (width,):
            found = f"should end in rows of shape {(width,)}, got {network.output_shape}"
            remedy = "put Flatten() in front, or where rows should become one axis"
            raise ShapeError(f"output ({type(self.output).__name__}): {found}: {remedy}")
        return network

    def without_plan(self) -> Self:
        """Return the spec without a plan for columns in front, if its first layers go by columns themselves.

        Returns
        -------
        ModelSpec
            Itself, if nothing is to be left out.
        """
        for layer in self.layers if isinstance(self.inputs, Inputs) else ():
            if any(isinstance(each, Module) and each.takes_columns for _, each in walk(layer)):
                return replace(self, inputs=None)
            if not layer.fixed:
                break  # what comes behind it are no columns any more
        return self

    def before_output(self, shape: Shape) -> list[tuple[str, Module]]:
        """Return inputs and layers with their paths: what does not depend on how much there is to predict.

        Parameters
        ----------
        shape : tuple of int
            Per row of X; see `network`.

        Returns
        -------
        list of (str, Module)
            From X to what the output takes.
        """
        inputs = self.without_plan().inputs
        front: Links = inputs.links(shape) if isinstance(inputs, Inputs) else [("", inputs)] if inputs else []
        return [*under("inputs", front), *located("layers", self.layers)]

    # To and from text

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain mappings, sequences and numbers, with what it `requires`.

        Returns
        -------
        dict
            What `from_dict` reads.
        """
        return {**dump_fields(self), "requires": self.requires}

    def to_json(self) -> str:
        """Return the spec as JSON.

        Returns
        -------
        str
            What `from_json` reads.

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
        {'anyOf': [{'$ref': '#/$defs/layer'}, {'$ref': '#/$defs/activation'}, {'minimum': 1, 'type': 'integer'}]}
        >>> schema["$defs"]["activation.relu"]["properties"]["type"]
        {'enum': ['relu']}
        """
        definitions: dict[str, Any] = {}
        schema = schema_of(cls, definitions)
        schema["properties"]["requires"] = {"type": "object", "additionalProperties": {"type": "string"}}
        for kind in registry.kinds:
            definitions[kind] = schema_of_kind(kind, definitions)
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return {"$schema": dialect, **schema, "$defs": dict(sorted(definitions.items()))}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec that plain mappings describe.

        Parameters
        ----------
        fields : mapping
            As from `to_dict`.
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
        check_requirements(fields.get("requires", {}))
        with registry.allowing(allow):
            return cls(**{name: each for name, each in fields.items() if name != "requires"})

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the spec that a value is or describes: a spec, its mapping, or its JSON text.

        Parameters
        ----------
        value : ModelSpec, mapping or str
            What is, or describes, one.

        Raises
        ------
        TypeError
            If it is something else.
        InvalidSpecError
            If it describes none.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.from_json(value)
        if isinstance(value, Mapping):
            return cls.from_dict(value)
        raise TypeError(
            f"a spec is a {cls.__name__}, its mapping or its JSON text, got {type(value).__name__}: {value!r}; "
            f"{cls.__name__}.load reads one from a file"
        )

    @classmethod
    def from_json(cls, text: str | bytes, *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec that a JSON text describes.

        Parameters
        ----------
        text : str or bytes
            As from `to_json`.
        allow : iterable of str, optional
            As for `from_dict`.
        """
        return cls._from_text(text, "JSON", partial(json.loads, object_pairs_hook=_once), allow)

    @classmethod
    def from_toml(cls, text: str | bytes, *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec that a TOML text describes.

        Parameters
        ----------
        text : str or bytes
            With the fields of `to_dict`.
        allow : iterable of str, optional
            As for `from_dict`.
        """
        return cls._from_text(text, "TOML", tomllib.loads, allow)

    @classmethod
    def _from_text(cls, text: Any, format: str, loads: Callable[[Any], Any], allow: Iterable[str] | None) -> Self:
        if not isinstance(text, str | bytes):
            raise TypeError(f"{format} is text, got {type(text).__name__}: {text!r}")
        try:
            fields = loads(text if isinstance(text, str) else text.decode())
        except (ValueError, RecursionError) as error:  # of both formats, and of bytes that are no text
            reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
            reason = "a number in it has more digits than Python reads" if "digits" in reason else reason
            raise InvalidSpecError(cls.__name__, [("", f"should be {format}: {reason}, got {text[:40]!r}")]) from error
        return cls.from_dict(fields, allow=allow)

    def save(self, path: str | Path) -> None:
        """Write the spec as JSON to a file, which `load` reads; one that is there is replaced.

        Parameters
        ----------
        path : str or Path
            Its name ends in .json.

        Raises
        ------
        InvalidSpecError
            If the name of the file does not end in .json.
        RegistryError
            If a component's class has no registered name.
        """
        path = Path(path)
        if path.suffix != ".json":
            raise InvalidSpecError(type(self).__name__, [("", f"is written to a .json file, got {str(path)!r}")])
        text = self.to_json()
        write_whole(path, lambda file: file.write(f"{text}\n".encode()))

    @classmethod
    def load(cls, path: str | Path, *, allow: Iterable[str] | None = None) -> Self:
        """Return the spec in a file whose name ends in .json or .toml.

        Parameters
        ----------
        path : str or Path
            The file.
        allow : iterable of str, optional
            As for `from_dict`.
        """
        path = Path(path)
        readers = {".json": cls.from_json, ".toml": cls.from_toml}
        if path.suffix not in readers:
            raise InvalidSpecError(cls.__name__, [("", f"should be a .json or .toml file, got {str(path)!r}")])
        return readers[path.suffix](path.read_bytes(), allow=allow)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object whose keys differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there more than once")
    return found

"""A slot is a field that holds a component and takes it as an instance, a registered name or a mapping.

`Slot` and `Slots` are written as the field's type. Type checkers read in them what an attribute holds and what a
constructor takes; at run time they leave a mark that tells Pydantic how to make the one of the other.
"""

import functools
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Self, TypeVar, Union, get_args, get_origin, overload

import pydantic
import typing_extensions
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from modnet.component import Component, cause_of, dump, explained, field_names, unknown_field
from modnet.entries import article
from modnet.errors import InvalidSpecError
from modnet.registry import registry

__all__ = ["Converted", "Slot", "Slots", "default", "parse", "slots"]

SLOT_MARK = "x-slot"
"""What a slot leaves in Pydantic's JSON Schema."""

_Kept = TypeVar("_Kept")
_Given = TypeVar("_Given")
_Held = typing_extensions.TypeVar("_Held", default=Any)


class Converted(Generic[_Kept, _Given]):
    """The type of a field that is kept as one type and given as another, which Pydantic converts.

    ``Converted[tuple[int, ...], Sequence[int]]`` takes a list and holds a tuple. At run time it is
    the first of the two.
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, component: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, component: object, owner: Any) -> _Kept: ...
        def __get__(self, component: Any, owner: Any) -> Any: ...
        def __set__(self, component: Any, value: _Given) -> None: ...

    else:

        def __class_getitem__(cls, kept_and_given):
            """Return what the field is kept as."""
            return kept_and_given[0]


if TYPE_CHECKING:

    class Slots(Converted[tuple[_Held, ...], Sequence[_Held | str | Mapping[str, Any]]], Generic[_Held]): ...

else:

    class Slots:
        """The type of a field that holds components in a tuple, and takes any sequence of what a `Slot` takes."""

        def __class_getitem__(cls, held):
            """Return the annotation of such a field."""
            return tuple[Slot[held], ...]


class Slot(Generic[_Held]):
    """The type of a field that holds a component; an object of it says which components fit.

    ``Slot[Activation]`` takes an instance, a registered name (``"relu"``) or a mapping (``{"type": "leaky_relu",
    "slope": 0.1}``, where ``type`` is a name or, in Python only, a class), and holds an `Activation`. None and words
    that stay as they are stand beside it: ``Slot[Activation | None]``, ``Slot[Initializer | Literal["auto"]]``. Names
    are looked up in the kinds of the classes, in their order, and then in kinds that derive from them: ``Slot[Module]``
    takes activations, too. They are looked up when a value is checked, so that plugins registered late and recursive
    containers work.

    Parameters
    ----------
    *kinds : str
        The kinds it takes; a name is looked up in them in this order.
    keep : tuple of str
        Words that stay as they are, such as ``"auto"``.
    classes : tuple of type
        What a component of these kinds has to be; by default anything of the kinds.

    Examples
    --------
    >>> from modnet import Component, Activation
    >>> class Ending(Component):
    ...     activation: Slot[Activation | None] = default(None)
    >>> Ending(), Ending("relu"), Ending({"type": "elu", "alpha": 0.5}).activation
    (Ending(), Ending(activation=ReLU()), ELU(alpha=0.5))
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, component: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, component: object, owner: Any) -> _Held: ...
        def __get__(self, component: Any, owner: Any) -> Any: ...
        def __set__(self, component: Any, value: _Held | str | Mapping[str, Any]) -> None: ...

    else:

        def __class_getitem__(cls, held):
            """Return the annotation of a field that holds this."""
            parts = get_args(held) if get_origin(held) in (Union, UnionType) else (held,)
            words = tuple(word for part in parts if get_origin(part) is Literal for word in get_args(part))
            classes = tuple(part for part in parts if isinstance(part, type) and issubclass(part, Component))
            if not classes:
                raise TypeError(f"Slot[...] needs the class of a component, got {held!r}")
            slot = cls(*_kinds(classes), keep=words, classes=classes)
            marked = Annotated[Union[(*classes, *(part for part in parts if get_origin(part) is Literal))], slot]
            return marked | None if NoneType in parts else marked

    def __init__(self, *kinds: str, keep: tuple[str, ...] = (), classes: tuple[type, ...] = ()) -> None:
        self.kinds = kinds
        self.keep = keep
        self._classes = classes

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell Pydantic to call `resolve` on the way in and `dump` on the way out."""
        serialization = core_schema.plain_serializer_function_ser_schema(dump)
        return core_schema.no_info_plain_validator_function(self.resolve, serialization=serialization)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Leave a mark that says which kinds fit; `ModelSpec.json_schema` makes references of the marks."""
        return {SLOT_MARK: {"kinds": list(self.kinds), "also": [{"const": word} for word in self.keep]}}

    @property
    def classes(self) -> tuple[type, ...]:
        """What a component in it is an instance of."""
        return self._classes or tuple(registry.base(kind) for kind in self.kinds)

    @property
    def _expected(self) -> str:
        """The first of its classes, in words: "a layer", or "a Dense" where the base of layers would not do."""
        first = self.classes[0]
        return article(self.kinds[0] if first is registry.base(self.kinds[0]) else first.__name__)

    def resolve(self, value: Any) -> Any:
        """Return the component that `value` means.

        Parameters
        ----------
        value : object
            A component, its name, or a mapping with its name and its fields.

        Returns
        -------
        Component
            Or what the slot keeps as it is.

        Raises
        ------
        RegistryError
            For a name that leads to no class.
        pydantic.ValidationError
            For fields that are not valid; Pydantic puts the path in front.
        """
        if isinstance(value, self.classes):
            return value
        if isinstance(value, str):
            return value if value in self.keep else _built(self.class_of(value), {})
        if isinstance(value, Mapping) and "type" in value:
            fields = {name: each for name, each in value.items() if name != "type"}
            return _built(self.class_of(value["type"]), fields)
        expected = f"{self._expected}: an instance, a registered name or a mapping with 'type'"
        if isinstance(value, type) and issubclass(value, Component):
            expected = f"an instance, not the class: write {value.__name__}(...)"
        raise PydanticCustomError("not_a_component", "should be {expected}", {"expected": expected})

    def class_of(self, type_: Any) -> Any:
        """Return the component class that the ``type`` of a mapping means.

        Parameters
        ----------
        type_ : str
            A registered name.

        Returns
        -------
        type
            A subclass of `Component`.
        """
        found = registry.get(self.kinds, type_) if isinstance(type_, str) else type_
        if isinstance(found, type) and issubclass(found, self.classes):
            return found
        raise PydanticCustomError("type", "'type' should be the name of {expected}", {"expected": self._expected})


def _kinds(classes: tuple[type[Component], ...]) -> tuple[str, ...]:
    """Return the kinds of components, in order, and behind them those that derive from one of the bases given."""
    first = [each.kind for each in classes if each.kind]
    below = [kind for kind in registry.kinds if any(issubclass(registry.base(kind), each) for each in classes)]
    return tuple(dict.fromkeys([*first, *below]))


def default(value: Any) -> Any:
    """Return the value: the default of a field whose type is a `Slot` or the like, in a form that type checkers take.

    At run time the value alone would do. To a checker it is no `Slot`, and if the field were of the type that it holds,
    the constructor would take no name and no mapping.

    Parameters
    ----------
    value : object
        What the field has if nobody says anything.

    Returns
    -------
    object
        The same.

    Examples
    --------
    >>> default("relu")
    'relu'
    """
    return value


def slots(cls: type[Component]) -> dict[str, Slot]:
    """Return the slots that a component's fields declare, by the name of the field.

    Returns
    -------
    dict of str to Slot
        Fields without one are not in it.

    Examples
    --------
    >>> from modnet.layers import Dense
    >>> {name: slot.kinds for name, slot in slots(Dense).items()}["activation"]
    ('activation', 'layer')
    """
    fields: dict[str, Any] = cls.__pydantic_fields__  # type: ignore[attr-defined]
    found = {name: _slot_in(*fields[name].metadata, fields[name].annotation) for name in field_names(cls)}
    return {name: slot for name, slot in found.items() if slot is not None}


def _slot_in(*annotations: Any) -> Slot | None:
    """Return the first slot in annotations, however deep: in ``tuple[Annotated[Module, Slot("layer")], ...]``."""
    for each in annotations:
        if isinstance(each, Slot):
            return each
        if found := _slot_in(*getattr(each, "__metadata__", ()), *get_args(each)):
            return found
    return None


def parse(slot: Slot, value: Any, *, subject: str, path: str = "") -> Any:
    """Resolve a value that stands outside of any component, such as an argument of a function.

    Parameters
    ----------
    slot : Slot
        Which kinds of component stand there.
    value : object
        A component, its name, or a mapping with its name and its fields.
    subject, path : str
        How the error message calls what is being made, and the place of the value in it.

    Returns
    -------
    Component
        Or what the slot keeps as it is.

    Raises
    ------
    InvalidSpecError
        If it names or describes no valid component.
    """
    try:
        return _adapter(slot).validate_python(value)
    except ValidationError as error:
        report = explained(error, subject)
        problems = [(f"{path}.{inner}".strip("."), text) for inner, text in report.problems]
        raise InvalidSpecError(subject, problems) from cause_of(error)


@functools.lru_cache(maxsize=32)
def _adapter(slot: Slot) -> "pydantic.TypeAdapter[Any]":
    """Return what asks Pydantic to resolve one value; it takes 0.1 ms to make, and a fit parses five times."""
    return pydantic.TypeAdapter(Annotated[Any, slot])


def _built(cls: Any, fields: Mapping[str, Any]) -> Any:
    """Return an instance of `cls`, leaving errors to the Pydantic call we are in, which knows the path."""
    unknown = [name for name in fields if name not in field_names(cls)]
    if unknown:
        texts = [{"text": unknown_field(cls, str(name))} for name in unknown]
        errors = [PydanticCustomError("unknown_field", "{text}", text) for text in texts]
        lines = [InitErrorDetails(type=e, loc=(), input=name) for e, name in zip(errors, unknown, strict=True)]
        raise ValidationError.from_exception_data(cls.__name__, lines)
    return cls.__pydantic_validator__.validate_python(fields)

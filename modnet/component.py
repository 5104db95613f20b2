"""A component is a frozen, validated dataclass: its fields are its hyper-parameters, and nothing else.

`Component` turns every subclass into one. Its signature and its `help` show fields and methods, as a person reads them.
"""

import dataclasses
import functools
import inspect
from abc import ABCMeta
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self, dataclass_transform

import pydantic
from pydantic import ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import ArgsKwargs, CoreSchema, core_schema

from modnet.docstrings import complete
from modnet.entries import group_of
from modnet.errors import ContractError, InvalidSpecError, RegistryError
from modnet.registry import registry
from modnet.strict import real, sequence, truth, whole
from modnet.words import elsewhere, suggestions

__all__ = ["Component", "Count", "Unit", "dump", "field_names", "walk"]

Count = Annotated[int, Field(ge=1)]
"""A whole number from 1."""

Unit = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1, both included."""

_CONFIG = ConfigDict(extra="forbid", ser_json_inf_nan="strings", validate_default=True)


class _Readable(ABCMeta):
    """The class of components: `help` and `dir` leave out what Python and Pydantic keep under ``__names__``."""

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("__")]


# Components are frozen, but checkers are not told: mypy 2.4 would give inherited slots the type of the constructor's
# argument. Nor do they hear of the equality: what is equal and not frozen has no hash to them.
@dataclass_transform(eq_default=False, field_specifiers=(Field, dataclasses.field))
class Component(metaclass=_Readable):
    """Something with hyper-parameters: the base of modules, losses, optimizers and all other kinds.

    A subclass only declares fields. It becomes a frozen Pydantic dataclass: arguments by position or by name, checked
    when the object is made; equality, hash, repr, pickle and `dataclasses.replace`, which checks again.
    A component holds numbers somebody chose, never arrays it met.

    Raises
    ------
    ContractError
        On definition, if a class has an ``__init__`` of its own.
    InvalidSpecError
        On construction, if an argument is missing, unknown, of the wrong type or out of range.

    Examples
    --------
    >>> from typing import Annotated
    >>> class Ramp(Component):
    ...     slope: Annotated[float, Field(ge=0)] = 0.01
    >>> Ramp(0.1), Ramp(slope=0.01)
    (Ramp(slope=0.1), Ramp())
    >>> Ramp(-1)
    Traceback (most recent call last):
    ...
    modnet.errors.InvalidSpecError: Ramp: slope: should be greater than or equal to 0, got -1
    """

    kind: ClassVar[str] = ""
    """What it is to the registry: ``"layer"``, ``"activation"``, … Set by the abstract base of the kind."""

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):  # the dataclass would put its own in that place, without a word
            raise ContractError(
                f"{cls.__qualname__} defines __init__, which components do not have: hyper-parameters are annotated "
                "class attributes, as slope: float = 0.01, and a pydantic.model_validator checks several together"
            )
        if kind is not None:
            cls.kind = kind
            registry.declare(kind, cls)
        pydantic.dataclasses.dataclass(frozen=True, repr=False, config=_CONFIG)(cls)
        cls.__init__ = _explaining(cls, cls.__init__)  # type: ignore[method-assign]
        cls.__signature__ = without_annotations(inspect.signature(cls))  # type: ignore[attr-defined]
        complete(cls, "Parameters")

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return instances worth testing, one for each way through the code; default: all defaults.

        `modnet.testing` holds each of them to the contract. A class with a required field has to define it.
        """
        return (cls(),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return Pydantic's own schema, with one rule for numbers, bools and sequences: that of `modnet.strict`."""
        schema: CoreSchema = _strict(handler(source))
        return schema

    def __sklearn_clone__(self) -> Self:
        """Return the component itself: it cannot change, so one is as good as two."""
        return self

    def __repr__(self) -> str:
        """Show the fields that differ from their defaults."""
        values = ((field, getattr(self, field.name)) for field in _fields(type(self)))
        shown = (f"{field.name}={value!r}" for field, value in values if value != _default(field))
        return f"{type(self).__qualname__}({', '.join(shown)})"


def field_names(cls: type[Component]) -> tuple[str, ...]:
    """Return the names of a component's fields: in the order of its arguments, keyword-only ones last.

    Returns
    -------
    tuple of str
        Without the class variables.
    """
    return tuple(field.name for field in _fields(cls))


def dump(value: Any) -> Any:
    """Return a component as the mapping that a slot reads back: ``{"type": name, **fields}``.

    Fields that are None by default and in fact are left out: they say nothing.

    Parameters
    ----------
    value : object
        A component; anything else is returned as it is.

    Returns
    -------
    dict
        Of plain mappings, sequences and numbers.

    Raises
    ------
    RegistryError
        If the class has no registered name.
    """
    if not isinstance(value, Component):
        return value
    name = registry.name_of(type(value))
    if name is None:
        cls = type(value)
        raise RegistryError(
            f"{cls.__module__}.{cls.__qualname__} has no registered name, so nothing outside this process could "
            f"name it: call modnet.register({cls.__name__}), or give it an entry point in group {group_of(cls.kind)}"
        )
    return {"type": name, **dump_fields(value)}


def dump_fields(value: Component) -> dict[str, Any]:
    """Return the fields of a component as plain mappings, sequences and numbers."""
    fields = {field.name: (_default(field), _plain(getattr(value, field.name))) for field in _fields(type(value))}
    return {name: plain for name, (default, plain) in fields.items() if not (plain is None and default is None)}


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return dump(value) if value.kind else dump_fields(value)
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Component]]:
    """Yield a component and all components in its fields, each with its path; those of a sequence, too.

    Parameters
    ----------
    value : object
        A component, or a sequence of them.
    path : str
        Where it stands.

    Yields
    ------
    (str, Component)
        Outer ones before those inside.

    Examples
    --------
    >>> from modnet.layers import Dense, Residual
    >>> [path for path, _ in walk((Residual([Dense(4, "tanh")]),), "layers")][:3]
    ['layers[0]', 'layers[0].body[0]', 'layers[0].body[0].activation']
    """
    if isinstance(value, tuple | list):
        for index, each in enumerate(value):
            yield from walk(each, f"{path}[{index}]")
    elif isinstance(value, Component):
        yield path, value
        for field in _fields(type(value)):
            inner = getattr(value, field.name)
            if isinstance(inner, Component | tuple):  # most fields are numbers, and a walk is made in every fit
                yield from walk(inner, f"{path}.{field.name}".removeprefix("."))


def explained(error: ValidationError, subject: type[Component] | str) -> InvalidSpecError:
    """Return Pydantic's report as modnet's error: path, what is wrong, what was found."""
    cls = None if isinstance(subject, str) else subject
    names = tuple(field.name for field in _fields(cls) if not field.kw_only) if cls else ()
    problems = []
    errors = error.errors(include_url=False)
    for each in errors:
        # Pydantic puts the rule that it has tried of several types into the path.
        loc = tuple(step for step in each["loc"] if not str(step).startswith("function-"))
        found = _short(each["input"])
        inside = [other for other in errors if other["loc"] != loc and other["loc"][: len(loc)] == loc]
        if each["type"] == "too_short" and inside:
            continue  # the items are there, but not valid, which is said already
        context = each.get("ctx", {})
        if loc and isinstance(loc[0], int) and loc[0] < len(names):  # an argument given by position
            loc = (names[loc[0]], *loc[1:])
        if each["type"] == "unknown_field" or isinstance(context.get("error"), RegistryError):
            text = each["msg"].removeprefix("Value error, ")
        elif each["type"] == "unexpected_keyword_argument" and cls and len(loc) == 1:
            text, loc = unknown_field(cls, str(loc[0])), ()
        elif each["type"] == "unexpected_positional_argument":
            loc, text = (), f"takes at most {', '.join(names) or 'no argument'} by position; {found} is one too many"
        elif each["type"].startswith("missing"):
            text = "is required"
        else:
            text = each["msg"].removeprefix("Input ").removeprefix("Value error, ")
            if not isinstance(each["input"], ArgsKwargs):  # of a rule about several fields: all arguments
                text = f"{text}, got {found}"
        problems.append((path_of(loc), text))
    return InvalidSpecError(cls.__name__ if cls else str(subject), problems)


def path_of(loc: Iterable[int | str]) -> str:
    """Return a location as a path.

    Examples
    --------
    >>> path_of(("layers", 1, "units"))
    'layers[1].units'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).removeprefix(".")


def unknown_field(cls: type[Component], name: str) -> str:
    """Say that `cls` has no field of that name, which ones it has, and which may be meant, or who else takes it."""
    names = field_names(cls)
    close, place = suggestions(name, names, 1), elsewhere(name)
    hint = f"did you mean {close[0]!r}? " if close else place and f"{place}; "
    return f"no field {name!r}; {hint}{cls.__name__} has {', '.join(names) or 'none'}"


def _explaining(cls: type[Component], init: Any) -> Any:
    """Return `init` with Pydantic's report turned into `InvalidSpecError`."""

    @functools.wraps(init)
    def __init__(self: Component, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except ValidationError as error:
            raise explained(error, cls) from cause_of(error)

    return __init__


def cause_of(error: ValidationError) -> BaseException | None:
    """Return the exception that a plugin raised, if that is what went wrong."""
    causes = [each.get("ctx", {}).get("error") for each in error.errors(include_url=False)]
    return next((cause for cause in causes if isinstance(cause, BaseException)), None)


def without_annotations(signature: inspect.Signature) -> inspect.Signature:
    """Return a signature as a person reads it: what fits is said in the docstring, and annotations may take lines.

    Examples
    --------
    >>> from modnet.layers import GatedLinear
    >>> inspect.signature(GatedLinear)  # doctest: +ELLIPSIS
    <Signature (units, gate=Sigmoid(), use_bias=True, kernel_initializer=GlorotUniform(), ...)>
    """
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)


@functools.cache
def _fields(cls: type[Component]) -> list[dataclasses.Field[Any]]:
    return sorted(dataclasses.fields(cls), key=lambda field: bool(field.kw_only))  # type: ignore[arg-type]


def _default(field: dataclasses.Field[Any]) -> Any:
    default = field.default
    return default.default if isinstance(default, pydantic.fields.FieldInfo) else default


_STRICT = {"int": whole, "float": real, "bool": truth, "tuple": sequence, "list": sequence}
"""What looks at a value before Pydantic does, which would take "8", 1 for True, and no array."""


def _strict(schema: Any) -> Any:
    """Put the rule of its type in front of every number, bool and sequence in a core schema."""
    if isinstance(schema, list | tuple):
        return type(schema)(_strict(each) for each in schema)
    if not isinstance(schema, dict):
        return schema
    schema = {key: _strict(each) for key, each in schema.items()}
    rule = _STRICT.get(schema.get("type", ""))
    return core_schema.no_info_before_validator_function(rule, schema) if rule else schema


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no int of more than 4300 digits
        text = f"an enormous {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."

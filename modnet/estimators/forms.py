"""Values in model files: what text, numbers and arrays say, each other value by what it is made of, and back again.

What JSON does not have becomes ``{"what it is": [of what it is made]}``; arrays are put aside.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import numpy as np

from modnet.base import Array, Column, Layout, OptimizerState
from modnet.component import Component, dump
from modnet.errors import ModelFileError
from modnet.estimators.fitting import Streams
from modnet.estimators.parameters import NestedParameters
from modnet.estimators.scaling import Scaling
from modnet.estimators.table import Table
from modnet.estimators.target import Classes, Numbers
from modnet.registry import registry
from modnet.slot import Slot, parse
from modnet.training import History


def fits(value: Any, type_: Any) -> bool:
    """Return whether a value is of a type; what is in a list, too, and of what is in an array or a tuple nothing."""
    if get_origin(type_) in (Union, UnionType):  # a | of Literals is the first
        return any(fits(value, each) for each in get_args(type_))
    if alias := getattr(get_origin(type_), "__value__", None):  # as NDArray[Any] is one from NumPy 2.5 on
        return fits(value, alias)
    if get_origin(type_) is Literal:
        return value in get_args(type_)
    if type_ in (int, float):
        return isinstance(value, int | type_) and not isinstance(value, bool)
    inner = get_args(type_)[:1] if get_origin(type_) is list else ()
    return isinstance(value, get_origin(type_) or type_) and all(fits(each, one) for one in inner for each in value)


class Form(NamedTuple):
    """How the values of a class are written."""

    cls: Any
    parts: Callable[[Any], Iterable[Any]]
    made: Callable[..., Any]


def _record(cls: Any, **unwritten: Any) -> Form:
    """Return the form of a dataclass: its fields by name; what is not written gets a value until its own is there."""
    types = {field.name: field.type for field in dataclasses.fields(cls) if field.name not in unwritten}

    def made(fields: dict[str, Any]) -> Any:
        for name, value in fields.items():
            if not fits(value, types[name]):
                raise ModelFileError(f"{cls.__name__}.{name} should be of type {types[name]}, got {value!r}")
        return cls(**fields, **unwritten)

    return Form(cls, lambda value: [{name: getattr(value, name) for name in types}], made)


def _component(kind: str, value: Any) -> Any:
    return parse(Slot(kind), value, subject="a parameter")


def _objects(shape: tuple[int, ...], values: list[Any]) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _generator(state: Any) -> np.random.Generator:
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


def _random_state(state: Mapping[str, Any]) -> np.random.RandomState:
    key, position = state["state"]["key"], state["state"]["pos"]
    if key.shape != (624,) or key.dtype != np.uint32 or type(position) is not int or not 0 <= position <= 624:
        raise ModelFileError(f"no state of a RandomState: pos is {position!r} of {key.dtype} {key.shape}")
    made = np.random.RandomState()
    made.set_state(dict(state))
    return made


def _classes(columns: list[Array], kind: str) -> Classes:
    if kind not in ("single", "multilabel", "multioutput") or not columns:
        raise ModelFileError(f"no classes of a target: {kind=}, {columns}")
    for classes in columns:
        if classes.ndim != 1 or not len(classes) or len(np.unique(classes)) < len(classes):
            raise ModelFileError(f"classes should differ, and be at least one, got {classes}")
    return Classes(columns, kind)


def _table(columns: tuple[Column, ...], categories: dict[str, Array], types: dict[str, str], named: bool) -> Table:
    names = [column.name for column in columns]
    if not all(isinstance(name, str) for name in (*names, *types.values())) or len({*names}) < len(names):
        raise ModelFileError(f"columns of a table should have names of their own, and types, got {names}, {types}")
    counts = {column.name: column.categories for column in columns}
    for name, each in categories.items():
        if not isinstance(each, np.ndarray) or each.shape != (counts[name],) or name not in types:
            raise ModelFileError(f"column {name!r} should have {counts[name]} categories and a type, got {each!r}")
    return Table(columns, categories, types, named)


_FORMS = {
    "float": Form(float, lambda value: [str(value)], float),
    "tuple": Form(tuple, list, lambda *items: items),
    "list": Form(list, list, lambda *items: list(items)),
    "mapping": Form(Mapping, lambda value: value.items(), lambda *items: dict(items)),
    "component": Form(Component, lambda value: [value.kind, dump(value)], _component),
    "objects": Form(np.ndarray, lambda value: [value.shape, value.ravel().tolist()], _objects),
    "generator": Form(np.random.Generator, lambda value: [value.bit_generator.state], _generator),
    "random state": Form(np.random.RandomState, lambda value: [value.get_state(legacy=False)], _random_state),
    "classes": Form(Classes, lambda value: [value.columns, value.kind], _classes),
    "table": Form(Table, lambda value: [value.columns, value.categories, value.types, value.named], _table),
    "numbers": _record(Numbers),
    "scaling": _record(Scaling),
    "column": _record(Column),
    "streams": _record(Streams),
    "history": _record(History),
    "optimizer state": _record(OptimizerState, layout=Layout(())),
}


class Writer:
    """Writes values as JSON, and puts arrays aside.

    Attributes
    ----------
    arrays : dict of str to ndarray

    Parameters
    ----------
    described : callable
        Takes a fitted estimator and this writer, and returns what JSON says for it.
    """

    def __init__(self, described: Callable[[Any, "Writer"], Any]) -> None:
        self.arrays: dict[str, Array] = {}
        self._described = described

    def write(self, value: Any, name: str) -> Any:
        """Return what JSON says for a value; `name` is that of the parameter or attribute that it belongs to."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufUSMm":
            key = name if name not in self.arrays else f"{name}.{len(self.arrays)}"
            self.arrays[key] = value
            return {"array": [key]}
        if isinstance(value, type) and issubclass(value, Component) and (given := registry.name_of(value)):
            return given  # the type of a mapping, which may be a class where a name could be
        if isinstance(value, NestedParameters):
            return {"estimator": [self._described(value, self)]}
        for what, form in _FORMS.items():
            if isinstance(value, form.cls):
                return {what: [self.write(each, name) for each in form.parts(value)]}
        raise ModelFileError(
            f"{name}: {value!r} is a {type(value).__name__}, which text and numbers cannot say: set it to a name, a "
            "number or its default before saving"
        )


class Reader:
    """Makes values of what a `Writer` has written.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    length : int
        Bytes of the file: no array has more elements.
    made : callable
        Takes what a writer says for an estimator, and this reader, and returns the estimator.
    """

    def __init__(self, arrays: Mapping[str, Array], length: int, made: Callable[[Any, "Reader"], Any]) -> None:
        self._made = made
        self._arrays, self._unread, self._length = arrays, set(arrays), length

    def read(self, written: Any) -> Any:
        """Return the value."""
        if not isinstance(written, dict):
            return written
        ((what, parts),) = written.items()
        if what == "estimator":
            return self._made(parts[0], self)
        if what != "array":
            return _FORMS[what].made(*map(self.read, parts))
        (name,) = parts
        self._unread.remove(name)  # raises the second time: no array has two owners
        array = self._arrays[name]
        if array.dtype.kind not in "biufUSMm" or array.size > self._length:
            raise ModelFileError(f"{name} should be an array of numbers or text, got {array.dtype} {array.shape}")
        return array

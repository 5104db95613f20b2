"""The contract of components of every kind: fields that are checked and frozen, JSON, pickle, repr, a docstring."""

import copy
import dataclasses
import inspect
import json
import pickle
import types
import typing
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Literal, Union

from pydantic.fields import FieldInfo

from modnet.component import Component, Slot, dump, dump_fields, field_names, parse, walk
from modnet.errors import InvalidSpecError
from modnet.registry import registry
from modnet.spec import ModelSpec
from modnet.testing.failure import CheckFailed, expect
from modnet.testing.rules import Rules, raises

RULES = Rules()


@RULES.add(of_the_class=True)
def the_docstring_says_what_it_is(component: Component) -> None:
    """The class has a docstring, and its first paragraph ends with a full stop.

    Usually: no docstring: its first line is what the catalogue of components shows
    """
    cls = type(component)
    text = inspect.cleandoc(vars(cls).get("__doc__") or "").split("\n\n")[0]
    made = text.startswith(f"{cls.__name__}(")  # by dataclasses, from the signature
    expect(text and not made, f"{cls.__name__} has no docstring")
    expect(text.endswith("."), f"it begins {text.splitlines()[0]!r}, which does not end with '.'")


@RULES.add()
def components_are_equal_by_value(component: Component) -> None:
    """Components with the same fields are equal and have the same hash; with another value they are not.

    Usually: a field without annotation, which is no field; or state beside the fields
    """
    fields = {name: getattr(component, name) for name in field_names(type(component))}
    again = type(component)(**fields)
    _expect_equal(again, component, "made anew from the same fields")
    expect(vars(again) == vars(component), f"its memory is {vars(component)}, that of a new one {vars(again)}")
    expect(component != object(), "it equals an object of another class")


@RULES.add(of_the_class=True)
def fields_are_frozen(component: Component) -> None:
    """No attribute of a component can be set.

    Usually: a __setattr__ of its own, or an array as a field
    """
    for name in (*field_names(type(component)), "something_new"):
        with_value = getattr(component, name, None)
        frozen = raises(partial(setattr, component, name, with_value), AttributeError)
        expect(frozen, f"component.{name} = … was possible")


@RULES.add()
def pickle_brings_it_back(component: Component) -> None:
    """Pickle gives an equal component, as joblib's workers and saved models need it.

    Usually: a class inside a function, or a lambda in a field: put the class at the top of a module
    """
    _expect_equal(pickle.loads(pickle.dumps(component)), component, "out of pickle")


@RULES.add(of_the_class=True)
def copies_are_equal(component: Component) -> None:
    """copy, deepcopy and dataclasses.replace give equal components.

    Usually: a field that is changed when it is validated, so that validating it again changes it again
    """
    copies: tuple[Callable[[Any], object], ...] = (copy.copy, copy.deepcopy, dataclasses.replace)
    for copied in copies:
        _expect_equal(copied(component), component, f"out of {copied.__name__}")


@RULES.add()
def json_brings_it_back(component: Component) -> None:
    """A component survives JSON: {"type": name, **fields}; so specs can be written and read.

    Usually: a field that is no number, text, tuple or component
    """
    if registry.entry_of(type(component)) is None:  # it has no name yet: its fields at least
        again = type(component)(**json.loads(json.dumps(dump_fields(component))))
    else:
        text = json.dumps(dump(component))
        again = parse(Slot(component.kind), json.loads(text), subject=type(component).__name__)
    _expect_equal(again, component, "out of JSON")
    fields = {"layer": "layers", "loss": "loss", "optimizer": "optimizer", "solver": "optimizer"}
    if component.kind in fields and registry.entry_of(type(component)) is not None:
        value: Any = [component] if component.kind == "layer" else component
        spec = ModelSpec(**{fields[component.kind]: value})
        expect(ModelSpec.from_json(spec.to_json()) == spec, "a spec with it does not come back from JSON")


@RULES.add()
def repr_is_the_call_that_makes_it(component: Component) -> None:
    """`repr` is the call that makes the component.

    Usually: a __repr__ of its own that leaves something out
    """
    classes, text = {type(each) for _, each in walk(component)}, repr(component)
    for cls in classes:  # one that is inside another, or a function, is named with it
        text = text.replace(cls.__qualname__, cls.__name__)
    names = {cls.__name__: cls for cls in classes}
    try:
        again = eval(text, {**names, "inf": float("inf"), "nan": float("nan")})
    except Exception as error:
        raise CheckFailed(f"{component!r} is no call: {type(error).__name__}: {error}") from error
    _expect_equal(again, component, "made by its repr")


@RULES.add(of_the_class=True)
def hyper_parameters_are_checked(component: Component) -> None:
    """Numbers refuse True, text and, unless allow_inf_nan=True says otherwise, NaN, when the component is made.

    Usually: bounds left out: Annotated[float, Field(gt=0, allow_inf_nan=False)]; or a field without a type
    """
    hints = typing.get_type_hints(type(component), include_extras=True)
    for field in dataclasses.fields(component):  # type: ignore[arg-type]
        declared = field.default if isinstance(field.default, FieldInfo) else None
        leaves = list(_leaves(hints[field.name], tuple(declared.metadata) if declared else ()))
        kinds = {kind for kind, _ in leaves}
        if not kinds & {int, float} or Any in kinds:
            continue
        bad: list[Any] = [] if bool in kinds else [True]
        bad += [] if str in kinds else ["a word"]
        allowed = any(getattr(each, "allow_inf_nan", None) is True for _, marks in leaves for each in marks)
        bad += [] if float not in kinds or allowed else [float("nan")]
        for value in bad:
            refused = raises(partial(dataclasses.replace, component, **{field.name: value}), InvalidSpecError)  # type: ignore[type-var]
            expect(refused, f"{type(component).__name__}({field.name}={value!r}) was possible")


@RULES.add(of_the_class=True)
def examples_are_of_the_class_and_differ(component: Component) -> None:
    """`examples` returns different instances of the class.

    Usually: two examples that are the same, or of another class
    """
    cls = type(component)
    if cls.examples.__func__ is Component.examples.__func__:  # type: ignore[attr-defined]
        return
    examples = tuple(cls.examples())
    expect(examples, "examples() is empty")
    for example in examples:
        expect(type(example) is cls, f"examples() has {example!r}, which is no {cls.__name__}")
        expect(examples.count(example) == 1, f"examples() has {example!r} twice")


def _expect_equal(again: object, component: Component, how: str) -> None:
    expect(again == component, f"{how} it is {again!r}, which does not equal {component!r}")
    expect(hash(again) == hash(component), f"{how} it is equal, but has another hash")
    expect(repr(again) == repr(component), f"{how} its repr is {again!r}")


def _leaves(hint: Any, marks: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Return the types that a value of an annotation may have, with the marks on each."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        inner = [mark for each in args[1:] for mark in (each.metadata if isinstance(each, FieldInfo) else [each])]
        if any(isinstance(mark, Slot) for mark in inner):
            yield str, ()  # names are text
        else:
            yield from _leaves(args[0], (*marks, *inner))
    elif origin in (Union, types.UnionType):
        for each in args:
            yield from _leaves(each, marks)
    elif origin is Literal:
        for each in args:
            yield type(each), marks
    elif origin is None:
        yield hint, marks
    else:
        yield origin, marks

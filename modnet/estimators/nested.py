"""Nested parameters: ``layers__0__units`` names a field of a component inside a parameter, to read it and to change it.

Changing is copy-on-write: components never change, and the user's lists stay as they are. A path that leads nowhere is
an error at once; a value that does not fit is kept as a mapping and reported by ``fit``, as scikit-learn does it. A
layer is also looked up here: its index or its name leads to its path in the network.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from modnet import text
from modnet.base import Module, located
from modnet.component import Component, field_names, unknown_field
from modnet.errors import InvalidSpecError, RegistryError
from modnet.slot import Slot, parse, slots
from modnet.spec import ModelSpec
from modnet.strict import is_number, is_sequence

LAYER = Slot("layer", "activation")


def listed(path: str, value: Any, slot: Slot) -> Iterator[tuple[str, Any]]:
    """Return the parameters below a parameter, as ``get_params`` shows them.

    Examples
    --------
    >>> from modnet.optimizers import SGD
    >>> list(listed("optimizer", SGD(0.5), Slot("optimizer")))[:2]
    [('optimizer__learning_rate', 0.5), ('optimizer__momentum', 0.0)]
    """
    if is_sequence(value):
        for index, item in enumerate(value):
            yield f"{path}__{index}", item
            yield from listed(f"{path}__{index}", item, slot)
    elif is_number(value):
        yield f"{path}__units", value
    elif (component := understood(value, slot)) is not None:
        for name in field_names(type(component)):
            inner = getattr(component, name)
            yield f"{path}__{name}", inner
            held = inner if isinstance(inner, tuple) else (inner,)
            if held and all(isinstance(each, Component) for each in held):
                yield from listed(f"{path}__{name}", inner, LAYER)


def replaced(path: str, value: Any, steps: Sequence[str], new: Any, slot: Slot) -> Any:
    """Return `value` with what lies at the end of `steps` replaced.

    Parameters
    ----------
    path : str
        Name of the parameter that holds `value`, for error messages.
    value : object
        A component, a name, a mapping, a number of units, or a sequence of these. Not changed.
    steps : sequence of str
        At least one field, index, layer name or ``"all"``.
    new : object
        Not looked at: what does not fit is for ``fit`` to report.
    slot : Slot
        What kind of component a name in `value` means.

    Raises
    ------
    ValueError
        If the steps lead nowhere; says what is there.
    """
    step, *rest = steps
    here = f"{path}__{step}"
    if is_sequence(value):
        return _replaced_in_sequence(path, value, step, rest, new, slot)
    if is_number(value) and (step, rest) == ("units", []) and is_number(new):
        return new
    component = understood(value, slot)
    if component is None:
        type_, cls, fields = _draft(path, value, step, slot)
    else:
        type_ = cls = type(component)
        fields = {name: getattr(component, name) for name in field_names(cls)}
    if step not in field_names(cls):
        raise ValueError(f"{path}: {unknown_field(cls, step)}")
    inner = replaced(here, fields.get(step), rest, new, slots(cls).get(step, LAYER)) if rest else new
    changed = {"type": type_, **fields, step: inner}
    # A mapping that names its class is a draft that an earlier change left behind, and may be complete now; what the
    # user wrote stays a mapping. What does not fit is not ours to report: a grid search calls set_params outside of the
    # try that makes error_score of an error.
    complete = understood(changed, slot) if isinstance(type_, type) else None
    if complete is None:
        return changed
    return value if complete == component else complete


def _replaced_in_sequence(
    path: str, items: Sequence[Any], step: str, rest: Sequence[str], new: Any, slot: Slot
) -> Sequence[Any]:
    changed = list(items)
    if step != "all":
        having = [_index(path, items, step, slot)]
    elif not rest:
        raise ValueError(f"{path}__all: say which field, as in {path}__all__activation")
    else:
        layers = [understood(item, slot) for item in items]
        fields = [() if layer is None else field_names(type(layer)) for layer in layers]
        having = [index for index, names in enumerate(fields) if rest[0] in names]
        if not having:
            raise ValueError(f"{path}__all: none of the {len(items)} layers has a field {rest[0]!r}")
    for index in having:
        changed[index] = replaced(f"{path}__{step}", items[index], rest, new, slot) if rest else new
    return tuple(changed) if isinstance(items, tuple) else changed


def _draft(path: str, value: Any, step: str, slot: Slot) -> tuple[Any, Any, dict[str, Any]]:
    """Return type, class and fields of what is no component yet: the name or mapping of a dense layer lacks units."""
    fields = dict(value) if isinstance(value, Mapping) else {"type": value}
    type_ = fields.pop("type", None)
    named = isinstance(type_, str) and type_ not in slot.keep
    if not named and not (isinstance(type_, type) and issubclass(type_, Component)):
        raise ValueError(f"{path} is {value!r}, which has no parameter {step!r}")
    try:
        return type_, slot.class_of(type_), fields
    except RegistryError as error:
        raise ValueError(f"{path}: {error}") from error


def _index(path: str, items: Sequence[Any], step: str, slot: Slot) -> int:
    """Return the index that a step means: a number, negative from the end, or a layer's name."""
    if re.fullmatch(r"-?[0-9]+", step):
        index = int(step)
        if not -len(items) <= index < len(items):
            there = {0: "there are no layers", 1: "there is one layer, 0"}
            several = f"there are {len(items)} layers, 0 to {len(items) - 1}"
            raise ValueError(f"{path}__{step}: {there.get(len(items), several)}")
        return index % len(items)
    names = [getattr(understood(item, slot), "name", None) for item in items]
    if names.count(step) != 1:
        found = f"{names.count(step)} layers have" if step in names else "no layer has"
        known = [name for name in names if name]
        raise ValueError(f"{path}__{step}: an index, 'all' or the name of a layer; {found} that name, among {known}")
    return names.index(step)


def understood(value: Any, slot: Slot) -> Component | None:
    """Return the component that a value means; None if it means none (``fit`` says why)."""
    if isinstance(value, Component):
        return value
    if not (isinstance(value, str | Mapping) or is_number(value)):
        return None
    try:
        component = parse(slot, value, subject="")
    except (InvalidSpecError, RegistryError):
        return None
    return component if isinstance(component, Component) else None


def path_of(asked: Any, spec: ModelSpec, width: Callable[[str], int]) -> str:
    """Return the path of a layer.

    Parameters
    ----------
    asked : int, str or None
        Its index among the hidden layers, or its path or name, wherever it is; None: the narrowest hidden layer, of
        several as narrow the last.
    spec : ModelSpec
    width : callable
        Takes a path and returns how many numbers the layer there puts out.

    Raises
    ------
    InvalidSpecError
        If there is no such layer; says what there is.

    Examples
    --------
    >>> from modnet.layers import Dense, Residual
    >>> spec = ModelSpec(layers=[Dense(4), Residual([Dense(4, name="inner")])])
    >>> path_of(-1, spec, width=len), path_of("inner", spec, width=len), path_of("layers[0]", spec, width=len)
    ('layers[1]', 'layers[1].body[0]', 'layers[0]')
    """
    paths, there = [path for path, _ in located("layers", spec.layers)], dict(spec.modules())
    if isinstance(asked, str) and asked in there:
        return asked
    if not paths and not isinstance(asked, str):
        problem = "there is no hidden layer to read: layers is empty"
    elif asked is None:
        return min(reversed(paths), key=width)
    elif is_number(asked):
        if asked in range(-len(paths), len(paths)):
            return paths[int(asked)]
        problem = f"there are {len(paths)} layers, 0 to {len(paths) - 1}, got {asked}"
    elif isinstance(asked, str):
        named = [(path, module.name) for path, module in there.items() if isinstance(module, Module) and module.name]
        for path, name in named:
            if name == asked:
                return path
        problem = _no_layer(asked, named, list(there))
    else:
        problem = f"should be an index, the name or path of a layer or None, got {asked!r}"
    raise InvalidSpecError("ModNetTransformer", [("layer", problem)])


def _no_layer(asked: str, named: Sequence[tuple[str, str]], paths: Sequence[str]) -> str:
    """Say that no layer has the name or path, which ones there are, and which may be meant."""
    known = ", ".join(f"{name!r} ({path})" for path, name in named)
    there = f"there are {known}" if named else f"none has a name, as Dense(2, name={asked!r}) would"
    close = difflib.get_close_matches(asked, [*(name for _, name in named), *paths], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"no layer is called {asked!r}; {there}; paths are {text.listed(paths, most=10)}.{hint}"

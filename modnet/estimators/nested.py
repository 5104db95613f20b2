"""Nested parameters: ``layers__0__units`` names a field of a component inside a parameter, to read it and to change it.

Changing is copy-on-write: components never change, and the user's lists stay as they are. A path that leads nowhere is
an error at once; a value that does not fit is kept as a mapping and reported by ``fit``, as scikit-learn does it. A
layer is also looked up here: its index or its name leads to its path in the network.
"""

import difflib
import numbers
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from modnet.base import Module, located
from modnet.component import Component, field_names, unknown_field, walk
from modnet.errors import InvalidSpecError, RegistryError
from modnet.slot import Slot, parse, slots
from modnet.spec import DENSE, ModelSpec

LAYER = slots(ModelSpec)["layers"]


class LayerSlot(Slot):
    """The slot of one element of ``layers``: a module, or a number of hidden units.

    Parameters
    ----------
    activation : str, mapping, Activation or None
        What follows the units of a bare number.
    """

    def __init__(self, activation: Any) -> None:
        super().__init__(*LAYER.kinds)
        self._activation = activation

    def spelled_out(self, value: Any) -> Any:
        """Return a number n as the dense layer that it stands for, anything else as it is."""
        return {"type": DENSE, "units": value, "activation": self._activation} if is_whole(value) else value

    def resolve(self, value: Any) -> Any:
        """Return the layer that `value` means."""
        return super().resolve(self.spelled_out(value))


def is_whole(value: Any) -> bool:
    """Return whether a value is a number of units: an integer, Python's or NumPy's, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def listed(path: str, value: Any, slot: Slot) -> Iterator[tuple[str, Any]]:
    """Return the parameters below a parameter, as ``get_params`` shows them.

    Examples
    --------
    >>> from modnet.optimizers import SGD
    >>> list(listed("optimizer", SGD(0.5), Slot("optimizer")))[:2]
    [('optimizer__learning_rate', 0.5), ('optimizer__momentum', 0.0)]
    """
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield f"{path}__{index}", item
            yield from listed(f"{path}__{index}", item, slot)
    elif is_whole(value):
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
    if isinstance(value, list | tuple):
        return _replaced_in_sequence(path, value, step, rest, new, slot)
    if is_whole(value) and (step, rest) == ("units", []):
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
    path: str, items: list[Any] | tuple[Any, ...], step: str, rest: Sequence[str], new: Any, slot: Slot
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
    return type(items)(changed)


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
    if not (isinstance(value, str | Mapping) or is_whole(value)) or value in slot.keep:
        return None
    try:
        component = parse(slot, value, subject="")
    except (InvalidSpecError, RegistryError):
        return None
    return component if isinstance(component, Component) else None


def path_of(asked: Any, layers: Sequence[Module], width: Callable[[str], int]) -> str:
    """Return the path of a layer.

    Parameters
    ----------
    asked : int, str or None
        Its index, or its name, wherever it is; None: the narrowest, of several as narrow the last.
    layers : sequence of Module
    width : callable
        Takes a path and returns how many numbers the layer there puts out.

    Raises
    ------
    InvalidSpecError
        If there is no such layer; says what there is.

    Examples
    --------
    >>> from modnet.layers import Dense, Residual
    >>> layers = Dense(4), Residual([Dense(4, name="inner")])
    >>> path_of(-1, layers, width=len), path_of("inner", layers, width=len)
    ('layers[1]', 'layers[1].body[0]')
    """
    paths = [path for path, _ in located("layers", layers)]
    if not paths:
        problem = "there is no hidden layer to read: layers is empty"
    elif asked is None:
        return min(reversed(paths), key=width)
    elif is_whole(asked):
        if -len(paths) <= asked < len(paths):
            return paths[int(asked)]
        problem = f"there are {len(paths)} layers, 0 to {len(paths) - 1}, got {asked}"
    elif isinstance(asked, str):
        named = [(path, module.name) for path, module in modules(layers) if module.name]
        found = [path for path, name in named if name == asked]
        if len(found) == 1:
            return found[0]
        problem = _not_one(asked, found, named)
    else:
        problem = f"should be an index, the name of a layer or None, got {asked!r}"
    raise InvalidSpecError("ModNetTransformer", [("layer", problem)])


def modules(layers: Sequence[Module]) -> Iterator[tuple[str, Module]]:
    """Yield all modules, those inside layers too, with their paths."""
    return ((path, each) for path, each in walk(tuple(layers), "layers") if isinstance(each, Module))


def _not_one(asked: str, found: Sequence[str], named: Sequence[tuple[str, str]]) -> str:
    """Say that no layer has the name, or several do; which ones there are, and which may be meant."""
    if found:
        return f"{len(found)} layers are called {asked!r}: {', '.join(found)}"
    if not named:
        return f"no layer is called {asked!r}: none has a name. Pass an index, or give it one: Dense(2, name={asked!r})"
    close = difflib.get_close_matches(asked, [name for _, name in named], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"no layer is called {asked!r}; there are {', '.join(f'{name!r} ({path})' for path, name in named)}.{hint}"

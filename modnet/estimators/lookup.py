"""Looking up a layer: what a user calls it, by index or by name, leads to its path in the network."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from modnet.base import Module, located
from modnet.component import walk
from modnet.errors import InvalidSpecError
from modnet.estimators.nested import is_whole


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

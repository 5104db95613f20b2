"""Docstrings of everything public keep numpydoc's rules, and say the same as the signatures."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import modnet
from modnet.registry import estimators, registry

pytest.importorskip("numpydoc")
from numpydoc.validate import validate

MODULES = [found.name for found in pkgutil.iter_modules(modnet.__path__) if found.name != "__main__"]  # which runs
PLUGINS = ("modnet_example", "modnet_numba", "modnet_ordinal", "modnet_sequence", "modnet_tabular")
NOT_ASKED = {"SA01", "EX01", "ES01", "RT02"}
"""numpydoc's own example of a configuration (numpydoc.readthedocs.io/en/latest/validation.html) leaves out these three:
"see also", examples and an extended summary for everything; scikit-learn asks none of them of methods, pandas not ES01.
That concrete components have an example is held in test_architecture.py. RT02, a return value with a name, scikit-learn
leaves out as well, and breaks in the ``set_fit_request`` that it makes. All other checks are on."""


def names(module: Any) -> list[str]:
    """The public names of a module: ``__all__``, or what it defines."""
    defined = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return getattr(module, "__all__", [name for name in defined if not name.startswith("_")])


def public() -> Iterator[Any]:
    """Every public class and function."""
    modules = [modnet, *(importlib.import_module(f"modnet.{name}") for name in MODULES)]
    for name in PLUGINS:
        if importlib.util.find_spec(name):
            modules.append(importlib.import_module(name))
    found = [getattr(module, name) for module in modules for name in names(module)]
    found += [cls for book in (registry, estimators) for _, cls in book.classes() if isinstance(cls, type)]
    yield from {value: None for value in found if inspect.isclass(value) or inspect.isfunction(value)}


def paths() -> Iterator[str]:
    """Where public classes and functions are, and the methods and properties that modnet and its plugins define."""
    for value in public():
        yield f"{value.__module__}.{value.__qualname__}"
        for name in dir(value) if inspect.isclass(value) else ():
            owner = next((each for each in value.__mro__ if name in vars(each)), object)
            member = inspect.getattr_static(value, name)
            told = inspect.isroutine(inspect.unwrap(getattr(member, "__func__", member))) or isinstance(
                member, property
            )
            if not name.startswith("_") and owner.__module__.startswith("modnet") and told:
                yield f"{owner.__module__}.{owner.__qualname__}.{name}"


def test_numpydoc_finds_nothing_against_what_is_public():
    walked = dict.fromkeys(paths())
    found = [(path, *error) for path in walked for error in validate(path)["errors"] if error[0] not in NOT_ASKED]
    assert len(walked) > 1100
    assert found == []

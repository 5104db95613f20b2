"""Formulas of activations, as an activation offers them: a = σ(z) and σ'(z), given z and a.

Only those are taken that belong to the class and are faster compiled than with NumPy.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from modnet import Activation, Module
from modnet_numba.fusing import is_vectorizable

Function = Callable[..., Any]


class Formulas(NamedTuple):
    """Two functions of one number."""

    f: Function
    """a = σ(z)."""
    df: Function
    """σ'(z), given z and a."""


def formulas_of(module: Module) -> Formulas | None:
    """Return the formulas that an activation offers.

    Returns
    -------
    Formulas or None
        None if there are none, or if a compiled loop would be slower than NumPy's.
    """
    offered = module.formulas() if isinstance(module, Activation) else None
    cls = type(module)
    # A class that inherits formulas and defines another f is another function.
    if offered is None or _depth(cls, "formulas") > min(_depth(cls, "f"), _depth(cls, "df")):
        return None
    return Formulas(*offered) if all(is_vectorizable(each) for each in offered) else None


def _depth(cls: type, name: str) -> int:
    """Return how far above a class the one is that defines a method."""
    return next(depth for depth, each in enumerate(cls.__mro__) if name in vars(each))

"""Fusing: a loop over arrays and formulas of one number become one kernel, which later processes find on disk."""

import dis
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

from modnet_numba import compiling, elementary
from modnet_numba.compiling import Compiled, Kernel, formula, kernel

_MATH = ModuleType("math", "The functions of math, with those of `modnet_numba.elementary` instead of their namesakes.")
vars(_MATH).update({name: getattr(elementary, name, each) for name, each in vars(math).items() if name[0] != "_"})

_FAST = {"copysign", "fabs", "sqrt", "e", "inf", "nan", "pi", "tau", *vars(elementary)}
_SLOW = vars(math).keys() - _FAST

_SOURCE = b"".join(Path(str(module.__file__)).read_bytes() for module in (compiling, elementary))


def fused(loop: Callable[..., Any], **formulas: Callable[..., Any]) -> Kernel:
    """Return a kernel: a loop that calls formulas where it calls the global names that stand for them.

    Parameters
    ----------
    loop : function
    **formulas : function
        By those names: plain functions of floats that use arithmetic, numbers, `math` and functions like themselves.

    Raises
    ------
    TypeError
        If a formula uses anything else.
    """
    parts = {name: _compiled(function) for name, function in sorted(formulas.items())}
    names = {name: compiled for name, (compiled, _) in parts.items()}
    identity = _digest(*(f"{name}: {text}" for name, (_, text) in parts.items()))
    return kernel(_copied(loop, {**loop.__globals__, **names}, identity))


def reads(function: Callable[..., Any], position: int) -> bool:
    """Return whether a function looks at its argument at a position."""
    name = function.__code__.co_varnames[position]
    loads = [each.argval for each in dis.get_instructions(function) if each.opname.startswith("LOAD")]
    return any(name in (each if isinstance(each, tuple) else (each,)) for each in loads)  # 3.13 loads two at a time


def is_vectorizable(function: Callable[..., Any]) -> bool:
    """Return whether a formula calls no function of math that would be computed one element at a time.

    Examples
    --------
    >>> is_vectorizable(lambda z: math.tanh(z)), is_vectorizable(lambda z: math.sin(z))
    (True, False)
    """
    if not isinstance(function, FunctionType):
        return False
    names = function.__code__.co_names
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    used = [*cells, *(function.__globals__[name] for name in names if name in function.__globals__)]
    inside = (each for each in used if isinstance(each, FunctionType) and each is not function)
    return _SLOW.isdisjoint(names) and all(map(is_vectorizable, inside))


def _compiled(function: Callable[..., Any]) -> tuple[Compiled, str]:
    """Return a formula compiled with our own `math`, and a text that says all that it is made of."""
    if not isinstance(function, FunctionType):
        raise TypeError(f"a formula should be a function written in Python, got {function!r}")
    code = function.__code__
    made_of = [repr((code.co_code, code.co_consts, code.co_names, code.co_freevars, function.__defaults__))]

    def replaced(name: str, value: Any) -> Any:
        if value is math:
            return _MATH
        if isinstance(value, FunctionType):
            value, text = _compiled(value)
            made_of.append(f"{name}: {text}")
        elif type(value) in (int, float, bool):
            made_of.append(f"{name} = {value!r}")
        elif (of_math := getattr(value, "__name__", "")) and value is vars(math).get(of_math):
            return vars(_MATH)[of_math]
        elif value is not vars(elementary).get(name):
            raise TypeError(
                f"the formula {function.__qualname__} uses {name} = {value!r}; it may use numbers, math, and functions "
                "that do the same"
            )
        return value

    used = {each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"}
    names = {name: replaced(name, value) for name, value in function.__globals__.items() if name in used}
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    closure = tuple(CellType(replaced(name, cell.cell_contents)) for name, cell in cells)
    text = "; ".join(made_of)
    return formula(_copied(function, {**names, "__name__": __name__}, _digest(text), closure)), text


def _copied(
    function: Callable[..., Any], names: dict[str, Any], identity: str, closure: tuple[CellType, ...] = ()
) -> FunctionType:
    """Return a copy of a function with other global names, and with an identity in its name.

    On disk, and in the linker, compiled code goes by the qualified name: it has to tell apart what differs.
    """
    assert isinstance(function, FunctionType)
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__, closure)
    copy.__qualname__ = f"{function.__name__}_{identity}"
    return copy


def _digest(*texts: str) -> str:
    return hashlib.sha256(_SOURCE + "\n".join(texts).encode()).hexdigest()[:16]

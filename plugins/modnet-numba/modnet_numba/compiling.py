"""Compiling: formulas of one number, which become part of a loop, and loops over arrays, which are kept on disk."""

import operator
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import numba
import numpy as np
from numba.core import event, ir, types
from numba.core.caching import FunctionCache
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.runtime import rtsys
from numba.core.untyped_passes import IRProcessing

from modnet import Array

Compiled = Any
"""A function that Numba compiles when it is called with types that are new to it."""

RECORDER: ContextVar[Callable[[Compiled, Sequence[Any]], None] | None] = ContextVar("RECORDER", default=None)
"""Where kernels write their calls down, while a tape is recorded."""

_QUIET = 1.0
"""Seconds of compiling that nobody needs to be told of."""


class _Timer(event.TimingListener):
    """Says on stderr, once, that somebody waits for modnet's kernels and how to wait ahead: `fit` itself is silent."""

    told = False

    def on_start(self, event: Any) -> None:
        if not self.told and self.done and self.duration > _QUIET:
            self.told = event.data["dispatcher"].py_func.__module__.startswith("modnet_numba")
            if self.told:
                text = "modnet-numba is compiling, which may take half a minute and is kept on disk"
                print(f"{text}; modnet doctor --warm-up does it ahead", file=sys.stderr, flush=True)
        super().on_start(event)


_TIMER = _Timer()
event.register("numba:compile", _TIMER)  # which does not happen where code is found on disk


def compile_seconds() -> float:
    """Return how long this process has compiled."""
    return float(_TIMER.duration) if _TIMER.done else 0.0


@register_pass(mutates_CFG=False, analysis_only=False)
class _Precision(FunctionPass):
    """Gives constants in a formula the type of its arguments: of 1 − a, a float32, Numba would make a float64."""

    _name = "modnet_precision"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        types_ = set(state.args)
        if types_ not in ({types.float32}, {types.float64}):
            return False
        number = np.float32 if types.float32 in types_ else float
        for block in state.func_ir.blocks.values():
            powers = [each for each in block.find_exprs("binop") if each.fn is operator.pow]
            exponents = {power.rhs.name for power in powers}  # z**2 is a product as long as 2 is an integer
            for each in block.find_insts(ir.Assign):
                constant = isinstance(each.value, ir.Const | ir.FreeVar | ir.Global)
                if constant and type(each.value.value) in (int, float) and each.target.name not in exponents:
                    each.value = ir.Const(number(each.value.value), each.loc)
        return True


class _Compiler(CompilerBase):
    """Numba's compiler with that pass in it."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_Precision, IRProcessing)
        passes.finalize()
        return [passes]


def formula(function: Callable[..., Any]) -> Compiled:
    """Compile a formula of one number or a few, in the precision of its arguments, to become part of a loop.

    A product and a sum may be contracted into one instruction, and nothing else be changed: NaN and inf stay.
    """
    # Contraction: exp of 16k numbers takes 5.9 instead of 8.0 µs in float32, 17 instead of 28 in float64.
    options = {"fastmath": {"contract"}, "forceinline": True, "pipeline_class": _Compiler}
    compiled: Compiled = numba.njit(nogil=True, error_model="numpy", **options)(function)
    return compiled


# In any order, the squared error of 1024 × 10 float32 takes 1.4 instead of 8.6 µs.
_LOOSE: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc"}}


class _Cache(FunctionCache):
    """Numba's cache, without the quarter of a second in which Numba gets ready to compile what is there already."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled for a signature, or None; then it is compiled, and Numba gets ready for that."""
        rtsys.initialize(target_context)  # arrays made in kernels are made by this
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def kept(compiled: Compiled, function: Callable[..., Any]) -> Compiled:
    """Return what Numba makes of a function, to be kept on disk, if there is a place where it can be."""
    with suppress(RuntimeError):  # no directory to write to
        compiled._cache = _Cache(function)
    return compiled


class Kernel:
    """A compiled loop over arrays. Called while a tape is recorded, it is written down instead of run.

    Parameters
    ----------
    make : callable
        Returns it; called when it is needed, for a training needs few of all kernels.

    Attributes
    ----------
    compiled : Compiled
    """

    def __init__(self, make: Callable[[], Compiled]) -> None:
        self._make = make

    @cached_property
    def compiled(self) -> Compiled:
        """What Numba compiles."""
        return self._make()

    def __call__(self, *arguments: Any) -> Any:
        """Run the loop, or write the call down; loops that are written down return nothing but what they fill."""
        record = RECORDER.get()
        return self.compiled(*arguments) if record is None else record(self.compiled, arguments)


def kernel(function: Callable[..., Any]) -> Kernel:
    """Return a loop over arrays, compiled when it is needed, and kept on disk.

    Sums may be taken in any order, and so several elements at a time; NaN and inf stay.
    """
    return Kernel(lambda: kept(numba.njit(**_LOOSE)(function), function))


def part(function: Callable[..., Any]) -> Compiled:
    """Compile a loop over arrays that becomes part of kernels, with the same freedom.

    Inlined, it is in each kernel once: of two copies the linker would take one when they have just been compiled, and
    the other when they come from disk, and their sums need not be the same to the last digit.
    """
    return numba.njit(forceinline=True, **_LOOSE)(function)


@part
def sum_of(values: Array) -> float:
    """Return Σ values. To find a kernel with Numba's own sum on disk takes the import of its `arraymath`: 60 ms."""
    found = 0.0
    for i in range(values.size):
        found += values[i]
    return found


def readable(array: Array) -> Array:
    """Return an array, or, of one that is read-only, another on the same memory that Numba takes as any other.

    For arrays that a kernel only reads: it would be compiled anew for read-only ones, and not at all where it stores
    into the same argument in another case, as into the running mean in training.
    """
    return array if array.flags.writeable else np.asarray(_Memory(array))


class _Memory:
    """The memory of an array, which stays alive as long as this does, without the mark that it is read-only."""

    def __init__(self, array: Array) -> None:
        self._array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}

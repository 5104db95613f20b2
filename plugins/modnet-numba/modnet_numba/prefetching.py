"""Prefetching: memory that will be wanted soon is asked for before, because nothing else knows what rows come next."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from modnet_numba.compiling import part

_LINE = 64
"""Bytes of a cache line, on all CPUs that matter here."""


@intrinsic
def _prefetch(context: Any, address: Any) -> Any:
    """Ask for the cache line at an address."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.IntType(32)
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        result = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], result)
        to_read, as_near_as_can_be, data = 0, 3, 1
        builder.call(function, [pointer, *(ir.Constant(number, each) for each in (to_read, as_near_as_can_be, data))])
        return context.get_dummy_value()

    return types.void(types.int64), code


@part
def prefetch(address: int, size: int) -> None:
    """Ask for so many bytes from an address on."""
    for each in range(address, address + size, _LINE):
        _prefetch(each)

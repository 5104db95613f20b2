"""Uniform numbers of a NumPy generator, drawn without Python: by the functions that its bit generator is made of."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from modnet import Array
from modnet_numba.compiling import RECORDER, kernel

_WORD = ir.IntType(64)


def draw(rng: np.random.Generator, uniform: Array) -> None:
    """Fill an array with numbers in [0, 1), the same that `rng.random` would fill it with."""
    if RECORDER.get() is None:
        rng.random(dtype=uniform.dtype.type, out=uniform)
    else:
        _fill(rng.bit_generator.ctypes.bit_generator.value, uniform)


@intrinsic
def _next(context: Any, address: Any, number: Any) -> Any:
    """Return the next number of the bit generator whose struct is at an address, of the type of `number`.

    The struct (numpy/random/bitgen.h) holds the address of the state and those of four functions of it: next_uint64,
    next_uint32, next_double and next_raw. float32 is made of 24 bits, as in numpy/random/src/distributions.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = builder.inttoptr(arguments[0], _WORD.as_pointer())

        def member(index: int) -> Any:
            return builder.load(builder.gep(struct, [ir.Constant(ir.IntType(32), index)]))

        def called(index: int, result: Any) -> Any:
            function = ir.FunctionType(result, [_WORD])
            return builder.call(builder.inttoptr(member(index), function.as_pointer()), [member(0)])

        if signature.return_type == types.float64:
            return called(3, ir.DoubleType())
        bits = builder.lshr(called(2, ir.IntType(32)), ir.Constant(ir.IntType(32), 8))
        return builder.fmul(builder.uitofp(bits, ir.FloatType()), ir.Constant(ir.FloatType(), 2.0**-24))

    return number(address, number), code


@kernel
def _fill(address: int, uniform: Array) -> None:
    """Fill an array with the numbers of a bit generator."""
    flat = uniform.reshape(uniform.size)
    for i in range(flat.size):
        flat[i] = _next(address, flat[i])

"""Tapes: the kernel calls of a step of training, written down once with their arguments, and run by one compiled loop.

What changes from step to step is memory: rows are gathered into the same buffers, numbers stand in arrays. So a call is
the address of a function and of its arguments, and a step made of thirty costs no time in Python.
"""

import hashlib
import itertools
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from modnet import Array
from modnet_numba.compiling import RECORDER, Compiled, kernel

_WORD = ir.IntType(64)


class Call(NamedTuple):
    """One call on a tape."""

    address: int
    """Of what makes the call."""
    words: tuple[int, ...]
    """64 bits each: the address of the kernel and its arguments."""


class Tape:
    """Calls in a row.

    Arguments of a call are arrays, numbers and None; arrays are kept alive, and read and written where they are.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._kept: list[Sequence[Any]] = []

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self.calls)

    def write(self, compiled: Compiled, arguments: Sequence[Any]) -> None:
        """Add a call."""
        words = [word for each in arguments for word in _packed(each)]
        signature = tuple(map(_type_of, arguments))
        self.calls.append(Call(_caller(signature), (_address(compiled, signature), *words)))
        self._kept.append(arguments)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within it, kernels that are called write themselves down and do nothing else."""
        token = RECORDER.set(self.write)
        try:
            yield
        finally:
            RECORDER.reset(token)

    def arrays(self) -> tuple[Array, Array, Array]:
        """Return the addresses, the words of all calls, and where those of each call begin."""
        sizes = [len(call.words) for call in self.calls]
        starts = np.cumsum([0, *sizes[:-1]])
        words = np.array([word for call in self.calls for word in call.words], np.int64)
        return np.array([call.address for call in self.calls], np.int64), words, starts


def _type_of(argument: Any) -> Any:
    """Return the type that Numba gives an argument: of an array in 1 instead of 15 µs."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        return _type_of_array(argument.dtype, argument.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable)
    return numba.typeof(argument)


@cache
def _type_of_array(dtype: "np.dtype[Any]", ndim: int, by_rows: bool, by_columns: bool, writeable: bool) -> Any:
    layout = "C" if by_rows else "F" if by_columns else "A"
    return types.Array(numba.from_dtype(dtype), ndim, layout, readonly=not writeable)


def _packed(argument: Any) -> Iterator[int]:
    """Yield the words of an argument; `_calling` has the way back."""
    if isinstance(argument, np.ndarray):
        yield from (argument.ctypes.data, *argument.shape, *argument.strides)
    elif isinstance(argument, float):
        yield struct.unpack("q", struct.pack("d", argument))[0]
    elif isinstance(argument, int):
        yield int(argument)
    elif argument is not None:
        raise TypeError(f"an argument on a tape should be an array, a number or None, got {argument!r}")


def _calling(signature: tuple[Any, ...]) -> Any:
    """Return what calls the kernel whose address is at an address, with the arguments of these types behind it.

    It returns whether the kernel has failed.
    """

    @intrinsic
    def called(context: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            base, position = builder.inttoptr(arguments[0], _WORD.as_pointer()), itertools.count()

            def word() -> Any:
                return builder.load(builder.gep(base, [ir.Constant(ir.IntType(32), next(position))]))

            def value(each: Any) -> Any:
                if isinstance(each, types.Array):
                    return array(each)
                if isinstance(each, types.NoneType):
                    return context.get_dummy_value()
                if each == types.float64:
                    return builder.bitcast(word(), ir.DoubleType())
                return context.cast(builder, word(), types.int64, each)

            def array(each: Any) -> Any:
                made = context.make_array(each)(context, builder)
                pointer = builder.inttoptr(word(), made.data.type)
                shape, strides = ([word() for _ in range(each.ndim)] for _ in range(2))
                populate_array(
                    made,
                    data=pointer,
                    shape=cgutils.pack_array(builder, shape),
                    strides=cgutils.pack_array(builder, strides),
                    itemsize=context.get_constant(types.intp, context.get_abi_sizeof(made.data.type.pointee)),
                    meminfo=None,
                )
                return made._getvalue()

            convention = context.call_conv
            pointer = convention.get_function_type(types.none, signature).as_pointer()
            kernel = builder.inttoptr(word(), pointer)
            values = [value(each) for each in signature]
            status, _ = convention.call_function(builder, kernel, types.none, signature, values)
            return builder.zext(status.is_error, _WORD)

        return types.int64(address), code

    return called


def _call(address: Any) -> Any:
    """Call a kernel; `called` is given to each copy of this."""
    return called(address)  # type: ignore[name-defined]  # noqa: F821


@cache
def _caller(signature: tuple[Any, ...]) -> int:
    """Return the address of what calls kernels of some signature; one is enough for all of them."""
    identity = hashlib.sha256(str(signature).encode()).hexdigest()[:16]
    copy = FunctionType(_call.__code__, {"called": _calling(signature), "__name__": __name__}, "call")
    copy.__qualname__ = f"call_{identity}"
    return int(_callback(copy).address)


@cache
def _address(compiled: Compiled, signature: tuple[Any, ...]) -> int:
    """Return the address of a kernel, compiled for some types.

    Callers do not have the kernel compiled into them: it would be compiled twice, and not always to the same sums.
    """
    compiled.compile(signature)
    found = compiled.overloads[signature]
    return int(found.library.get_pointer_to_function(found.fndesc.llvm_func_name))


def _callback(function: Callable[..., Any]) -> Any:
    """Compile a function of an address, and keep it on disk, if there is a place where it can be kept."""
    made: Any
    try:
        made = numba.cfunc(types.int64(types.int64), cache=True)(function)
    except RuntimeError:
        made = numba.cfunc(types.int64(types.int64))(function)
    return made


@intrinsic
def _jump(context: Any, address: Any, words: Any) -> Any:
    """Call the function at an address with the address of its arguments."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(_WORD, [_WORD])
        return builder.call(builder.inttoptr(arguments[0], function.as_pointer()), [arguments[1]])

    return types.int64(types.int64, types.int64), code


@kernel
def play(
    addresses: Array, words: Array, starts: Array, judged: int, rates: Array, clock: Array, value: Array, totals: Array
) -> int:
    """Run a tape once per rate, until a loss is not finite; return how many steps were made, −1 if a kernel failed.

    Parameters
    ----------
    addresses, words, starts : ndarray of int64
        The tape.
    judged : int
        How many of its calls it takes to know the loss.
    rates : ndarray of float64
        The learning rate of each step.
    clock : ndarray of float64, shape (3,)
        The number of steps made, the learning rate, and how many batches have been taken; changed.
    value : ndarray of float64, shape (3,)
        Where the tape writes J of the batch, the penalty, and Σ w of the batch.
    totals : ndarray of float64, shape (2,)
        Σ J w and Σ w over batches, added to.
    """
    base = words.ctypes.data
    for step in range(rates.size):
        clock[0] += 1
        clock[1] = rates[step]
        for i in range(addresses.size):
            if i == judged and not np.isfinite(value[0]):
                return step
            if _jump(addresses[i], base + 8 * starts[i]):
                return -1
        clock[2] += 1
        totals[0] += (value[0] + value[1]) * value[2]
        totals[1] += value[2]
    return rates.size

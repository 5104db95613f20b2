"""Tapes: the kernel calls of a step of training, written down once with their arguments, and run by one compiled loop.

What changes from step to step is memory: rows are gathered into the same buffers, numbers stand in arrays. So a call is
the address of a function and of its arguments, and a step made of thirty costs no time in Python.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
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
    """One call on a tape: where its function is, and its arguments in words of 64 bits."""

    address: int
    words: tuple[int, ...]


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
        words = tuple(word for each in arguments for word in _packed(each))
        self.calls.append(Call(_entry(compiled, tuple(map(numba.typeof, arguments))), words))
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
        """Return the addresses of the functions, the words of all arguments, and where those of each call begin."""
        sizes = [len(call.words) for call in self.calls]
        starts = np.cumsum([0, *sizes[:-1]])
        words = np.array([word for call in self.calls for word in call.words], np.int64)
        return np.array([call.address for call in self.calls], np.int64), words, starts


def _packed(argument: Any) -> Iterator[int]:
    """Yield the words of an argument; `_unpacking` is the way back."""
    if isinstance(argument, np.ndarray):
        yield from (argument.ctypes.data, *argument.shape, *argument.strides)
    elif isinstance(argument, float):
        yield struct.unpack("q", struct.pack("d", argument))[0]
    elif isinstance(argument, int):
        yield int(argument)
    elif argument is not None:
        raise TypeError(f"an argument on a tape should be an array, a number or None, got {argument!r}")


def _unpacking(signature: tuple[Any, ...]) -> Any:
    """Return what makes arguments of given types of the words at an address."""

    @intrinsic
    def unpacked(context: Any, address: Any) -> Any:
        result = types.Tuple(signature)

        def code(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            base, position = builder.inttoptr(arguments[0], _WORD.as_pointer()), iter(range(1024))

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
                itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(each.dtype)))
                populate_array(
                    made,
                    data=pointer,
                    shape=cgutils.pack_array(builder, shape),
                    strides=cgutils.pack_array(builder, strides),
                    itemsize=itemsize,
                    meminfo=None,
                )
                return made._getvalue()

            return context.make_tuple(builder, result, [value(each) for each in signature])

        return result(address), code

    return unpacked


def _call(address: Any) -> None:
    """Call the kernel with the arguments that stand at an address; the two names are given to each copy of this."""
    called(*unpacked(address))  # type: ignore[name-defined]  # noqa: F821


@cache
def _entry(compiled: Compiled, signature: tuple[Any, ...]) -> int:
    """Return the address of a function that takes the address of a kernel's arguments, and calls it."""
    function = compiled.py_func
    source = Path(function.__code__.co_filename)
    text = source.read_bytes() if source.exists() else function.__code__.co_code
    identity = hashlib.sha256(text + f"{function.__qualname__}{signature}".encode()).hexdigest()[:16]
    names = {"called": compiled, "unpacked": _unpacking(signature), "__name__": __name__}
    copy = FunctionType(_call.__code__, names, "call")
    copy.__qualname__ = f"call_{function.__name__}_{identity}"
    return _callback(copy).address


def _callback(function: Callable[..., Any]) -> Any:
    """Compile a function of an address, and keep it on disk, if there is a place where it can be kept."""
    made: Any
    try:
        made = numba.cfunc(types.void(types.int64), cache=True)(function)
    except RuntimeError:
        made = numba.cfunc(types.void(types.int64))(function)
    return made


@intrinsic
def _jump(context: Any, address: Any, words: Any) -> Any:
    """Call the function at an address with the address of its arguments."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.VoidType(), [_WORD])
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), [arguments[1]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@kernel
def play(
    addresses: Array, words: Array, starts: Array, judged: int, rates: Array, clock: Array, value: Array, totals: Array
) -> int:
    """Run a tape once per rate, until a loss is not finite; return how many steps began.

    Parameters
    ----------
    addresses, words, starts : ndarray of int64
        The tape.
    judged : int
        How many of its calls it takes to know the loss.
    rates : ndarray of float64
        The learning rate of each step.
    clock : ndarray of float64, shape (3,)
        The number of steps made, the learning rate, and how many batches of the epoch have been taken.
    value : ndarray of float64, shape (3,)
        J of the batch, the penalty, and Σ w of the batch.
    totals : ndarray of float64, shape (2,)
        Σ J w and Σ w over batches, added to.
    """
    base = words.ctypes.data
    for step in range(rates.size):
        clock[0] += 1
        clock[1] = rates[step]
        for i in range(judged):
            _jump(addresses[i], base + 8 * starts[i])
        if not np.isfinite(value[0]):
            return step + 1
        for i in range(judged, addresses.size):
            _jump(addresses[i], base + 8 * starts[i])
        clock[2] += 1
        totals[0] += (value[0] + value[1]) * value[2]
        totals[1] += value[2]
    return rates.size

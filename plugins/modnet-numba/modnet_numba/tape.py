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
from numba.core.ccallback import CFunc
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from modnet import Array
from modnet_numba.compiling import RECORDER, Compiled, kept, kernel

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
    """Compile a function of an address, and keep it on disk."""
    made = kept(CFunc(function, ((types.int64,), types.int64), locals={}, options={}), function)
    made.compile()
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
    addresses: Array,
    words: Array,
    starts: Array,
    marks: Array,
    rates: Array,
    clock: Array,
    value: Array,
    watched: Array,
    rule: Array,
    count: Array,
    sums: Array,
    losses: Array,
    theta: Array,
    state: Array,
    best_theta: Array,
    best_state: Array,
) -> int:
    """Make a step per rate, until an epoch ends without patience or a loss is not finite; return how many were made.

    Parameters
    ----------
    addresses, words, starts : ndarray of int64
        The tape: a step on a full batch, one on the last batch of an epoch if that is smaller, and what finds the loss
        of the watched rows, if there are any.
    marks : ndarray of int64, shape (7,)
        How many calls come before the loss is judged and before the end, of the first and of the second; before the end
        of the third; rows of a full batch and of a smaller one, 0 if there is none.
    rates : ndarray of float64
        The learning rate of each step.
    clock : ndarray of float64, shape (3,)
        The number of steps made, the learning rate, and how many rows have been taken; changed.
    value : ndarray of float64, shape (3,)
        Where the tape writes J of the batch, the penalty, and Σ w of the batch.
    watched : ndarray of float64, shape (2,)
        Where the tape adds Σ w J and Σ w of the watched rows.
    rule, count : ndarray of float64, shape (5,) and (4,)
        Of the epochs: tol, limit, first, by_watched and steps; best, waited, position and ended. The second is changed.
    sums, losses : ndarray of float64, shape (2,) and (epochs, 2)
        Of the epochs.
    theta, state, best_theta, best_state : ndarray of uint8
        Bytes of θ and of the state, and where those of the best epoch are kept; empty: nowhere.

    Returns
    -------
    int
        −1 if a kernel failed.
    """
    base = words.ctypes.data
    for step in range(rates.size):
        clock[0] += 1
        clock[1] = rates[step]
        smaller = marks[6] > 0 and count[2] == rule[4] - 1
        first, judged, last = (marks[1], marks[2], marks[3]) if smaller else (0, marks[0], marks[1])
        for i in range(first, last):
            if i == judged and not np.isfinite(value[0]):
                return step
            if _jump(addresses[i], base + 8 * starts[i]):
                return -1
        clock[2] += marks[6] if smaller else marks[5]
        sums[0] += (value[0] + value[1]) * value[2]
        sums[1] += value[2]
        count[2] += 1
        if count[2] < rule[4]:
            continue
        epoch = int(count[3])
        loss = sums[0] / sums[1]
        losses[epoch, 0] = loss
        if marks[3] < marks[4]:
            watched[:] = 0
            for i in range(marks[3], marks[4]):
                if _jump(addresses[i], base + 8 * starts[i]):
                    return -1
            losses[epoch, 1] = watched[0] / watched[1]
            if rule[3]:
                loss = losses[epoch, 1]
        sums[:] = 0
        count[2] = 0
        count[3] += 1
        count[1] = count[1] + 1 if loss > count[0] - rule[0] else 0
        if loss < count[0] or (loss == count[0] and not rule[2]):
            count[0] = loss
            best_theta[:] = theta[: best_theta.size]
            best_state[:] = state[: best_state.size]
        if count[1] > rule[1] or not np.isfinite(losses[epoch, 0]) or (rule[3] and not np.isfinite(loss)):
            return step + 1
    return rates.size

"""Matrix products, by the function of BLAS that NumPy calls itself."""

import ctypes
import math
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from modnet import Array
from modnet_numba.compiling import RECORDER, kernel

_ROW_MAJOR, _AS_IT_IS, _TRANSPOSED = 101, 111, 112
"""Constants of CBLAS."""


def by_rows(a: Array) -> Array:
    """Return a, shape (…, k), with all axes but the last as one: shape (n, k), a view where a is contiguous."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim > 2 else a


def product(x: Array, W: Array, *, out: Array | None) -> Array:
    """Return x W, shape (…, units) for x of shape (…, n_in); x may be sparse."""
    if x.ndim > 2:
        out = np.empty((*x.shape[:-1], W.shape[1]), x.dtype) if out is None else out
        product(by_rows(x), W, out=by_rows(out))
        return out
    if RECORDER.get() is not None and out is not None:
        address = _gemm_of_numpy(x.dtype.char)
        if address is None or out.shape[1] == 1:  # 0.6 instead of 2.3 µs for 256 × 64 by 64 × 1, kernel Haswell
            _dot(x, W, out)
        else:
            _multiply(address, x, W, out)
        return out
    if isinstance(x, np.ndarray):
        z: Array = x.dot(W, out)  # np.matmul takes 0.4 to 1.2 µs longer to begin
        return z
    if out is None:
        return x @ W
    out[...] = x @ W
    return out


def transposed_product(x: Array, dz: Array, *, out: Array) -> None:
    """Write xᵀ dz, summed over all axes but the last; x may be sparse."""
    if isinstance(x, np.ndarray):
        product(by_rows(x).T, by_rows(dz), out=out)
    else:
        out[...] = x.T @ dz


@cache
def _gemm_of_numpy(char: str) -> int | None:
    """Return the address of NumPy's own sgemm or dgemm with 64-bit sizes; None where it has none that is known.

    Numba calls that of SciPy, which may be older: 3.6 µs for the five products of 64-32-10 by OpenBLAS 0.3.31, 5.3 by
    0.3.30 (32 rows, float32, kernel Haswell).
    """
    numpy = import_module("numpy._core._multiarray_umath")
    library, letter = ctypes.CDLL(numpy.__file__), {"f": "s", "d": "d"}[char]
    for name in (f"scipy_cblas_{letter}gemm64_", f"cblas_{letter}gemm64_"):
        if hasattr(library, name):
            return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    return None


@intrinsic
def _gemm(context: Any, address: Any, by: Any, sizes: Any, x: Any, W: Any, z: Any, of: Any) -> Any:
    """Call cblas_?gemm with α = 1, β = 0: how x and W lie, (m, n, k), three addresses with their leading sizes."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flag, size, pointer = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
        number = context.get_value_type(of)
        gemm = ir.FunctionType(
            ir.VoidType(),
            [flag] * 3 + [size] * 3 + [number] + [pointer, size] * 2 + [number] + [pointer, size],
        )

        def part(tuple_: Any, index: int) -> Any:
            return builder.extract_value(tuple_, index)

        flags = [ir.Constant(flag, _ROW_MAJOR), *(builder.trunc(part(arguments[1], i), flag) for i in range(2))]
        matrices = [(builder.inttoptr(part(each, 0), pointer), part(each, 1)) for each in arguments[3:6]]
        one, zero = ir.Constant(number, 1.0), ir.Constant(number, 0.0)
        builder.call(
            builder.inttoptr(arguments[0], gemm.as_pointer()),
            [*flags, *(part(arguments[2], i) for i in range(3)), one, *matrices[0], *matrices[1], zero, *matrices[2]],
        )
        return context.get_dummy_value()

    pair, triple = types.UniTuple(types.int64, 2), types.UniTuple(types.int64, 3)
    return types.void(types.int64, pair, triple, pair, pair, pair, of), code


@kernel
def _multiply(address: int, x: Array, W: Array, z: Array) -> None:
    """Write z = x W; each of the two may be the transposed of what lies row by row."""
    m, k = x.shape
    n, size = W.shape[1], x.itemsize
    # A leading size is one that BLAS checks, also where there is but one row, and nothing leads anywhere.
    by_rows, W_by_rows = x.strides[1] == size, W.strides[1] == size
    x_lead = max(x.strides[0] // size, k) if by_rows else max(x.strides[1] // size, m)
    W_lead = max(W.strides[0] // size, n) if W_by_rows else max(W.strides[1] // size, k)
    lie = (_AS_IT_IS if by_rows else _TRANSPOSED, _AS_IT_IS if W_by_rows else _TRANSPOSED)
    to = (z.ctypes.data, max(z.strides[0] // size, n))
    _gemm(address, lie, (m, n, k), (x.ctypes.data, x_lead), (W.ctypes.data, W_lead), to, z[0, 0])


@kernel
def _dot(x: Array, W: Array, z: Array) -> None:
    """Write z = x W, by SciPy's BLAS."""
    np.dot(x, W, z)

"""Elementary functions that LLVM makes vector instructions of: exp, expm1, log, log1p, tanh and erfc.

A loop that calls the C library computes one element at a time. These are plain arithmetic: each splits a power of two
off its argument, and sums up a series as far as it adds anything to a float.
"""

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from modnet_numba.compiling import formula

# log 2 in two parts: n times the first is exact for the exponents n of both dtypes (Cody & Waite 1980).
_HIGH = 0.693359375
_LOW = -2.1219444005469058277e-4
_PER_LOG_2 = 1 / math.log(2)


def _bits(type_: Any) -> tuple[int, int, int]:
    """Return how many bits a float has, how many are its mantissa's, and the bias of its exponent."""
    return (32, 23, 127) if type_ == types.float32 else (64, 52, 1023)


@intrinsic
def _is_single(context: Any, x: Any) -> Any:
    """Return whether x is float32: known when it is compiled, so only one branch is."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.boolean, x == types.float32)

    return types.boolean(x), code


@intrinsic
def _nearest(context: Any, x: Any) -> Any:
    """Return the whole number nearest to x."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.rint", [arguments[0].type]), arguments)

    return x(x), code


@intrinsic
def _power_of_two(context: Any, n: Any) -> Any:
    """Return 2ⁿ, for a whole number n in the range of exponents."""
    bits, mantissa, bias = _bits(n)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, number = ir.IntType(bits), arguments[0].type
        # n as an integer is in the last bits of 1.5 · 2^mantissa + n: AVX2 could not convert to 64 bits.
        shifted = builder.fadd(arguments[0], ir.Constant(number, 1.5 * 2.0**mantissa))
        exponent = builder.add(builder.bitcast(shifted, integer), ir.Constant(integer, bias))
        return builder.bitcast(builder.shl(exponent, ir.Constant(integer, mantissa)), number)

    return n(n), code


@intrinsic
def _split(context: Any, u: Any) -> Any:
    """Return n and m with u = 2ⁿ m and √½ ≤ m < √2, for a normal number u > 0."""
    bits, mantissa, _ = _bits(u)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, number = ir.IntType(bits), arguments[0].type
        shift = ir.Constant(integer, mantissa)
        root = builder.bitcast(ir.Constant(number, math.sqrt(0.5)), integer)
        shifter = ir.Constant(number, 1.5 * 2.0**mantissa)
        u_bits = builder.bitcast(arguments[0], integer)
        exponent = builder.ashr(builder.sub(u_bits, root), shift)
        m = builder.bitcast(builder.sub(u_bits, builder.shl(exponent, shift)), number)
        shifted = builder.bitcast(builder.add(builder.bitcast(shifter, integer), exponent), number)
        return context.make_tuple(builder, signature.return_type, [builder.fsub(shifted, shifter), m])

    return types.UniTuple(u, 2)(u), code


@formula
def _reduced(x: float) -> tuple[float, float]:
    """Return e^r − 1 and n, where x = n log 2 + r."""
    n = _nearest(x * _PER_LOG_2)
    r = (x - n * _HIGH) - n * _LOW
    # e^r − 1 = r + r² (1/2! + r/3! + r²/4! + …) with |r| ≤ ½ log 2
    q = 1 / 5040
    if not _is_single(x):
        q = 1 / 6227020800
        q = q * r + 1 / 479001600
        q = q * r + 1 / 39916800
        q = q * r + 1 / 3628800
        q = q * r + 1 / 362880
        q = q * r + 1 / 40320
        q = q * r + 1 / 5040
    q = q * r + 1 / 720
    q = q * r + 1 / 120
    q = q * r + 1 / 24
    q = q * r + 1 / 6
    q = q * r + 1 / 2
    return r + r * r * q, n


@formula
def _clamped(x: float) -> float:
    """Return x, or the nearest number whose exponential is a positive float, 0 or inf; NaN as it is."""
    limit = 104.0 if _is_single(x) else 746.0
    x = -limit if x < -limit else x
    return limit if x > limit else x


@formula
def exp(x: float) -> float:
    """Return e^x = 2ⁿ e^r, in two steps, because 2ⁿ alone may over- or underflow."""
    p, n = _reduced(_clamped(x))
    half = _nearest(0.5 * n)
    power = _power_of_two(half)
    return (power * p + power) * _power_of_two(n - half)


@formula
def expm1(x: float) -> float:
    """Return e^x − 1 = 2ⁿ (e^r − 1) + 2ⁿ − 1, in two steps."""
    p, n = _reduced(_clamped(x))
    half = _nearest(0.5 * n)
    power = _power_of_two(half)
    return (power * p + (power - _power_of_two(half - n))) * _power_of_two(n - half)


@formula
def tanh(x: float) -> float:
    """Return tanh x = e / (e + 2) with e = e^2x − 1, for |x|, with the sign of x."""
    y = abs(2.0 * x)
    p, n = _reduced(40.0 if y > 40.0 else y)  # beyond 40 it is 1
    power = _power_of_two(n)
    e = power * p + (power - 1.0)
    return math.copysign(e / (e + 2.0), x)


@formula
def _log(n: float, f: float) -> float:
    """Return n log 2 + log(1 + f), where log(1 + f) = 2 (s + s³/3 + s⁵/5 + …) with s = f / (2 + f), |s| < 0.172."""
    s = f / (2.0 + f)
    w = s * s
    q = 2 / 9
    if not _is_single(f):
        q = 2 / 21
        q = q * w + 2 / 19
        q = q * w + 2 / 17
        q = q * w + 2 / 15
        q = q * w + 2 / 13
        q = q * w + 2 / 11
        q = q * w + 2 / 9
    q = q * w + 2 / 7
    q = q * w + 2 / 5
    q = q * w + 2 / 3
    # 2 s = f − s f: the larger part of it has no rounding error.
    return n * _HIGH + (f - (s * (f - w * q) - n * _LOW))


@formula
def _at_the_ends(u: float, y: float) -> float:
    """Return y, a logarithm of u, or what it is where u is no positive number: −inf, inf or NaN."""
    y = u if u == math.inf else y
    y = -math.inf if u == 0.0 else y
    return y if u >= 0.0 else math.nan


@formula
def log(x: float) -> float:
    """Return log x = n log 2 + log m."""
    tiny = x < 1e-30  # so small that it may be subnormal
    n, m = _split(x * 18014398509481984.0 if tiny else x)
    return _at_the_ends(x, _log(n - 54.0 if tiny else n, m - 1.0))


@formula
def log1p(x: float) -> float:
    """Return log(1 + x) = n log 2 + log m, what 1 + x rounds off being added to m."""
    u = 1.0 + x
    n, m = _split(u)
    rounded_off = (x - (u - 1.0)) * _power_of_two(-n if n < 64.0 else -64.0)  # 0 from n = 64 on
    return _at_the_ends(u, _log(n, (m - 1.0) + rounded_off))


@formula
def erfc(x: float) -> float:
    """Return erfc x, for |x| from a polynomial; of a negative x it is 2 − erfc |x|.

    With t = (x − 3.75) / (x + 3.75), (1 + 2x) e^(x²) erfc x is so smooth that a polynomial in t has it to 4e-15 for all
    x ≥ 0: here the one that agrees with it at 21 Chebyshev points (Shepherd & Laframboise 1981, Mathematics of
    Computation 36).
    """
    y = abs(x)
    y = 30.0 if y > 30.0 else y  # beyond 30 it is 0
    t = (y - 3.75) / (y + 3.75)
    q = 1.7312209083118933e-08
    q = q * t + 8.512559451761331e-09
    q = q * t - 2.1321360409864602e-07
    q = q * t - 2.7685663849700945e-08
    q = q * t + 1.6939254478276176e-06
    q = q * t - 1.0084713725546233e-06
    q = q * t - 1.1397625287921655e-05
    q = q * t + 2.241015775977701e-05
    q = q * t + 5.162479200942778e-05
    q = q * t - 0.00029016639136143893
    q = q * t + 0.0002937218341919264
    q = q * t + 0.0017556295487634313
    q = q * t - 0.009746581262494456
    q = q * t + 0.02836227674782648
    q = q * t - 0.05869339838397541
    q = q * t + 0.09230432122771155
    q = q * t - 0.10880393015433062
    q = q * t + 0.08227673848704045
    q = q * t + 0.0035854154857627857
    q = q * t - 0.14024059858550575
    q = q * t + 1.2375126308378264
    tail = exp(-y * y) * q / (1.0 + 2.0 * y)
    return tail if x >= 0.0 else 2.0 - tail

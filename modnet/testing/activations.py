"""The contract of activations: `f` and `df` called by themselves, beside that of modules."""

from collections.abc import Callable
from functools import partial

import numpy as np

from modnet.base import Activation, Array
from modnet.testing.failure import CheckFailed, expect, expect_same, shown
from modnet.testing.gradients import check_gradient
from modnet.testing.modules import FLOATS
from modnet.testing.rules import guarded, rule

_KINKS = np.arange(-16, 17) / 2
_BESIDE = np.sort(np.concatenate([_KINKS - 1e-3, _KINKS + 1e-3])).reshape(11, 6)
"""Both sides of every multiple of a half from −8 to 8: where functions that are made of pieces are joined."""


def derivative(activation: Activation, z: Array, a: Array, da: Array, out: Array | None = None) -> Array:
    """Return dz; what the class does not read is None, as in a network."""
    reads = activation.reads
    return activation.df(z if "x" in reads else None, a if "y" in reads else None, da, out=out)


def _drawn(rows: int = 4, features: int = 3) -> tuple[Array, Array]:
    z, da = np.random.default_rng(0).normal(size=(2, rows, features))
    return z, da


def _tried(check: Callable[[Array, Array], None]) -> None:
    """Try a check on four rows of three; if it fails, show the smallest array on which it does."""
    try:
        check(*_drawn())
    except Exception as error:
        for size in ((1, 1), (1, 2), (2, 1), (4, 3)):
            z, da = (array[: size[0], : size[1]] for array in _drawn())
            try:
                check(z, da)
            except CheckFailed as failed:
                failed.example = shown({"z": z, "da": da})
                raise failed from None
            except Exception:
                raise error from None
        raise


@rule("the derivative of one piece used on the other side of a kink, or a threshold that differs between f and df")
def the_derivative_is_right_on_both_sides_of_kinks(activation: Activation) -> None:
    """The derivative dz = da ∘ σ'(z) is right to 1e-6 at ±1e-3 beside every multiple of a half from −8 to 8."""
    z, da = _BESIDE, np.random.default_rng(0).uniform(0.5, 1.5, _BESIDE.shape)
    dz = derivative(activation, z, activation.f(z), da)
    try:
        check_gradient(lambda z: da * activation.f(z), z, dz, subject="dz")
    except CheckFailed:
        for row, column in sorted(np.ndindex(z.shape), key=lambda index: abs(z[index])):
            one, d = z[row : row + 1, column : column + 1], da[row : row + 1, column : column + 1]
            d_one = derivative(activation, one, activation.f(one), d)
            try:
                check_gradient(lambda z, d=d: d * activation.f(z), one, d_one, subject="dz")  # type: ignore[misc]
            except CheckFailed as failed:
                failed.example = shown({"z": one, "da": d})
                raise failed from None
        raise


@rule("`out` not passed on to the last ufunc: np.exp(z, out=out), or `out[...] = …; return out`")
def out_is_written_and_returned(activation: Activation) -> None:
    """As in NumPy, `f` and `df` write into `out`, whatever it holds, and return it; the result is that without it."""

    def check(z: Array, da: Array) -> None:
        a = activation.f(z)
        dz = derivative(activation, z, a, da)
        for name, expected, call in (
            ("f", a, partial(activation.f, z)),
            ("df", dz, partial(derivative, activation, z, a, da)),
        ):
            out = np.full_like(expected, np.nan)
            expect(call(out=out) is out, f"{name}(…, out=out) returned another array than out")
            expect_same(f"what {name} returns", out, expected, "with out", "without")

    _tried(check)


@rule(
    "z looked at again after the first write to out; or reads should name 'x'",
    applies=lambda activation: "x" not in activation.reads,
)
def z_may_be_overwritten(activation: Activation) -> None:
    """Where `reads` leaves out "x", `out` of `f` may be z itself."""

    def check(z: Array, da: Array) -> None:
        place = z.copy()
        expect_same("f(z)", activation.f(place, out=place), activation.f(z), "with out=z", "without")

    _tried(check)


@rule("z, a or da taken as scratch memory: write into `out` or a fresh array")
def f_and_df_only_read(activation: Activation) -> None:
    """`f` does not change z, and `df` changes neither z nor a nor da."""
    z, da = _drawn()
    a = activation.f(z).copy()
    with guarded(z, a, da):
        activation.f(z)
        derivative(activation, z, a, da)
        derivative(activation, z, a, da, out=np.empty_like(z))


@rule("an axis given by number from the front: features are axis −1, and other axes are none of its business")
def any_shape_will_do(activation: Activation) -> None:
    """`f` and `df` take arrays with any leading axes, and keep shape and dtype."""
    rng = np.random.default_rng(0)
    for dtype in FLOATS:
        z, da = rng.normal(size=(2, 3, 2, 4)).astype(dtype)
        a = activation.f(z)
        dz = derivative(activation, z, a, da)
        for name, array in (("f", a), ("df", dz)):
            expect(array.dtype == dtype, f"{name} made dtype {array.dtype} of {np.dtype(dtype)}")
            expect(array.shape == z.shape, f"{name} made shape {array.shape} of {z.shape}")
        for index in np.ndindex(3, 2):
            alone = activation.f(z[index])
            close = 8 * float(np.finfo(dtype).eps)
            expect_same("f", alone, a[index], "of one row", "of it among others", rtol=close, atol=close)
            d_alone = derivative(activation, z[index], a[index], da[index])
            expect_same("df", d_alone, dz[index], "of one row", "of it among others", rtol=close, atol=close)


@rule(
    "formulas of another branch, or of another convention for z and a",
    applies=lambda activation: activation.formulas() is not None,
)
def formulas_say_what_f_and_df_say(activation: Activation) -> None:
    """The formulas of one number give what `f` and `df` give, to 1e-9; so accelerators may compile them."""
    formulas = activation.formulas()
    assert formulas is not None
    value, slope = formulas
    z = _BESIDE.ravel()
    a = activation.f(z)
    dz = derivative(activation, z, a, np.ones_like(z))
    values = np.array([value(each) for each in z.tolist()])
    slopes = np.array([slope(each, value(each)) for each in z.tolist()])
    for name, found, expected in (("σ(z)", values, a), ("σ'(z)", slopes, dz)):
        expect_same(name, found, expected, "by the formula", "by the class", rtol=1e-9, atol=1e-12)


RULES = (
    the_derivative_is_right_on_both_sides_of_kinks,
    out_is_written_and_returned,
    z_may_be_overwritten,
    f_and_df_only_read,
    any_shape_will_do,
    formulas_say_what_f_and_df_say,
)

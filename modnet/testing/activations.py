"""The contract of activations: `f` and `df` called by themselves, beside that of modules."""

from collections.abc import Callable
from functools import partial, wraps
from typing import NamedTuple

import numpy as np

from modnet.base import Activation, Array
from modnet.testing.failure import expect, expect_same, shown
from modnet.testing.gradients import check_gradient
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules, tried

RULES = Rules()
_KINKS = np.arange(-16, 17) / 2
_BESIDE = np.sort(np.concatenate([_KINKS - 1e-3, _KINKS + 1e-3])).reshape(11, 6)
"""Both sides of every multiple of a half from −8 to 8: where functions that are made of pieces are joined."""


def derivative(activation: Activation, z: Array, a: Array, da: Array, out: Array | None = None) -> Array:
    """Return dz; what the class does not read is None, as in a network."""
    reads = activation.reads
    return activation.df(z if "x" in reads else None, a if "y" in reads else None, da, out=out)


class _Arrays(NamedTuple):
    """What an activation is tried on: z, and the gradient of its output."""

    z: Array
    da: Array

    def example(self) -> str:
        """Return both as a failed check shows them."""
        return shown(self._asdict())


def _drawn(rows: int = 4, features: int = 3) -> _Arrays:
    z, da = np.random.default_rng(0).normal(size=(2, 4, 3))
    return _Arrays(z[:rows, :features], da[:rows, :features])


def _beside_kinks(at: tuple[int, int] | None = None) -> _Arrays:
    """Return both sides of all kinks, or one of them alone."""
    row, column = (slice(None), slice(None)) if at is None else (slice(index, index + 1) for index in at)
    return _Arrays(_BESIDE[row, column], np.random.default_rng(0).uniform(0.5, 1.5, _BESIDE.shape)[row, column])


def for_arrays(check: Callable[[Activation, Array, Array], None]) -> Callable[[Activation], None]:
    """Make a check of an activation out of one that takes z and da; one that fails is tried on smaller arrays."""

    @wraps(check)
    def check_activation(activation: Activation) -> None:
        smaller = [{"rows": rows, "features": features} for rows, features in ((1, 1), (1, 2), (2, 1))]
        tried(lambda arrays: check(activation, *arrays), _drawn, {}, smaller)

    return check_activation


@RULES.add()
def the_derivative_is_right_on_both_sides_of_kinks(activation: Activation) -> None:
    """The derivative dz = da ∘ σ'(z) is right to 1e-6 at ±1e-3 beside every multiple of a half from −8 to 8.

    Usually: the derivative of one piece used on the other side of a kink, or a threshold that differs in f and df
    """

    def check(arrays: _Arrays) -> None:
        z, da = arrays
        dz = derivative(activation, z, activation.f(z), da)
        check_gradient(lambda z: da * activation.f(z), z, dz, subject="dz")

    nearest = sorted(np.ndindex(_BESIDE.shape), key=lambda index: abs(_BESIDE[index]))
    tried(check, _beside_kinks, {}, [{"at": index} for index in nearest])


@RULES.add(for_arrays)
def out_is_written_and_returned(activation: Activation, z: Array, da: Array) -> None:
    """As in NumPy, `f` and `df` write into `out`, whatever it holds, and return it; the result is that without it.

    Usually: `out` not passed on to the last ufunc: np.exp(z, out=out), or `out[...] = …; return out`
    """
    a = activation.f(z)
    dz = derivative(activation, z, a, da)
    for name, expected, call in (
        ("f", a, partial(activation.f, z)),
        ("df", dz, partial(derivative, activation, z, a, da)),
    ):
        out = np.full_like(expected, np.nan)
        expect(call(out=out) is out, f"{name}(…, out=out) returned another array than out")
        expect_same(f"what {name} returns", out, expected, "with out", "without")


@RULES.add(for_arrays, applies=lambda activation: "x" not in activation.reads)
def z_may_be_overwritten(activation: Activation, z: Array, da: Array) -> None:
    """Where `reads` leaves out "x", `out` of `f` may be z itself.

    Usually: z looked at again after the first write to out; or reads should name 'x'
    """
    place = z.copy()
    expect_same("f(z)", activation.f(place, out=place), activation.f(z), "with out=z", "without")


@RULES.add()
def any_shape_will_do(activation: Activation) -> None:
    """`f` and `df` take arrays with any leading axes, and keep shape and dtype.

    Usually: an axis given by number from the front: features are axis −1, and other axes are none of its business
    """
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


@RULES.add(applies=lambda activation: activation.formulas() is not None)
def formulas_say_what_f_and_df_say(activation: Activation) -> None:
    """The formulas of one number give what `f` and `df` give, to 1e-9; so accelerators may compile them.

    Usually: formulas of another branch, or of another convention for z and a
    """
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

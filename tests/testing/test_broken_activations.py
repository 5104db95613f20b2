"""Activations with one slip each, and the checks that find them."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import Activation
from modnet.activations import Softmax, Tanh

GRADIENTS = {
    "gradients_agree_with_central_differences",
    "gradients_agree_for_small_and_large_inputs",
    "gradients_agree_for_many_rows",
    "shapes_and_gradients_are_right_at_any_width",
    "rows_of_several_axes_are_refused_or_right",
}


class Hard(Activation):
    """A = min(max(z, −3), 3), as it should be; others change a line."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z, *, out=None):
        return np.clip(z, -3, 3, out=out)

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, np.abs(z) < 3, out=out)


class OtherThreshold(Hard):
    """Flat from 2.5 on, for df only."""

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, np.abs(z) < 2.5, out=out)


class OtherSide(Hard):
    """Has its slope below −3, and not above it."""

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, z < 3, out=out)


class IgnoresOut(Hard):
    """Returns a fresh array from f."""

    def f(self, z, *, out=None):
        return np.clip(z, -3, 3)


class IgnoresOutInDf(Hard):
    """Returns a fresh array from df."""

    def df(self, z, a, da, *, out=None):
        return da * (np.abs(z) < 3)


class AddsToOut(Hard):
    """Expects zeros in out."""

    def df(self, z, a, da, *, out=None):
        out = np.zeros_like(z) if out is None else out
        out += da * (np.abs(z) < 3)
        return out


class ReadsNothing(Hard):
    """Looks at z without saying so."""

    reads: ClassVar[frozenset[str]] = frozenset()


class LooksTwice(Activation):
    """A = z + tanh(z), which looks at z again behind the first write to out."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def f(self, z, *, out=None):
        a = np.multiply(z, 0.5, out=out)
        return np.add(a, z, out=a)

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, 1.5, out=out)


class WritesIntoDa(Hard):
    """Takes da as scratch memory."""

    def df(self, z, a, da, *, out=None):
        da *= np.abs(z) < 3
        return np.add(da, 0, out=out)


class WritesIntoA(Activation):
    """A = tanh(z), whose df squares a where it lies."""

    reads: ClassVar[frozenset[str]] = frozenset({"y"})

    def f(self, z, *, out=None):
        return np.tanh(z, out=out)

    def df(self, z, a, da, *, out=None):
        a *= a
        return np.multiply(da, 1 - a, out=out)


class WrongFormulas(Hard):
    """Has formulas of another clip."""

    def formulas(self):
        return (lambda z: min(max(z, -3.0), 3.0)), (lambda z, a: float(abs(z) < 2))


class RowsFromTheFront(Activation):
    """A = z / Σ |z| of the row, the row being axis 1."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z, *, out=None):
        return np.divide(z, np.abs(z).sum(axis=1, keepdims=True) + 1, out=out)

    def df(self, z, a, da, *, out=None):
        total = np.abs(z).sum(axis=1, keepdims=True) + 1
        return np.subtract(da / total, np.sign(z) * (da * z).sum(axis=1, keepdims=True) / total**2, out=out)


BROKEN = [
    (OtherThreshold(), {"the_derivative_is_right_on_both_sides_of_kinks"}, GRADIENTS),
    (OtherSide(), {"the_derivative_is_right_on_both_sides_of_kinks"}, GRADIENTS),
    (IgnoresOut(), {"out_is_written_and_returned"}, set()),
    (IgnoresOutInDf(), {"out_is_written_and_returned"}, set()),
    (AddsToOut(), {"out_is_written_and_returned"}, None),
    (ReadsNothing(), {"reads_names_what_the_gradients_look_at"}, None),
    (LooksTwice(), {"z_may_be_overwritten"}, set()),
    (WritesIntoDa(), {"arguments_are_only_read"}, None),
    (WritesIntoA(), {"arguments_are_only_read"}, None),
    (WrongFormulas(), {"formulas_say_what_f_and_df_say"}, set()),
    (RowsFromTheFront(), {"any_shape_will_do", "the_last_axis_is_that_of_features"}, set()),
]


@pytest.mark.parametrize(("activation", "by", "also"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, activation, by, also):
    found = set(failures(activation))
    assert by <= found
    if also is not None:
        assert found <= by | also


@pytest.mark.parametrize("activation", [Hard(), Tanh(), Softmax()], ids=repr)
def test_what_is_right_passes(failures, activation):
    assert failures(activation) == {}


@pytest.mark.parametrize(
    ("activation", "kink"), [(OtherThreshold(), 2.5), (OtherSide(), 3.0)], ids=["threshold", "side"]
)
def test_the_kink_is_named(failures, activation, kink):
    failed = failures(activation)["the_derivative_is_right_on_both_sides_of_kinks"]
    assert abs(abs(float(failed.example.splitlines()[0].strip("z =[]"))) - kink) < 0.6
    assert "dz[0, 0]: numeric" in failed.found

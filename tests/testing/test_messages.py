"""What a failed check says: contract, indices and both values, the smallest input, the usual cause."""

import pickle
import re
from typing import ClassVar

import numpy as np
import pytest

import modnet
from modnet import Activation, Module
from modnet.testing import CheckFailed, check_gradient, check_module, check_network, checks_of


class Half(Activation):
    """A = z², with half of its derivative."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def f(self, z, *, out=None):
        return np.multiply(z, z, out=out)

    def df(self, z, a, da, *, out=None):
        return np.multiply(da, z, out=out)


class Wide(Module):
    """Y = x with the first column of a batch of three rows or more doubled: nothing smaller shows it."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        factor = np.ones(x.shape[-1])
        factor[0] = 2 if x.shape[-2] > 2 and x.shape[-1] > 2 else 1
        return (x * factor).astype(x.dtype)

    def grad_input(self, ctx, dy):
        return dy


class Raises(Wide):
    """Fails in a way of its own."""

    def forward(self, ctx, x):
        raise KeyError("weights")


def failure(component, name) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        dict(checks_of(component))[name]()
    return caught.value


def test_a_wrong_derivative_is_shown_whole():
    failed = failure(Half(), "gradients_agree_with_central_differences")
    lines = str(failed).splitlines()
    assert lines[0] == "Half() fails gradients_agree_with_central_differences"
    assert lines[1].startswith("  contract ∂J/∂x and ∂J/∂θ are the derivatives of J = Σ dy ∘ y, to 1e-6 in float64")
    (x,) = (float(line.split("[[")[1].rstrip("]")) for line in lines if "x = " in line and "dx" not in line)
    (dy,) = (float(line.split("[[")[1].rstrip("]")) for line in lines if "dy = " in line)
    (found,) = (line for line in lines if line.startswith("  found"))
    assert found.startswith("  found    dx[0, 0]: numeric ")
    numeric, analytic = (float(found.split(what)[1].split(",")[0]) for what in ("numeric", "analytic"))
    assert numeric == pytest.approx(2 * x * dy, abs=1e-6)
    assert analytic == pytest.approx(x * dy, abs=1e-6)
    assert any(line.startswith("  with     1 row of 1 feature in float64, prediction") for line in lines)
    assert any(line.startswith("  usually  a factor or a sign left out") for line in lines)
    assert max(map(len, lines)) <= 110


def test_the_smallest_problem_is_looked_for():
    assert failure(Half(), "gradients_agree_with_central_differences").example.startswith("1 row of 1 feature ")
    assert failure(Wide(), "gradients_agree_with_central_differences").example.startswith("4 rows of 5 features ")


def test_what_a_component_raised_is_chained():
    failed = failure(Raises(), "gradients_agree_with_central_differences")
    assert re.fullmatch(r"KeyError: 'weights' \(in forward, test_messages\.py, line \d+\)", failed.found)
    assert isinstance(failed.__cause__, KeyError)
    assert "x = [[" in failed.example


class Flat(Wide):
    """Loses an axis."""

    def forward(self, ctx, x):
        return x[:, 0]


class Keeps(Wide):
    """Keeps what it has met."""

    def forward(self, ctx, x):
        self.x = x
        return x


class Short(Wide):
    """Takes no context."""

    def forward(self, x):
        return x


class Unwritten(modnet.layers.Bias):
    """Binds the gradient to a name."""

    def grad_params(self, ctx, dy):
        ctx.g.b = dy.sum(axis=tuple(range(dy.ndim - 1)))


@pytest.mark.parametrize(
    ("component", "cause"),
    [
        (Flat(), "an output_shape that announces another shape"),
        (Keeps(), "something kept on the component"),
        (Short(), "a method that takes other arguments than that of its base"),
        (Unwritten(), "a name that was bound anew"),
    ],
)
def test_the_cause_that_is_told_first_is_that_of_the_mistake(component, cause: str):
    with pytest.raises(CheckFailed) as failed:
        check_module(component)
    assert cause in failed.value.cause


def test_the_first_failure_of_a_component_is_raised():
    with pytest.raises(CheckFailed, match=r"^Half\(\) fails the_derivative_is_right_on_both_sides_of_kinks"):
        check_module(Half())


def test_a_failure_is_an_assertion_error_that_pickles():
    failed = failure(Half(), "gradients_agree_with_central_differences")
    assert isinstance(failed, AssertionError)
    assert str(pickle.loads(pickle.dumps(failed))) == str(failed)


def test_elements_are_counted_where_there_are_several():
    with pytest.raises(
        CheckFailed, match=r"^dx\[1\]: numeric 2, analytic 3, relative error 3\.3e-01 \(1 of 2 elements"
    ):
        check_gradient(lambda x: float(2 * x.sum()), np.ones(2), np.array([2.0, 3.0]), subject="dx")
    with pytest.raises(CheckFailed, match=r"^gradient\[0\]: numeric 2, analytic 3, relative error 3\.3e-01$"):
        check_gradient(lambda x: float(2 * x.sum()), np.ones(1), np.array([3.0]))


@pytest.mark.parametrize(
    ("x", "analytic", "message"),
    [
        (np.ones(2, np.float32), np.ones(2), "differences need float64"),
        (np.ones(0), np.ones(0), "at least one element"),
        (np.ones(2), np.ones((2, 1)), r"should have shape \(2,\), got \(2, 1\)"),
    ],
)
def test_what_cannot_be_compared_is_refused(x, analytic, message):
    with pytest.raises(CheckFailed, match=message):
        check_gradient(np.sum, x, analytic)


def test_a_function_that_bends_within_the_step_is_judged_fairly():
    x = np.array([60.0, -3.0])
    check_gradient(lambda x: np.sin(40 * x), x, 40 * np.cos(40 * x), rtol=1e-7)
    with pytest.raises(CheckFailed):
        check_gradient(lambda x: np.sin(40 * x), x, 40.001 * np.cos(40 * x), rtol=1e-6)


def test_a_layer_in_a_network_is_named_by_its_path():
    with pytest.raises(CheckFailed, match=r"^dx\[\d, \d\]: numeric"):
        check_network([Half()], (2,))

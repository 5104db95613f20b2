"""Outputs and inputs that are wrong on purpose: each is caught by the check that is meant to."""

import pytest

from modnet import Inputs, Output
from modnet.layers import Dense, Standardize


class ForgetsTheWidth(Output):
    """Ends in one column, whatever is asked for."""

    def links(self, shape, width):
        return (("", Dense(1)),)


class KeepsAnAxis(Output):
    """Ends in whatever came in."""

    def links(self, shape, width):
        return (("", Standardize()),)


class Nothing(Inputs):
    """Promises links, and has none."""

    def links(self, shape):
        return ()


class Right(Inputs):
    """Standardizes, and learns a mixture."""

    def links(self, shape):
        return (("", Standardize()), ("mix", Dense(2)))


@pytest.mark.parametrize(
    ("component", "check"),
    [
        (ForgetsTheWidth(), "an_output_ends_in_the_width_asked_for"),
        (KeepsAnAxis(), "an_output_ends_in_the_width_asked_for"),
        (Nothing(), "gradients_of_the_links_agree_with_central_differences"),
    ],
    ids=repr,
)
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, component, check):
    assert check in failures(component)


def test_what_is_right_passes(failures):
    assert failures(Right()) == {}

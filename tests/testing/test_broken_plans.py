"""Outputs and inputs that are wrong on purpose: each is caught by the check that is meant to."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from modnet import Inputs, Output
from modnet.inputs import Table
from modnet.layers import Columns, Dense, OneHot, Standardize


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
    """Standardizes, and learns a mixture, of a width that it chooses."""

    width: int | None = None

    def choose(self, shape, x, weight):
        return dataclasses.replace(self, width=self.width or len(x) // 100 + 1)

    def links(self, shape):
        return (("", Standardize()), ("mix", Dense(self.width or 2)))


class ChoosesLinks(Right):
    """Returns what it should put into its fields."""

    def choose(self, shape, x, weight):
        return self.links(shape)


class ChoosesForEver(Right):
    """Never comes to an end."""

    def choose(self, shape, x, weight):
        return dataclasses.replace(self, width=(self.width or 0) + 1)


class ChoosesNoLinks(Right):
    """Chooses what has none."""

    def choose(self, shape, x, weight):
        return dataclasses.replace(self, width=9)

    def links(self, shape):
        return () if self.width == 9 else super().links(shape)


class ChangesItsRows(Right):
    """Fills gaps where they are."""

    def choose(self, shape, x, weight):
        x[np.isnan(x)] = 0
        return super().choose(shape, x, weight)


class CodesBehindAPlan(OneHot):
    """Takes codes, and does not say that it goes by columns."""

    takes_columns: ClassVar[bool] = False


@pytest.mark.parametrize(
    ("component", "check"),
    [
        (ForgetsTheWidth(), "an_output_ends_in_the_width_asked_for"),
        (KeepsAnAxis(), "an_output_ends_in_the_width_asked_for"),
        (Nothing(), "gradients_of_the_links_agree_with_central_differences"),
        *((cls(), "what_is_left_open_is_chosen_once") for cls in Right.__subclasses__()),
        (CodesBehindAPlan(categories=3), "no_plan_for_columns_stands_in_front_of_it"),
    ],
    ids=repr,
)
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, component, check):
    assert check in failures(component)


@pytest.mark.parametrize("component", [Right(), Right(3), Table(), OneHot(categories=3), Columns((1,))], ids=repr)
def test_what_is_right_passes(failures, component):
    assert failures(component) == {}


def test_nonsense_in_place_of_a_choice_is_shown(failures):
    found = " ".join(str(failures(ChoosesLinks())["what_is_left_open_is_chosen_once"]).split())
    assert "for 4 rows choose returned (('', Standardize(" in found
    assert "neither a ChoosesLinks nor None" in found

"""Slips that components of any kind can have: fields, pickle, repr, docstring."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
import pytest
from pydantic import AfterValidator, BeforeValidator, Field

from modnet import AnyInitializer, Schedule
from modnet.initializers import Constant
from modnet.testing import CheckFailed, check_component, check_initializer, check_schedule, checks_of


class Flat(Schedule):
    """The same rate always, as it should be; others add a field or a method."""

    def rate(self, learning_rate, progress):
        return learning_rate


class NoDocstring(Flat):
    factor: float = Field(default=1.0, ge=0)


class NoFullStop(Flat):
    """The same rate always

    And more of it.
    """


class AnyFactor(Flat):
    """A factor that may be NaN."""

    factor: float = 1.0


class AnyWord(Flat):
    """A factor of no type."""

    factor: Any = 1.0


class Truthful(Flat):
    """A number that takes what is no number."""

    steps: int | str = 3


class Doubled(Flat):
    """A number that a validator makes NumPy's."""

    factor: Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(np.float64)] = 1.0


def _read(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


class Parsed(Flat):
    """A number that text is read as."""

    factor: Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(_read)] = 1.0


class Bounded(Flat):
    """Fields of all sorts, each with what it needs."""

    factor: Annotated[float, Field(gt=0)] = 1.0
    ceiling: Annotated[float, Field(allow_inf_nan=True)] = float("inf")
    steps: Annotated[int, Field(ge=1)] | None = None
    many: tuple[float, ...] = (1.0, 2.0)
    quiet: bool = True
    start: AnyInitializer = Constant(0.5)


class Terse(Flat):
    """Shows less than what it is."""

    factor: Annotated[float, Field(ge=0)] = 1.0

    def __repr__(self):
        return "Terse()"


class Open(Flat):
    """Lets its fields be set."""

    factor: Annotated[float, Field(ge=0)] = 1.0


Open.__setattr__ = object.__setattr__


class Itself(Flat):
    """Equals itself only."""

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


class Creeping(Flat):
    """A field that every validation changes."""

    factor: Annotated[float, Field(ge=0)] = 1.0

    def __post_init__(self):
        object.__setattr__(self, "factor", self.factor + 1)


class SameTwice(Flat):
    """Two examples that are one."""

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return (cls(), cls())


class Strangers(Flat):
    """An example of another class."""

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return (Flat(),)


class Matrix(Flat):
    """A field that is an array: no JSON, no equality."""

    values: Any = ()


def local() -> Schedule:
    class Local(Flat):
        """A class that no other process can find."""

    return Local()


FIELDS = {"components_are_equal_by_value", "pickle_brings_it_back", "copies_are_equal", "json_brings_it_back"}
BROKEN = [
    (NoDocstring(), {"the_docstring_says_what_it_is"}, set()),
    (NoFullStop(), {"the_docstring_says_what_it_is"}, set()),
    (AnyFactor(), {"hyper_parameters_are_checked"}, set()),
    (Parsed(), {"hyper_parameters_are_checked"}, set()),
    (Doubled(1.5), {"repr_is_the_call_that_makes_it"}, set()),
    (Terse(2.0), {"repr_is_the_call_that_makes_it"}, set()),
    (Open(), {"fields_are_frozen"}, set()),
    (Itself(), FIELDS, {"repr_is_the_call_that_makes_it"}),
    (Creeping(), {"components_are_equal_by_value", "copies_are_equal"}, {*FIELDS, "repr_is_the_call_that_makes_it"}),
    (SameTwice(), {"examples_are_of_the_class_and_differ"}, set()),
    (Strangers(), {"examples_are_of_the_class_and_differ"}, set()),
    (local(), {"pickle_brings_it_back"}, set()),
    (Matrix([1.0]), {"components_are_equal_by_value"}, None),
]


@pytest.mark.parametrize(("component", "by", "also"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, component, by, also):
    found = set(failures(component))
    assert by <= found
    if also is not None:
        assert found <= by | also


@pytest.mark.parametrize(
    "component", [Flat(), Bounded(), Bounded(2.0, steps=4, many=()), AnyWord(), Truthful()], ids=repr
)
def test_what_is_right_passes(failures, component):
    assert failures(component) == {}


def test_the_value_that_was_possible_is_named():
    with pytest.raises(CheckFailed, match=r"AnyFactor\(factor=nan\) was possible"):
        dict(checks_of(AnyFactor()))["hyper_parameters_are_checked"]()


def test_a_checker_takes_its_own_kind_only():
    check_schedule(Flat())
    check_component(Flat())
    with pytest.raises(TypeError, match=r"expected an instance of modnet\.Initializer, got Flat\(\)"):
        check_initializer(Flat())

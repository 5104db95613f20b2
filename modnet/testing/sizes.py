"""The contract of modules at other sizes: few and many rows, widths of one and two, other orders of memory."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from modnet.base import Array, Module
from modnet.errors import InvalidSpecError, ModNetError
from modnet.testing.failure import CheckFailed
from modnet.testing.gradients import check_along_lines
from modnet.testing.modules import MANY, REFUSED, expect_finite, expect_shapes
from modnet.testing.problems import Problem, for_problems
from modnet.testing.rules import Rules, tried

RULES = Rules()
_LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "in Fortran order": np.asfortranarray,
    "cut out of larger ones": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
}


@RULES.add(for_problems(rows=(1,)))
def one_row_is_enough(problem: Problem) -> None:
    """A batch of one row, such as the last of an epoch may be, gives finite results and leaves the state finite.

    Usually: a variance with n − 1, a correction n / (n − 1) or a mean of the other rows: a single row has none
    """
    expect_finite(problem)


@RULES.add(for_problems())
def memory_order_makes_no_difference(problem: Problem) -> None:
    """The results are the same however x and dy lie in memory: what users pass reaches the first layer as it is.

    Usually: x.ravel("K"), order="A", or strides taken for granted: np.ascontiguousarray(x) where the order matters
    """
    expected = problem.run()
    for how, laid in _LAYOUTS.items():
        found = problem.replaced(x=laid(problem.x), dy=laid(problem.dy)).run()
        problem.expect_same(found, expected, f"for x and dy {how}", "in C order", rtol=1e-12, atol=1e-13)


@RULES.add(for_problems(rows=(MANY,)))
def gradients_agree_for_many_rows(problem: Problem) -> None:
    """The gradients are right for batches of 70 rows as well.

    Usually: blocks of rows that are joined in a wrong way, or a sum over the first block only
    """
    check_along_lines(problem)


@RULES.add()
def shapes_and_gradients_are_right_at_any_width(module: Module) -> None:
    """With one or two features, one or two units, or as many features as units, shapes and gradients are right.

    Usually: output_shape and forward that disagree, `units` and features mixed up, np.squeeze, or a branch of its own
    for one unit: the axes are (rows, features)
    """
    for variant in _variants(module):
        try:
            _right_at_all_widths(variant)
        except CheckFailed as failed:
            failed.example = f"{variant!r}, {failed.example}"
            raise


@RULES.add()
def rows_of_several_axes_are_refused_or_right(module: Module) -> None:
    """Where `output_shape` accepts rows of shape (2, n), shapes and gradients are right for them.

    Usually: only rows of one axis in mind: let output_shape raise ShapeError where len(input_shape) is not 1
    """
    rng = np.random.default_rng(1)
    rows = module.example_rows(rng, 12)
    x = rows.reshape(6, 2, *rows.shape[1:])
    try:
        module.output_shape(x.shape[1:])
    except ModNetError:
        return
    for training in (False, True):
        case = {"x": x[:3], "training": training}
        tried(_right, partial(Problem, [module], data=x), case, [{"x": x[:1]}])


def _right_at_all_widths(module: Module) -> None:
    with REFUSED:
        example = module.example_rows(np.random.default_rng(0), 1)
        widths = (None, 1, 2, module.output_shape(example.shape[1:])[-1])
        for width, training in itertools.product(widths, (False, True)):
            with REFUSED:
                case = {"rows": 3, "features": width, "training": training}
                tried(_right, partial(Problem.of, module), case, [{"rows": 1}])


def _right(problem: Problem) -> None:
    expect_shapes(problem)
    check_along_lines(problem)


def _variants(module: Module) -> Iterator[Module]:
    """Return a module, and what it is with 1 or 2 in place of each whole number among its fields."""
    yield module
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        for other in {1, 2} - {value} if type(value) is int else ():
            with contextlib.suppress(InvalidSpecError):
                changes: dict[str, Any] = {field.name: other}
                yield dataclasses.replace(module, **changes)

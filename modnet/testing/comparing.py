"""Comparing what a component gives with what it should give, and what a check says when they differ.

`expect_same` compares arrays, `check_gradient` a gradient with central differences; a failed check says what the
contract is, what was found, the smallest input that shows it, and the usual cause.
"""

import dataclasses
import itertools
import textwrap
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from modnet.base import Array
from modnet.component import Component
from modnet.errors import ContractError, ShapeError

_WIDTH = 110
_SMALL = 24
"""Arrays with more elements are not printed."""

Number = Array | float


class CheckFailed(AssertionError):
    """A component does not keep the contract of its kind.

    Parameters
    ----------
    found : str
        What was found; with indices and both values, if numbers disagree.
    example : str
        The smallest input that shows it.
    cause : str
        What is usually wrong then.
    contract : str
        What the contract says.
    check, subject : str
        The name of the check, and the component.

    Examples
    --------
    >>> print(CheckFailed("dx[0]: numeric 2, analytic 1", cause="a factor left out", check="gradients", subject="A()"))
    A() fails gradients
      found    dx[0]: numeric 2, analytic 1
      usually  a factor left out
    """

    def __init__(
        self, found: str, example: str = "", cause: str = "", contract: str = "", check: str = "", subject: str = ""
    ) -> None:
        super().__init__(found, example, cause, contract, check, subject)
        self.found, self.example, self.cause = found, example, cause
        self.contract, self.check, self.subject = contract, check, subject

    def __str__(self) -> str:
        """Return the whole message; where nothing but `found` is known, that."""
        parts = {"contract": self.contract, "found": self.found, "with": self.example, "usually": self.cause}
        told = {title: text for title, text in parts.items() if text}
        if not self.check and list(told) == ["found"]:
            return self.found
        paragraphs, width = [f"{self.subject} fails {self.check}"] if self.check else [], _WIDTH - 11
        for title, text in told.items():
            wrapped = (textwrap.wrap(line, width) if len(line) > width else [line] for line in text.splitlines())
            paragraphs.append(f"  {title:<9}" + f"\n{' ' * 11}".join(itertools.chain(*wrapped)))
        return "\n".join(paragraphs)


def raised(error: Exception) -> Exception:
    """Return what the component itself raised, which a network wraps in an error that says where."""
    own = error.__cause__ if isinstance(error, ContractError) else None
    return own if isinstance(own, Exception) else error


def explained(error: Exception) -> CheckFailed:
    """Return what a component raised as a failed check."""
    if isinstance(error, CheckFailed):
        return error
    text, cause = f"{type(error).__name__}: {error}", ""
    if isinstance(error, ContractError):
        kept = "was not kept" in text
        cause = "the class's reads leaves out what its gradients look at" if kept else _OTHERWISE
    elif isinstance(error, ShapeError):
        cause = "example_rows is not defined, or returns rows that the module does not take"
    elif isinstance(error, dataclasses.FrozenInstanceError):
        cause = "something kept on the component: of a pass it belongs into ctx.scratch, of a training into the state"
    elif isinstance(error, TypeError) and " argument" in text:
        cause = "a method that takes other arguments than that of its base: help(type(…).__base__) shows them"
    elif isinstance(error, ValueError) and "read-only" in str(error):
        cause = "it writes into an array that it was given: write into out, or into a fresh array"
    elif "NoneType" in text:
        cause = "a `return` left out; or z or a looked at, which `reads` does not name"
    elif isinstance(error, RuntimeWarning):
        cause = "a formula that overflows, or divides by zero, where its result need not: rewrite it"
    return CheckFailed(text + _place(error), cause=cause)


_OTHERWISE = "an output_shape that announces another shape, or float64 numbers among float32: np.float64, np.array(1.0)"


def _place(error: Exception) -> str:
    """Return where in a component's code an error was raised, if it was there."""
    frames = [
        (frame.f_locals.get("self"), frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    for owner, code, line in reversed(frames):
        if isinstance(owner, Component) and code.co_filename != "<string>":  # which is what dataclasses generate
            return f" (in {code.co_name}, {Path(code.co_filename).name}, line {line})"
    return ""


def expect(condition: object, found: str, cause: str = "") -> None:
    """Raise `CheckFailed` with what was found, unless the condition holds."""
    if not condition:
        raise CheckFailed(found, cause=cause)


def expect_same(
    name: str, actual: Number, expected: Number, here: str, there: str, *, rtol: float = 0, atol: float = 0
) -> None:
    """Compare two arrays, or two numbers.

    Parameters
    ----------
    name : str
        What the message calls both.
    actual, expected : ndarray or float
    here, there : str
        Where each is from: "y[0] is 1 *in one batch*, and 2 *taken alone*".
    rtol, atol : float
        How far apart they may be; 0: every bit counts, and NaN is NaN.

    Raises
    ------
    CheckFailed
        Naming the element that is farthest off, and both values.

    Examples
    --------
    >>> expect_same("y", np.array([1.0, 2.0]), np.array([1.0, 2.5]), "in float32", "in float64", rtol=1e-3)
    Traceback (most recent call last):
    ...
    modnet.testing.comparing.CheckFailed: y[1] is 2 in float32, and 2.5 in float64 (1 of 2 elements differ)
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    expect(actual.shape == expected.shape, f"{name} has shape {actual.shape} {here}, and {expected.shape} {there}")
    with np.errstate(all="ignore"):
        bound = atol + rtol * np.abs(expected.astype(float))
        off = np.abs(actual.astype(float) - expected.astype(float))
        same = (actual == expected) | (off <= bound) | (np.isnan(actual) & np.isnan(expected))
    if not same.all():
        worst = np.unravel_index(np.argmax(np.where(same, -1.0, np.nan_to_num(off, nan=np.inf))), off.shape)
        values = f"{float(actual[worst]):.9g} {here}, and {float(expected[worst]):.9g} {there}"
        raise CheckFailed(f"{element(name, worst)} is {values}{counted(~same, 'differ')}")


def counted(wrong: Array, what: str) -> str:
    """Return how many elements are wrong, if there are several, in brackets."""
    return f" ({np.sum(wrong)} of {wrong.size} elements {what})" if wrong.size > 1 else ""


def element(name: str, index: tuple[int | np.intp, ...]) -> str:
    """Return how an element of an array is written.

    Examples
    --------
    >>> element("dx", (0, 1)), element("J", ())
    ('dx[0, 1]', 'J')
    """
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def shown(arrays: Mapping[str, Array]) -> str:
    """Return small arrays as a reader would write them, and of the others the shape.

    Examples
    --------
    >>> print(shown({"x": np.array([[1.0, 0.25]]), "W": np.zeros((9, 9))}))
    x = [[1.  , 0.25]]
    W of shape (9, 9)
    """
    lines = []
    for name, array in arrays.items():
        head, width = f"{name} = ", _WIDTH - 20
        small = array.size <= _SMALL
        text = np.array2string(array, precision=6, separator=", ", max_line_width=width, prefix=head) if small else ""
        lines.append(head + text if small else f"{name} of shape {array.shape}")
    return "\n".join(lines)


STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""6e-6: where the truncation error of a central difference, of order h², meets its rounding error, of order ε/h."""

FLOOR = 1e-2
"""Smaller gradients are compared as if they were this large: rounding leaves about 1e-10 in a difference quotient."""

_FOURTH = 1e-4
"""The step of a difference of fourth order, for functions that bend within `STEP`: error h⁴ against ε/h."""

Terms = Callable[[Array], Any]
"""J as a function of an array: a float, or an array of terms whose sum it is.

Differences are taken term by term: terms that an element has no part in cancel exactly.
"""


def numeric_gradient(f: Terms, x: Array) -> Array:
    """Return the central differences (f(x + h) − f(x − h)) / 2h along every element of x.

    Parameters
    ----------
    f : callable
        Takes an array like x, and returns a float, or an array of terms that are summed.
    x : ndarray, float64
        Where.

    Returns
    -------
    ndarray, shape of x
        The gradient of the sum.

    Examples
    --------
    >>> numeric_gradient(lambda x: float(x @ x), np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    gradient, moved = np.empty_like(x), x.copy()
    for index in np.ndindex(x.shape):
        h = STEP * max(1.0, abs(x[index]))
        left, right = _moved(f, moved, index, -h), _moved(f, moved, index, h)
        gradient[index] = np.sum(right[0] - left[0]) / (right[1] - left[1])
    return gradient


def check_gradient(f: Terms, x: Array, analytic: Array, *, rtol: float = 1e-6, subject: str = "gradient") -> None:
    """Compare the gradient of f at x with central differences.

    Parameters
    ----------
    f : callable
        Takes an array like x, returns a float, or an array of terms that are summed.
    x : ndarray, float64, not empty
        Where.
    analytic : ndarray, shape of x
        The gradient to check.
    rtol : float
        Largest error, relative to the larger of the two values and of `FLOOR`.
    subject : str
        What the error message calls the gradient.

    Raises
    ------
    CheckFailed
        Naming the element with the largest error, its numeric and its analytic value. It is an AssertionError.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_gradient(lambda x: np.sum(x * x), x, 2 * x)
    >>> check_gradient(lambda x: np.sum(x * x), x, x * [[1, 2], [2, 2]])
    Traceback (most recent call last):
    ...
    modnet.testing.comparing.CheckFailed: gradient[0, 0]: numeric 2, analytic 1, relative error 5.0e-01 (1 of 4 ...
    """
    text = f"{subject}: differences need float64 and at least one element, got {x.dtype}, {x.shape}"
    expect(x.dtype == np.float64 and x.size, text)
    expect(analytic.shape == x.shape, f"{subject}: should have shape {x.shape}, got {analytic.shape}")
    numeric, moved = numeric_gradient(f, x), x.copy()
    error = _error(numeric, analytic)
    for index in map(tuple, np.argwhere(~(error <= rtol))):  # NaN is wrong, too
        # 12h ∂f/∂x = 8 (f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h)) + O(h⁵); the least step for cos(ω x), ω > 300
        for h in {_FOURTH / 5, _FOURTH, _FOURTH * max(1.0, abs(x[index]))}:
            near, far = (_moved(f, moved, index, k * h)[0] - _moved(f, moved, index, -k * h)[0] for k in (1, 2))
            error[index] = np.fmin(error[index], _error(np.sum(8 * near - far) / (12 * h), analytic[index]))
    wrong = ~(error <= rtol)
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), x.shape)
        raise CheckFailed(
            f"{element(subject, worst)}: numeric {numeric[worst]:.9g}, analytic {analytic[worst]:.9g}, relative error "
            f"{error[worst]:.1e}{counted(wrong, f'are off by more than {rtol:g}')}"
        )


def _moved(f: Terms, x: Array, index: tuple[int, ...], h: float) -> tuple[Any, Any]:
    """Return f with one element moved by h, and where the element then is."""
    before = x[index]
    x[index] += h
    there = x[index]
    value = f(x)
    x[index] = before
    return value, there


def _error(numeric: Array, analytic: Array) -> Array:
    error: Array = np.abs(numeric - analytic) / np.maximum(np.maximum(np.abs(numeric), np.abs(analytic)), FLOOR)
    return error

"""What a check says when it fails: the contract, what was found, the smallest input that shows it, the usual cause."""

import textwrap
from collections.abc import Mapping

import numpy as np

from modnet.base import Array
from modnet.errors import ContractError, ShapeError

_WIDTH = 110
_SMALL = 24
"""Arrays with more elements are not printed."""


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
        head = [f"{self.subject} fails {self.check}"] if self.check else []
        return "\n".join([*head, *(_part(title, text) for title, text in told.items())])


def explained(error: Exception) -> CheckFailed:
    """Return what a component raised as a failed check."""
    if isinstance(error, CheckFailed):
        return error
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, ContractError):
        cause = "the class's reads leaves out what its gradients look at"
    elif isinstance(error, ShapeError):
        cause = "the rows that example_rows returns are not such as the module takes"
    elif isinstance(error, ValueError) and "read-only" in str(error):
        cause = "it writes into an array that it was given: write into out, or into a fresh array"
    elif "NoneType" in text:
        cause = "a `return` left out; or z or a looked at, which `reads` does not name"
    elif isinstance(error, RuntimeWarning):
        cause = "a formula that overflows, or divides by zero, where its result need not: rewrite it"
    else:
        cause = ""
    return CheckFailed(text, cause=cause)


def expect(condition: object, found: str, cause: str = "") -> None:
    """Raise `CheckFailed` with what was found, unless the condition holds."""
    if not condition:
        raise CheckFailed(found, cause=cause)


def expect_same(
    name: str,
    actual: Array | float,
    expected: Array | float,
    here: str,
    there: str,
    *,
    rtol: float = 0,
    atol: float = 0,
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
    modnet.testing.failure.CheckFailed: y[1] is 2 in float32, and 2.5 in float64 (1 of 2 elements differ)
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
    return "\n".join(_shown(name, array) for name, array in arrays.items())


def _shown(name: str, array: Array) -> str:
    if array.size > _SMALL:
        return f"{name} of shape {array.shape}"
    head = f"{name} = "
    return head + np.array2string(array, precision=6, separator=", ", max_line_width=_WIDTH - 20, prefix=head)


def _part(title: str, text: str) -> str:
    """Return a part of the message: its title, and its lines beside it."""
    width = _WIDTH - 11
    lines = [
        piece for line in text.splitlines() for piece in (textwrap.wrap(line, width) if len(line) > width else [line])
    ]
    return f"  {title:<9}" + f"\n{' ' * 11}".join(lines)

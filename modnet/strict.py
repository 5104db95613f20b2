"""What counts as a number, a truth value or a sequence: one rule for components, estimators and functions.

Numbers of any numeric type are taken and leave as Python's own: a np.float64 among hyper-parameters would make float64
of every float32 array that it meets (NEP 50). Text is no number, True is none, and no number is a truth value.
"""

from collections.abc import Callable, Collection, Mapping, Set
from contextlib import suppress
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

_WORDS = ("Infinity", "-Infinity", "NaN")
"""What `modnet.files.as_json` writes for numbers that JSON does not have."""


def is_number(value: Any) -> bool:
    """Return whether a value is a real number of any numeric type: Python's, NumPy's, a Fraction or a Decimal.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        False for text, truth values, arrays and durations.

    Examples
    --------
    >>> is_number(np.float32(0.5)), is_number(True), is_number("8"), is_number(np.array(8))
    (True, False, False, False)
    """
    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.timedelta64)


def is_sequence(value: Any) -> bool:
    """Return whether a value is a row of things in order: a list, range, array, index of pandas, and no text or set.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        False for an array without axes, too.

    Examples
    --------
    >>> is_sequence(range(3)), is_sequence(np.array([8, 8])), is_sequence("88"), is_sequence({8}), is_sequence(8)
    (True, True, False, False, False)
    """
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Collection) and not isinstance(value, str | bytes | bytearray | memoryview | Set | Mapping)


def real(value: Any) -> float:
    """Return a number that a float can hold as Python's own.

    Of text it takes only the words by which JSON files say what JSON has no number for.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    int or float
        An int stays one: messages then show what was given.

    Raises
    ------
    ValueError
        If it is none, or too large for a float.

    Examples
    --------
    >>> real(np.float32(0.5)), real(1), real("Infinity")
    (0.5, 1, inf)
    """
    if not (is_number(value) or (isinstance(value, str) and value in _WORDS)):
        raise ValueError("should be a number")
    with suppress(OverflowError, ValueError):
        number = float(value)
        return int(value) if isinstance(value, Integral) else number  # messages then show what was given
    raise ValueError("should be a number that a float can hold, up to 1.8e308")


def whole(value: Any) -> int:
    """Return a whole number as an int.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    int
        Of Python.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> whole(8.0), whole(np.int64(8))
    (8, 8)
    >>> whole(8.5)
    Traceback (most recent call last):
    ...
    ValueError: should be a whole number
    """
    with suppress(OverflowError, ValueError):  # of what is infinite or NaN
        if is_number(value) and int(value) == value:
            return int(value)
    raise ValueError("should be a whole number")


def truth(value: Any) -> bool:
    """Return a truth value, Python's or NumPy's, as a bool.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        Of Python.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError("should be True or False")


def sequence(value: Any) -> tuple[Any, ...]:
    """Return a sequence of any kind as a tuple.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    tuple
        What was in it, unchanged.

    Raises
    ------
    ValueError
        If it is none.
    """
    if is_sequence(value):
        return tuple(value)
    raise ValueError("should be a sequence, such as a tuple or a list")


def lengths(value: Any, least: int) -> tuple[int, ...]:
    """Return a sequence of whole numbers from `least` on as a tuple of ints.

    Parameters
    ----------
    value : object
        Anything.
    least : int
        The smallest that is allowed.

    Returns
    -------
    tuple of int
        Each ≥ `least`.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> lengths([8.0, np.int64(2)], 1)
    (8, 2)
    """
    found = tuple(map(whole, sequence(value)))
    if min(found, default=least) < least:
        raise ValueError(f"should be whole numbers from {least}")
    return found


def checked(rule: Callable[[Any], Any], name: str, value: Any) -> Any:
    """Return what a rule makes of an argument, which the error names.

    Parameters
    ----------
    rule : callable
        Takes the value, and raises a ValueError if it does not allow it: `whole`, say.
    name : str
        Of the argument.
    value : object
        What was given for it.

    Returns
    -------
    object
        What the rule returns.

    Raises
    ------
    ValueError
        If the rule raises one, with the name in front and what was given behind.

    Examples
    --------
    >>> checked(whole, "seed", "a")
    Traceback (most recent call last):
    ...
    ValueError: seed: should be a whole number, got 'a'
    """
    try:
        return rule(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}, got {value!r}") from None


def with_types(value: Any) -> Any:
    """Return a value with its types, to be compared with others: 1, 1.0 and True are equal, and are not the same.

    It has a hash if all that is in it has.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    tuple
        Equal to that of another value only where types are equal as well, in lists, tuples and dicts, too.

    Examples
    --------
    >>> with_types([1]) == with_types([1]), with_types([1]) == with_types([True])
    (True, False)
    """
    if isinstance(value, tuple | list):
        return type(value), *map(with_types, value)
    if isinstance(value, dict):
        return type(value), *map(with_types, value.items())
    return type(value), value

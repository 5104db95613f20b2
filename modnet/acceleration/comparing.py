"""Comparing what an accelerator offers with modnet's own: the same numbers, or modnet's own is used.

Each comparison is made once per process, on a few numbers; what came of the last thousand is remembered.
"""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from modnet.base import Accelerator, Array

_REMEMBERED = 1024
_VERDICTS: OrderedDict[Hashable, bool] = OrderedDict()
_LOCK = threading.Lock()
_Result = TypeVar("_Result")


def attempted(call: Callable[[], _Result]) -> tuple[_Result | None, str]:
    """Return what another's code returns, or None and what it raises: whatever that is, modnet's own works.

    An interrupt (Ctrl-C) goes on.

    Parameters
    ----------
    call : callable
        Takes nothing.

    Returns
    -------
    result : object or None
        What it returns.
    failure : str
        Class and text of what it raises; empty if it raises nothing.

    Examples
    --------
    >>> attempted(lambda: 1), attempted(lambda: 1 / 0)
    ((1, ''), (None, 'ZeroDivisionError: division by zero'))
    """
    try:
        return call(), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library that exits, where it finds no GPU, too
        return None, f"{type(error).__name__}: {error}"


def known(key: Hashable) -> bool | None:
    """Return whether an offer agreed with modnet's own; None if they have not been compared."""
    return _VERDICTS.get(key)


def agrees(
    accelerator: Accelerator, key: Hashable, what: str, offer: Any, own: Any, results: Callable[[Any], list[Array]]
) -> bool:
    """Return whether an offer has the results of modnet's own.

    Parameters
    ----------
    accelerator : Accelerator
    key : hashable
        What the answer is remembered by: the accelerator, what it offers something for, and whatever else makes a
        difference.
    what : str
        What the offer stands for, in the words of a warning.
    offer, own : object
    results : callable
        Takes one of the two and returns arrays of numbers around 1.

    Warns
    -----
    RuntimeWarning
        Once, if it raises or differs.
    """
    verdict = known(key)
    if verdict is None:
        with np.errstate(all="ignore"):
            expected = results(own)
            found, failure = attempted(
                lambda: [_difference(*pair) for pair in zip(results(offer), expected, strict=True)]
            )
        difference = next(filter(None, found or ()), "")
        verdict = not (failure or difference)
        if not verdict:
            fall_back(accelerator, key, what, failure or difference, failed=bool(failure))
        else:
            _remember(key, agreed=True)
    return verdict


def asked(accelerator: Accelerator, key: Hashable, what: str, kind: type, ask: Callable[[], Any]) -> Any:
    """Return what an accelerator offers; None if it offers nothing, raises, or offers anything but a `kind`."""
    offer, failure = attempted(ask)
    if not (failure or offer is None or isinstance(offer, kind)):
        failure = f"it should be of class {kind.__name__}, got {offer!r}"
    if failure:
        fall_back(accelerator, key, what, failure)
        return None
    return offer


def fall_back(accelerator: Accelerator, key: Hashable, what: str, reason: str, *, failed: bool = True) -> None:
    """Warn that modnet's own is used in place of an offer, unless that was said before.

    What has failed once is likely to fail for each of its parts, so that is said once for all of them.
    """
    failing = (accelerator, "failed")
    if known(key) is not False and not (failed and known(failing) is False):
        text = f"modnet runs {what} itself, because what {accelerator!r} offers for it failed or differs: {reason}"
        text += "; so it does with whatever else of it fails" if failed else ""
        warnings.warn(text, RuntimeWarning, stacklevel=3)
    _remember(key, agreed=False)
    if failed:
        _remember(failing, agreed=False)


def _remember(key: Hashable, *, agreed: bool) -> None:
    with _LOCK:
        _VERDICTS[key] = agreed
        while len(_VERDICTS) > _REMEMBERED:
            _VERDICTS.popitem(last=False)


def _difference(found: Array, expected: Array) -> str:
    """Return how an array differs from what it should be; nothing if it does not, but for rounding."""
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return f"it makes {found.dtype} of shape {found.shape} where {expected.dtype} {expected.shape} is needed"
    rtol = 1e-3 if expected.dtype == np.float32 else 1e-8
    if np.allclose(found, expected, rtol=rtol, atol=rtol, equal_nan=True):
        return ""
    away = np.where(found == expected, 0, np.nan_to_num(np.abs(found - expected), nan=np.inf))
    where = np.unravel_index(np.argmax(away), found.shape)
    return f"it computes {found[where]:.6g} where modnet's own computes {expected[where]:.6g}"

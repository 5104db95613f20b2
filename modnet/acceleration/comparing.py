"""Comparing what an accelerator offers with modnet's own: the same numbers, or modnet's own is used.

Each comparison is made once per process, on a few numbers; what came of the last thousand is remembered.
"""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from modnet.base import Accelerator, Array

_REMEMBERED = 1024
_VERDICTS: OrderedDict[Hashable, bool] = OrderedDict()
_LOCK = threading.Lock()


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
        reason = ""
        with np.errstate(all="ignore"):
            expected = results(own)
            try:
                pairs = zip(results(offer), expected, strict=True)
                reason = next(filter(None, (_difference(*pair) for pair in pairs)), "")
            except Exception as error:  # another's code: whatever goes wrong in it, modnet's own works
                reason = f"{type(error).__name__}: {error}"
        verdict = not reason
        if reason:
            fall_back(accelerator, key, what, reason)
        else:
            _remember(key, agreed=True)
    return verdict


def asked(accelerator: Accelerator, key: Hashable, what: str, kind: type, ask: Callable[[], Any]) -> Any:
    """Return what an accelerator offers; None if it offers nothing, raises, or offers anything but a `kind`."""
    try:
        offer = ask()
    except Exception as error:
        fall_back(accelerator, key, what, f"{type(error).__name__}: {error}")
        return None
    if offer is None or isinstance(offer, kind):
        return offer
    fall_back(accelerator, key, what, f"it should be of class {kind.__name__}, got {offer!r}")
    return None


def fall_back(accelerator: Accelerator, key: Hashable, what: str, reason: str) -> None:
    """Warn that modnet's own is used in place of an offer, unless that was said before."""
    if known(key) is not False:
        text = f"modnet runs {what} itself, because what {accelerator!r} offers for it failed or differs: {reason}"
        warnings.warn(text, RuntimeWarning, stacklevel=3)
    _remember(key, agreed=False)


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

"""Files and JSON: writing a file as a whole or not at all, and what JSON has no words for.

It lies at the bottom, beside the errors: specs, models, callbacks and the command write through it.
"""

import contextlib
import math
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

_WORDS = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
"""What JSON has no numbers for, as Pydantic reads and writes it."""

_DRAFT = ".modnet-draft-"
_DAY = 24 * 60 * 60
"""Seconds after which nobody is writing to a draft any more."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file; it is there as a whole afterwards, or what was there before is.

    A link stays and its target is written, and a file that is replaced keeps its mode. What is no regular file, such as
    a device or a pipe, is written to as it is. Drafts that killed processes have left in the folder are removed.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    write : callable
        Gets the opened file, and writes to it.

    Examples
    --------
    >>> write_whole(Path(os.devnull), lambda file: file.write(b"nothing is replaced here"))
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with open(target, "wb") as file:  # a folder is refused here, as anywhere
            write(file)
        return
    for left in target.parent.glob(f"{_DRAFT}*"):
        with contextlib.suppress(OSError):  # another process may have been quicker
            if time.time() - left.stat().st_mtime > _DAY:
                left.unlink()
    draft = target.with_name(f"{_DRAFT}{uuid.uuid4().hex}")
    try:
        with open(draft, "xb") as file:
            write(file)
        if target.exists():
            shutil.copymode(target, draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def as_json(value: Any, *, words: Mapping[str, Any] = _WORDS) -> Any:
    """Return a value as `json.dumps` takes it: Python's own numbers, lists, and words for inf and NaN.

    Parameters
    ----------
    value : object
        Mappings, sequences, strings, numbers, NumPy's numbers and arrays.
    words : mapping
        What stands for ``"inf"``, ``"-inf"`` and ``"nan"``; None where it has nothing for one of them.

    Returns
    -------
    object
        What is none of these comes back as it is.

    Examples
    --------
    >>> as_json({"tol": float("inf"), "shape": (2, 3)}), as_json(float("nan"), words={})
    ({'tol': 'Infinity', 'shape': [2, 3]}, None)
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(each, words=words) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each, words=words) for each in value]
    if hasattr(value, "tolist"):  # of NumPy, which nothing else here needs
        return as_json(value.tolist(), words=words)
    return words.get(str(value)) if isinstance(value, float) and not math.isfinite(value) else value

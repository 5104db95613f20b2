"""What a spec or a model file was written with: distributions and their versions, checked before anything is read.

One that is missing, or older in a file with weights, is an error; in a spec an older one is a warning.
"""

import importlib.metadata
import re
import warnings
from collections.abc import Mapping
from typing import Any

from modnet.errors import InvalidSpecError


def check_requirements(requires: Any, *, strict: bool = False) -> None:
    """Say which distributions are missing; warn of those older than the ones that the spec was written with.

    Parameters
    ----------
    requires : mapping of str to str
        Versions by distribution.
    strict : bool
        Whether an older one is an error: a file with weights means what their distribution meant by them.

    Raises
    ------
    InvalidSpecError
    """
    if not isinstance(requires, Mapping):
        raise InvalidSpecError("ModelSpec", [("requires", f"should map distributions to versions, got {requires!r}")])
    problems = []
    for name, version in requires.items():
        if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name)):
            problems.append(("requires", f"{name!r} is not the name of a distribution"))
            continue
        if not (isinstance(version, str) and _release(version)):
            problems.append((f"requires.{name}", f"should be a version such as '1.2', got {version!r}"))
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            remedy = f"install it (python -m pip install {name}) if you trust it"
            problems.append((f"requires.{name}", f"version {version} was used, none is installed: {remedy}"))
            continue
        if _release(found) >= _release(version):
            continue
        if strict:
            remedy = f"upgrade it (python -m pip install '{name}>={version}')"
            problems.append((f"requires.{name}", f"version {version} was used, {found} is installed: {remedy}"))
        else:
            warnings.warn(f"the spec was written with {name} {version}, {found} is installed", stacklevel=5)
    if problems:
        raise InvalidSpecError("ModelSpec", problems)


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with, without zeros at the end: (1, 2) for "1.2.0rc1"."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, re.sub(r"(\.0+)+$", "", match.group()).split("."))) if match else ()

"""Which Python, which libraries."""

import importlib.metadata
import platform

from modnet.registry import OWN

NEEDED = (OWN, "numpy", "scipy", "scikit-learn", "pydantic")
"""What modnet cannot do without."""

OPTIONAL = ("pandas", "polars", "pyarrow", "matplotlib", "rich")
"""What modnet makes use of where it is installed."""


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of the libraries, by distribution; None: not installed. Imports none of them.

    Examples
    --------
    >>> list(versions())[:3], versions()["numpy"] is None
    (['Python', 'modnet-layers', 'numpy'], False)
    """
    return {"Python": platform.python_version(), **{name: _version(name) for name in (*NEEDED, *OPTIONAL)}}


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None

"""What `modnet doctor` finds, as data: the installation it runs in, and a network on the data it is to learn.

`diagnose` is for notebooks. It is imported when first used: it looks at estimators, and scikit-learn takes a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modnet.diagnosis.finding import Finding, Section, Severity

if TYPE_CHECKING:
    from modnet.diagnosis.model import Examination, diagnose, examine

__all__ = ["Examination", "Finding", "Section", "Severity", "diagnose", "examine"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("modnet.diagnosis.model"), name)
    raise AttributeError(f"module 'modnet.diagnosis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

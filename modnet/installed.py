"""What "auto" stands for: the accelerator that is installed."""

import warnings

from modnet.base import Accelerator
from modnet.errors import RegistryError
from modnet.registry import Registry, registry


def installed_accelerator(book: Registry = registry) -> Accelerator | None:
    """Return the first accelerator, by name, that is registered and can be imported; None if there is none.

    Warns
    -----
    RuntimeWarning
        For each that cannot be imported.
    """
    for _, cls in book.classes("accelerator"):
        if not isinstance(cls, RegistryError):
            found: Accelerator = cls()
            return found
        warnings.warn(f"an accelerator is set aside: {cls}", RuntimeWarning, stacklevel=3)
    return None


def accelerator_name(accelerator: Accelerator | None) -> str | None:
    """Return the registered name of an accelerator, or that of its class where it has none; of None, None.

    Examples
    --------
    >>> accelerator_name(Accelerator()), accelerator_name(None)
    ('Accelerator', None)
    """
    return None if accelerator is None else registry.name_of(type(accelerator)) or type(accelerator).__name__

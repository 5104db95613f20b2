"""The accelerator that is installed, which "auto" stands for; its name, and how long it has been compiling."""

import warnings
from numbers import Real

from modnet.acceleration.comparing import asked, attempted
from modnet.base import Accelerator
from modnet.errors import RegistryError
from modnet.registry import Registry, registry

_BRIEF = 0.05
"""Seconds that are not worth a line."""


def installed_accelerator(book: Registry = registry) -> Accelerator | None:
    """Return the first accelerator, by name, that can be imported and made; None if there is none.

    Parameters
    ----------
    book : Registry
        Where accelerators are looked up.

    Returns
    -------
    Accelerator or None
        The same for as long as the same is on offer.

    Warns
    -----
    RuntimeWarning
        Once, for each that cannot.
    """
    return book.remembered("installed accelerator", lambda: _first(book))


def _first(book: Registry) -> Accelerator | None:
    for entry, cls in book.classes("accelerator"):
        reason = str(cls)
        if not isinstance(cls, RegistryError):
            made: Accelerator | None
            made, failure = attempted(cls)  # no GPU, no licence: whatever it lacks, NumPy is there
            if made is not None:
                return made
            reason = f"{entry}: {failure}"
        if book.is_news(reason):
            warnings.warn(f"an accelerator cannot be used, so modnet goes on without it: {reason}", RuntimeWarning, 3)
    return None


def accelerator_name(accelerator: Accelerator | None) -> str | None:
    """Return the registered name of an accelerator, bare, or that of its class where it has none; of None, None.

    Parameters
    ----------
    accelerator : Accelerator or None
        The one that runs, if one does.

    Returns
    -------
    str or None
        As the user may write it.

    Examples
    --------
    >>> accelerator_name(Accelerator()), accelerator_name(None)
    ('Accelerator', None)
    """
    entry = registry.entry_of(type(accelerator))
    return None if accelerator is None else entry.name if entry else type(accelerator).__name__


class CompileTimer:
    """How long a training has waited for an accelerator to compile.

    Parameters
    ----------
    accelerator : Accelerator or None
        None: nothing is compiled, and there is no wait.
    """

    def __init__(self, accelerator: Accelerator | None) -> None:
        self._accelerator, self._before = accelerator, 0.0
        self._before = self.seconds

    @property
    def seconds(self) -> float:
        """How long it has compiled since `lines` was called last."""
        if (made := self._accelerator) is None:
            return 0.0
        spent = asked(made, (made, "compile_seconds"), "the clock of compilation", Real, made.compile_seconds)
        return float(spent or 0) - self._before

    def lines(self) -> list[str]:
        """Return the line that says how long it has compiled since the last call; none if it has not.

        Returns
        -------
        list of str
            One or none.
        """
        seconds = self.seconds
        self._before += seconds
        if seconds < _BRIEF:
            return []
        name = accelerator_name(self._accelerator)
        return [f"waited {seconds:.1f} s for {name} to compile; modnet doctor --warm-up does that ahead"]

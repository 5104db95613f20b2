"""How long a fit has waited for an accelerator to compile."""

from modnet.base import Accelerator
from modnet.installed import accelerator_name

_BRIEF = 0.05
"""Seconds that are not worth a line."""


class Waiting:
    """What an accelerator compiles from now on.

    Parameters
    ----------
    accelerator : Accelerator or None
    """

    def __init__(self, accelerator: Accelerator | None) -> None:
        self._accelerator, self._before = accelerator, 0.0
        self._before = self._so_far()

    @property
    def seconds(self) -> float:
        """How long it has compiled."""
        return self._so_far() - self._before

    def lines(self) -> list[str]:
        """Return the line that tells what was not told yet; none if nothing was compiled since."""
        seconds, self._before = self.seconds, self._so_far()
        if seconds < _BRIEF:
            return []
        name = accelerator_name(self._accelerator)
        return [f"waited {seconds:.1f} s for {name} to compile; modnet doctor --warm-up does that ahead"]

    def _so_far(self) -> float:
        return 0.0 if self._accelerator is None else self._accelerator.compile_seconds()

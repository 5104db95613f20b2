"""Checks of a truth: which row a loss cannot measure against, and what it needs."""

import numpy as np

from modnet import Array


def check_rows(fits: Array, t: Array, needs: str) -> None:
    """Raise, unless every element fits, a ValueError with `needs`, the first row that does not, and its value."""
    if not fits.all():
        row = int(np.argwhere(~fits)[0, 0])
        raise ValueError(f"{needs}, got {t[row].tolist()} in row {row}")


def check_codes(t: Array, loss: str) -> None:
    """Check that t holds class codes; how many classes there are is not known here."""
    check_rows((t >= 0) & (t == np.floor(t)), t, f"{loss} needs class codes 0, 1, 2, …")


def check_labels(t: Array, loss: str) -> None:
    """Check that t holds nothing but 0 and 1."""
    check_rows((t == 0) | (t == 1), t, f"{loss} needs targets 0 or 1")

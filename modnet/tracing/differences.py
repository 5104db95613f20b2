"""Gradients beside central differences, (J(q + h) − J(q − h)) / 2h: a check that needs no calculus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from modnet.base import Array
from modnet.errors import InputError
from modnet.text import Shown, Table

STEPS = float(np.finfo(float).eps) ** (1 / 3), 1e-3
"""At 6e-6 the truncation error, of order h², meets the rounding error, of order ε/h. Gradients that have vanished drown
in the latter: where the first step does not agree, the second is tried."""

TOLERANCE = 1e-5
"""How far a gradient may be from its difference, relative to the largest gradient of the quantity."""

FLOOR = 1e-5
"""Gradients that are smaller than this share of J are compared as if they were as large: J is rounded."""

Moved = Callable[[str, Array], tuple[float, Callable[[], Array]]]


@dataclass(frozen=True, repr=False, eq=False)
class Differences(Shown):
    """Central differences beside the gradients of a trace; shown as a table and a verdict.

    Attributes
    ----------
    gradients : mapping of str to ndarray
        ∂J/∂q of each quantity by backpropagation.
    numeric : mapping of str to ndarray
        The differences; NaN where none was taken, or where J has no derivative (at a kink, between two codes).
    deviations : mapping of str to float
        The largest deviation, relative to the largest gradient of the quantity; 0 if nothing could be compared.
    """

    gradients: Mapping[str, Array]
    numeric: Mapping[str, Array]
    deviations: Mapping[str, float]

    @property
    def wrong(self) -> tuple[str, ...]:
        """The quantities whose gradients differ from the differences by more than 1e-5."""
        return tuple(name for name, found in self.deviations.items() if not found <= TOLERANCE)

    def paragraphs(self) -> tuple[Table, str]:
        """Return the paragraphs.

        Returns
        -------
        (Table, str)
            The comparison, and the verdict.
        """
        head, rows = ["∂J/∂", "elements", "such as", "backpropagation", "differences", "deviation", ""], []
        for name, found in self.numeric.items():
            gradient, compared = self.gradients[name], ~np.isnan(found)
            count, cells = int(compared.sum()), ["", "", "", "", "no derivative"]
            if count:  # such as the one that is furthest off, or else the largest
                shown = np.abs(gradient - found if name in self.wrong else gradient)
                index = np.unravel_index(np.argmax(np.where(compared, shown, -1)), found.shape)
                values = f"{gradient[index]:.6g}", f"{found[index]:.6g}", f"{self.deviations[name]:.1e}"
                cells = [str(list(map(int, index))), *values, "differs" if name in self.wrong else ""]
            rows.append((name, f"{count:,}" if count == found.size else f"{count:,} of {found.size:,}", *cells))
        worst = max(self.deviations, key=self.deviations.__getitem__)
        agree = f"agree: the largest deviation is {self.deviations[worst]:.1e}, of ∂J/∂{worst}"
        verdict = f"differ in {', '.join(f'∂J/∂{name}' for name in self.wrong)}" if self.wrong else agree
        shown = Table(head, rows, right=(*head[1:2], *head[3:6]), wrap=False)
        return shown, f"backpropagation and central differences {verdict}"


def compared(J_with: Moved, given: Mapping[str, tuple[Array, Array]], J: float, elements: int) -> Differences:
    """Compare gradients with central differences.

    Parameters
    ----------
    J_with : callable
        What J becomes when the quantity of a name is replaced by another array, and a function that goes backward from
        there to the gradient of the quantity.
    given : mapping of str to (ndarray, ndarray)
        Quantities and their gradients.
    J : float
    elements : int
        How many of each to look at, at most: the one with the largest gradient and others down to the smallest.
    """
    numeric, deviations = {}, {}
    for name, (q, gradient) in given.items():
        size = np.abs(gradient).max(initial=FLOOR * abs(J) + np.finfo(float).tiny)
        numeric[name] = found = np.full(q.shape, np.nan)
        order = np.argsort(-np.abs(gradient), axis=None, kind="stable")
        for index in zip(*np.unravel_index(order[:: -(-q.size // elements)], q.shape), strict=True):
            found[index] = _difference(partial(J_with, name), q, index, gradient[index], TOLERANCE * size)
        off = np.abs(found - gradient)[~np.isnan(found)] / size
        deviations[name] = float(off.max(initial=0.0)) if np.isfinite(J) else np.nan
    return Differences({name: gradient for name, (_, gradient) in given.items()}, numeric, deviations)


def _difference(
    J_with: "partial[tuple[float, Callable[[], Array]]]",
    q: Array,
    index: tuple[int, ...],
    expected: float,
    tolerance: float,
) -> float:
    """Return the difference along one element; NaN if J has no derivative there."""
    found, jump = [], 0.0
    for step in STEPS:
        h, moved, ends = step * max(1.0, abs(float(q[index]))), q.copy(), []
        for each in (h, -h):
            moved[index] = q[index] + each
            try:
                ends.append(J_with(moved.copy()))
            except InputError:  # codes of categories: between two of them there is nothing
                return np.nan
        (right, pull_right), (left, pull_left) = ends
        found.append((right - left) / (2 * h))
        if abs(found[-1] - expected) <= tolerance:
            return found[-1]
        # At a kink, as of relu at 0, the gradient jumps. A wrong gradient is as wrong a step further.
        jump = jump or max(abs(pull()[index] - expected) for pull in (pull_right, pull_left))
    return np.nan if jump > 0.5 * abs(found[0] - expected) else found[0]

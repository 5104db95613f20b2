"""Gradients beside central differences, (J(q + h) − J(q − h)) / 2h: a check that needs no calculus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape

import numpy as np

from modnet.base import Array
from modnet.errors import InputError
from modnet.text import table
from modnet.tracing.naming import Named

STEPS = float(np.finfo(float).eps) ** (1 / 3), 1e-3
"""At 6e-6 the truncation error, of order h², meets the rounding error, of order ε/h. Gradients that have vanished drown
in the latter: where the first step does not agree, the second is tried."""

TOLERANCE = 1e-5
"""How far a gradient may be from its difference, relative to the largest gradient of the quantity."""

FLOOR = 1e-5
"""Gradients that are smaller than this share of J are compared as if they were as large: J is rounded."""

Pull = Callable[[], Array]
"""Goes backward, and returns the gradient of a quantity that has been moved."""

Moved = Callable[[str, Array], tuple[float, Pull]]


@dataclass(frozen=True, repr=False, eq=False)
class Differences:
    """Central differences beside the gradients of a trace; printed, a table and a verdict.

    Attributes
    ----------
    numeric : mapping of str to ndarray
        The differences; NaN where none was taken, or where J has no derivative (at a kink, between two codes).
    deviations : mapping of str to float
        The largest deviation, relative to the largest gradient of the quantity; 0 if nothing could be compared.
    rows : tuple of tuple of str
        The table.
    """

    numeric: Named
    deviations: Named
    rows: tuple[tuple[str, ...], ...]

    @property
    def wrong(self) -> tuple[str, ...]:
        """The quantities whose gradients differ from the differences by more than 1e-5."""
        return tuple(name for name, found in self.deviations.items() if not found <= TOLERANCE)

    def __repr__(self) -> str:
        """Return the table and the verdict."""
        head = ["∂J/∂", "elements", "such as", "backpropagation", "differences", "deviation", ""]
        worst = max(self.deviations, key=lambda name: float(self.deviations[name]))
        agree = f"agree: the largest deviation is {self.deviations[worst]:.1e}, of ∂J/∂{worst}"
        verdict = f"differ in {', '.join(f'∂J/∂{name}' for name in self.wrong)}" if self.wrong else agree
        shown = table(head, self.rows, right=(*head[1:2], *head[3:6]), wrap=False)
        return f"{shown}\n\nbackpropagation and central differences {verdict}"

    def _repr_html_(self) -> str:
        """Return the same for notebooks."""
        return f"<pre>{escape(repr(self))}</pre>"


def compared(J_with: Moved, given: Mapping[str, tuple[Array, Array]], J: float, elements: int) -> Differences:
    """Compare gradients with central differences.

    Parameters
    ----------
    J_with : callable
        What J becomes when the quantity of a name is replaced by another array.
    given : mapping of str to (ndarray, ndarray)
        Quantities and their gradients.
    J : float
    elements : int
        How many of each to look at, at most: half of them with the largest gradients, half drawn.
    """
    numeric, deviations, rows = Named(), Named(), []
    for name, (q, gradient) in given.items():
        size = np.abs(gradient).max(initial=FLOOR * abs(J) + np.finfo(float).tiny)
        numeric[name], off = np.full(q.shape, np.nan), {}
        for index in _chosen(gradient, elements):
            numeric[name][index] = found = _difference(partial(J_with, name), q, gradient[index], index, size)
            if not np.isnan(found):
                off[index] = abs(found - gradient[index]) / size
        deviations[name] = max(off.values(), default=0.0 if np.isfinite(J) else np.nan)
        cells = ["", "", "", "", "no derivative"]
        if off:
            wrong = not deviations[name] <= TOLERANCE
            index = max(off, key=off.__getitem__) if wrong else next(iter(off))
            values = f"{gradient[index]:.6g}", f"{numeric[name][index]:.6g}", f"{deviations[name]:.1e}"
            cells = [str(list(index)), *values, "differs" if wrong else ""]
        rows.append((name, f"{len(off):,}" if len(off) == q.size else f"{len(off):,} of {q.size:,}", *cells))
    return Differences(numeric, deviations, tuple(rows))


def _chosen(gradient: Array, elements: int) -> list[tuple[int, ...]]:
    """Return indices of elements: those with the largest gradients first, then as many others."""
    order = np.argsort(-np.abs(gradient), axis=None, kind="stable")
    largest = order[: -(-elements // 2)]
    others = np.random.default_rng(0).permutation(order[len(largest) :])[: elements // 2]
    return [tuple(map(int, np.unravel_index(each, gradient.shape))) for each in (*largest, *others)]


def _difference(
    J_with: Callable[[Array], tuple[float, Pull]], q: Array, expected: float, index: tuple[int, ...], size: float
) -> float:
    """Return the difference along one element; NaN if J has no derivative there."""
    found, jumps = [], []
    for step in STEPS:
        h, moved = step * max(1.0, abs(float(q[index]))), q.copy()
        try:
            moved[index] = q[index] + h
            right, pull_right = J_with(moved)
            moved[index] = q[index] - h
            left, pull_left = J_with(moved)
        except InputError:  # codes of categories: between two of them there is nothing
            return np.nan
        found.append((right - left) / (2 * h))
        if abs(found[-1] - expected) <= TOLERANCE * size:
            return found[-1]
        jumps.append(max(abs(pull()[index] - expected) for pull in (pull_right, pull_left)))
    # At a kink, as of relu at 0, the gradient jumps. A wrong gradient is as wrong a step further.
    return np.nan if jumps[0] > 0.5 * abs(found[0] - expected) else found[0]

"""What any optimizer can be combined with: parameter groups, constraints, and means of θ that predict in its place.

The update of every optimizer here is proportional to its learning rate. So a rate of its own is the same as a step of
its own size: after each step θ ← θ_before + factor · (θ − θ_before) in the slices of a group.
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from modnet.base import Array, Average, Constraint, Optimizer, OptimizerState, ParameterGroup, Solver
from modnet.errors import InvalidSpecError
from modnet.network import Link, Network


class Groups:
    """The slices of θ whose steps are scaled.

    Parameters
    ----------
    network : Network
    groups : sequence of ParameterGroup

    Raises
    ------
    InvalidSpecError
        If a group fits no layer that learns.
    """

    def __init__(self, network: Network, groups: Sequence[ParameterGroup]) -> None:
        named = list(_named(network.links, ()))
        for index, group in enumerate(groups):
            if not any(_fits(group, names) for _, names in named):
                known = dict.fromkeys(name for _, names in named for name in names)
                raise InvalidSpecError(
                    "ModelSpec",
                    [
                        (
                            f"optimizer.groups[{index}].layers",
                            f"no layer that learns is {group.layers!r}, among {', '.join(known)}",
                        )
                    ],
                )
        self._slices: list[tuple[slice, float]] = []
        for link, names in named:
            factors = [group.factor for group in groups if _fits(group, names)]
            factor = 1.0
            for each in factors:
                factor *= each
            if factors and factor != 1:
                self._slices += [(slice(place.start, place.stop), factor) for place in link.places.values()]
        self._before: list[Array] = []

    def before(self, theta: Array, gradient: Array) -> None:
        """Take note of θ before a step; what is frozen has no gradient, and no share in its norm."""
        self._before = [theta[part].copy() for part, _ in self._slices]
        for part, factor in self._slices:
            if factor == 0:
                gradient[part] = 0

    def after(self, theta: Array) -> None:
        """Scale the step that was made."""
        for (part, factor), before in zip(self._slices, self._before, strict=True):
            theta[part] = before + factor * (theta[part] - before) if factor else before


def constrained(network: Network, theta: Array, optimizer: Optimizer | Solver) -> list[tuple[Array, Constraint]]:
    """Return the parameters that have a constraint, as views of θ.

    Raises
    ------
    InvalidSpecError
        If there are some and the optimizer is a solver, which keeps none.
    """
    constraints = network.layout.constraints
    if constraints and isinstance(optimizer, Solver):
        names = ", ".join(constraints)
        raise InvalidSpecError(
            "ModelSpec", [("optimizer", f"{optimizer!r} keeps no constraints, and there are some on {names}")]
        )
    return [(network.layout.places[name].view(theta), constraint) for name, constraint in constraints.items()]


def swap(average: Average, theta: Array, state: Array) -> None:
    """Exchange the mean and the point in training, in place.

    Between epochs the network's vectors hold the mean, so validation, callbacks and the finished model all see it;
    while an epoch runs they hold the θ in training.
    """
    for vector, other in ((theta, average.theta), (state, average.state)):
        vector[...], other[...] = other.copy(), vector.copy()


def include(optimizer_state: OptimizerState, theta: Array, state: Array, ema: float | None) -> None:
    """Take a point into the mean: mean ← mean + w (θ − mean) with w = 1 − ema, or 1 / count for the plain mean.

    The state (running means and the like) is averaged in the same way, so that it belongs to the mean of θ.
    """
    average = optimizer_state.average
    if average is None:
        optimizer_state.average = Average(theta.copy(), state.copy())
        return
    average.count += 1
    w = 1 / average.count if ema is None else 1 - ema
    for mean, vector in ((average.theta, theta), (average.state, state)):
        mean *= 1 - w
        mean += w * vector


def _named(links: Sequence[Link], outer: tuple[str, ...]) -> Iterator[tuple[Link, tuple[str, ...]]]:
    """Return each link that has parameters, with its paths and names, and those of the layers it is in."""
    for link in links:
        steps = link.path.split(".")
        paths = [".".join(steps[: depth + 1]) for depth in range(len(steps))]
        names = (*outer, *paths, *([link.module.name] if link.module.name else []))
        if link.places:
            yield link, tuple(dict.fromkeys(names))
        for chain in link.chains:
            yield from _named(chain, names)


def _fits(group: ParameterGroup, names: Sequence[str]) -> bool:
    # Brackets are part of a path here, not a set of characters as in a file name.
    pattern = re.sub(r"[\[\]]", lambda bracket: "[[]" if bracket.group() == "[" else "[]]", group.layers)
    return any(fnmatchcase(name, pattern) for name in names)

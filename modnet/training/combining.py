"""What any optimizer can be combined with: parameter groups and constraints."""

import math
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from modnet.base import Array, Constraint, Optimizer, OptimizerState, ParameterGroup, Solver
from modnet.errors import InvalidSpecError
from modnet.network import Link, Network


def first_state(network: Network, optimizer: Optimizer | Solver, theta: Array) -> OptimizerState:
    """Return an optimizer's state before the first step, on a layout with the rates of its groups.

    Raises
    ------
    InvalidSpecError
        If a group fits no layer that learns.
    """
    groups = optimizer.groups if isinstance(optimizer, Optimizer) else ()
    layout = network.layout.with_factors(_factors(network, groups), theta.dtype) if groups else network.layout
    return optimizer.init(theta, layout)


def _factors(network: Network, groups: Sequence[ParameterGroup]) -> dict[str, float]:
    """Return what the learning rate is multiplied by, by full name of the parameters that are in a group."""
    named = list(_named(network.links, ()))
    for index, group in enumerate(groups):
        if not any(_fits(group, names) for _, names in named):
            known = ", ".join(dict.fromkeys(name for _, names in named for name in names))
            problem = f"no layer that learns is {group.layers!r}, among {known}"
            raise InvalidSpecError("ModelSpec", [(f"optimizer.groups[{index}].layers", problem)])
    where = {place.start: name for name, place in network.layout.places.items()}
    factors: dict[str, float] = {}
    for link, names in named:
        factor = math.prod(group.factor for group in groups if _fits(group, names))
        factors |= {where[place.start]: factor for place in link.places.values()}
    return factors


def constrained(network: Network, theta: Array, optimizer: Optimizer | Solver) -> list[tuple[Array, Constraint]]:
    """Return the parameters that have a constraint, as views of θ.

    Raises
    ------
    InvalidSpecError
        If there are some and the optimizer keeps none: a solver, or a rule with points of its own.
    """
    constraints = network.layout.constraints
    if constraints and (isinstance(optimizer, Solver) or optimizer.own_points):
        names = ", ".join(constraints)
        raise InvalidSpecError(
            "ModelSpec", [("optimizer", f"{optimizer!r} keeps no constraints, and there are some on {names}")]
        )
    return [(network.layout.places[name].view(theta), constraint) for name, constraint in constraints.items()]


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

"""Every registered component, built: a test that takes `module`, `loss`, … runs once for each one of that kind.

A new entry point is covered without a line here, unless its class cannot be built without arguments.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modnet import Component
from modnet.registry import Entry, registry

DISTRIBUTION = "modnet-layers"
"""Other distributions hold their components to the contract in tests of their own."""

PER_OUTPUT: dict[str, Any] = {
    "losses": [{"type": "cross_entropy", "link": "softmax"}, {"type": "cross_entropy", "link": "sigmoid"}],
    "widths": [3, 1],
}

ARGUMENTS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("module", "dense"): [{"units": 3}, {"units": 3, "use_bias": False}, {"units": 3, "activation": "tanh"}],
    ("module", "dropout"): [{}, {"rate": 0.2}, {"rate": 0.0}],
    ("module", "parallel"): [
        {"branches": [{"type": "dense", "units": 2}, "sigmoid"]},
        {"branches": [{"type": "dense", "units": 5}, "tanh", "identity"], "merge": "add"},
        {"branches": [{"type": "dense", "units": 5}, "tanh", "identity"], "merge": "mean"},
        {"branches": [{"type": "dense", "units": 2}], "merge": "mean"},
    ],
    ("module", "residual"): [
        {"body": [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense", "units": 5}]}
    ],
    ("module", "sequential"): [{"body": [{"type": "dense", "units": 4}, "sigmoid", {"type": "dense", "units": 2}]}],
    ("loss", "cross_entropy"): [{"link": "softmax"}, {"link": "sigmoid"}],
    ("loss", "per_output"): [PER_OUTPUT],
    ("optimizer", "sgd"): [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "nesterov": True, "velocity": "steps"},
    ],
    ("optimizer", "adam"): [{}, {"schedule": "constant"}, {"epsilon_hat": True}],
    ("initializer", "glorot_normal"): [{}, {"gain": 0.5}],
    ("initializer", "glorot_uniform"): [{}, {"gain": 0.5}],
}
"""What components are built with, where defaults are not enough or not all there is to try; rows have 5 features."""

TRUTHS = {"poisson": "counts"}
"""Losses that do not take just any truth of their task."""

KINDS: dict[str, tuple[str, ...]] = {
    "component": registry.kinds,
    "link": ("module", "activation"),
    **{kind: (kind,) for kind in registry.kinds},
}
"""What a test takes, and which kinds it then runs for."""


def entries(*kinds: str) -> list[Entry]:
    """Return the entries of this distribution."""
    return [entry for entry in registry.entries() if entry.kind in kinds and entry.distribution == DISTRIBUTION]


def built(entry: Entry) -> list[Component]:
    """Return the component with every choice of arguments in the table."""
    cls = registry.get(entry.kind, f"{entry.distribution}:{entry.name}")
    return [cls(**arguments) for arguments in ARGUMENTS.get((entry.kind, entry.name), [{}])]


def examples(*kinds: str) -> Iterator[Any]:
    """Return all components of some kinds as parameters of a test."""
    for entry in entries(*kinds):
        for component in built(entry):
            yield pytest.param(component, id=f"{entry.kind}-{entry.name}-{component}")


def tasks() -> Iterator[Any]:
    """Return every loss with every task it serves, set up for that task."""
    for entry in entries("loss"):
        cls = registry.get(entry.kind, f"{entry.distribution}:{entry.name}")
        for task, fields in cls.tasks.items():
            needed = PER_OUTPUT if entry.name == "per_output" else {}
            yield pytest.param(cls(**needed, **fields), TRUTHS.get(entry.name, task), id=f"{entry.name}-{task}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for every component of the kind that it takes."""
    names = set(metafunc.fixturenames)
    if {"loss", "task"} <= names:
        metafunc.parametrize(("loss", "task"), list(tasks()))
        names.remove("loss")
    for name, kinds in KINDS.items():
        if name in names:
            metafunc.parametrize(name, list(examples(*kinds)))
    if "entry" in names:
        metafunc.parametrize("entry", entries(*registry.kinds), ids=lambda entry: f"{entry.kind}-{entry.name}")


@pytest.fixture(scope="session")
def build() -> Callable[[Entry], list[Component]]:
    """Return what builds all examples of an entry."""
    return built

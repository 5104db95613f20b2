"""The contract, held by every example of every component that modnet ships; see `modnet.testing`."""

import pytest

from modnet.registry import registry
from modnet.testing import checks_of, registered_examples

EXAMPLES = registered_examples("modnet-layers")


# A test per component: one per check, as plugins have them, takes pytest 10 s more for 4,900 cases.
@pytest.mark.parametrize("component", EXAMPLES, ids=lambda each: f"{each.kind}-{each!r}")
def test_contract(component):
    first = next(each for each in EXAMPLES if type(each) is type(component))
    for _, check in checks_of(component, of_the_class=component is first):
        check()  # a failure names the component and the check


def test_every_kind_has_standard_components():
    kinds = {"layer", "activation", "loss", "optimizer", "solver", "initializer", "schedule", "constraint"}
    assert {example.kind for example in EXAMPLES} >= kinds


def test_the_registry_knows_where_every_component_is_from():
    entries = {type(example): registry.entry_of(type(example)) for example in EXAMPLES}
    assert {entry.distribution for entry in entries.values() if entry} == {"modnet-layers"}
    assert all(registry.get(entry.kind, entry.name) is cls for cls, entry in entries.items())

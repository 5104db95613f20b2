"""The contract, held by every example of every component that modnet ships; see `modnet.testing`."""

from modnet.registry import registry
from modnet.testing import parametrize_with_checks, registered_examples

EXAMPLES = registered_examples("modnet-layers")


@parametrize_with_checks(EXAMPLES)
def test_contract(check):
    check()


def test_every_kind_has_standard_components():
    kinds = {"layer", "activation", "loss", "optimizer", "solver", "initializer", "schedule", "constraint"}
    assert {example.kind for example in EXAMPLES} >= kinds


def test_the_registry_knows_where_every_component_is_from():
    entries = {type(example): registry.entry_of(type(example)) for example in EXAMPLES}
    assert {entry.distribution for entry in entries.values() if entry} == {"modnet-layers"}
    assert all(registry.get(entry.kind, entry.name) is cls for cls, entry in entries.items())

"""The plugin as users meet it: by name, in specs and in estimators; and every layer keeps its contract."""

from modnet import ModelSpec
from modnet.registry import registry
from modnet.testing import parametrize_with_checks, registered_examples


@parametrize_with_checks(registered_examples("modnet-sequence"))
def test_contract(check):
    check()


def test_a_spec_with_all_of_them_comes_back_from_json_and_says_what_it_requires():
    mine = [entry for entry in registry.entries("layer") if entry.distribution == "modnet-sequence"]
    layers = [each for entry in mine for each in registry.get("layer", entry.name).examples()]
    spec = ModelSpec(layers=layers)
    again = ModelSpec.from_json(spec.to_json())
    assert again == spec
    assert again.requires["modnet-sequence"] == "0.1.0"

"""Who may bring code in: plugins switched off by the environment, and the allow list of a spec."""

import json

import pytest
from support.distributions import Site, run_python

from modnet import ModelSpec
from modnet.errors import InvalidSpecError, RegistryError
from modnet.registry import registry


@pytest.fixture
def spec(site: Site) -> str:
    """A spec that uses a plugin."""
    site.wobble("acme-layers", "acme_layers")
    return json.dumps({"layers": [{"type": "dense", "units": 8}, {"type": "wobble"}]})


def test_a_spec_may_use_what_is_installed(spec: str):
    assert type(ModelSpec.from_json(spec).layers[1]).__name__.lower() == "wobble"


@pytest.mark.parametrize("allow", [[], ["modnet-layers"], ["another"]])
def test_a_spec_may_not_use_what_the_allow_list_leaves_out(spec: str, allow: list[str]):
    with pytest.raises(InvalidSpecError, match=r"layers\[1\]: .*acme-layers.* is not allowed here.*allow list"):
        ModelSpec.from_json(spec, allow=allow)


def test_what_is_not_allowed_is_not_imported(site: Site):
    points = {"modnet.activations": {"boom": "boom:Boom"}}
    site.install("boom", modules={"boom": "raise SystemExit('imported')"}, entry_points=points)
    with pytest.raises(InvalidSpecError, match="not allowed here"):
        ModelSpec.from_dict({"layers": ["boom"]}, allow=[])


@pytest.mark.parametrize("name", ["acme-layers", "ACME_layers", "acme.layers"])
def test_the_allow_list_compares_names_as_pip_does(spec: str, name: str):
    assert len(ModelSpec.from_json(spec, allow=[name]).layers) == 2


def test_the_allow_list_decides_between_two_that_offer_a_name(site: Site):
    site.wobble("acme-layers", "acme_layers")
    site.wobble("other-layers", "other_layers")
    with pytest.raises(InvalidSpecError, match="offered more than once"):
        ModelSpec.from_dict({"layers": ["wobble"]})
    (layer,) = ModelSpec.from_dict({"layers": ["wobble"]}, allow=["other-layers"]).layers
    assert type(layer).__module__ == "other_layers"


def test_the_allow_list_ends_with_the_call(spec: str):
    with pytest.raises(InvalidSpecError):
        ModelSpec.from_json(spec, allow=[])
    assert ModelSpec.from_json(spec)


def test_the_standard_components_are_always_allowed():
    with registry.allowing([]):
        assert registry.get("loss", "squared_error").__name__ == "SquaredError"


@pytest.mark.parametrize("name", ["os:system", "modnet_standard.layers.dense:Dense", "builtins:eval", "json"])
def test_no_spec_can_name_an_import(name: str):
    with pytest.raises((InvalidSpecError, RegistryError), match="unknown"):
        ModelSpec.from_dict({"layers": [{"type": name}]})


def test_plugins_can_be_switched_off():
    code = "from modnet.registry import registry; print({entry.distribution for entry in registry.entries()})"
    assert run_python(code, MODNET_DISABLE_PLUGINS="1") == "{'modnet-layers'}"
    assert "modnet-example" in run_python(code, MODNET_DISABLE_PLUGINS="0")


def test_a_name_that_was_switched_off_says_so():
    code = """
from modnet import ModelSpec
try:
    ModelSpec(layers=["snake"])
except ValueError as error:
    print(error)
"""
    assert "MODNET_DISABLE_PLUGINS has switched off all names" in run_python(code, MODNET_DISABLE_PLUGINS="1")

"""Standard names belong to modnet-layers: whatever others offer, a bare one means the standard component."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from support.distributions import WOBBLE, Site

from modnet import Activation, ModelSpec, ModNetClassifier, Module, Schedule, load, register, save
from modnet.activations import ReLU, Tanh
from modnet.cli import main
from modnet.diagnosis.plugins import estimator_section, plugins
from modnet.entries import group_of
from modnet.errors import AmbiguousComponentError, RegistryError, UnknownComponentError
from modnet.layers import Dense, Residual
from modnet.neural_network import MLPClassifier
from modnet.registry import Registry, estimators, registry
from modnet.testing import registered_examples

SLOT = ("layer", "activation")

X, y = load_iris(return_X_y=True)


@pytest.fixture
def greedy(site: Site) -> Site:
    """A distribution that offers every standard name, in its kind and as a layer; importing it raises."""
    names: dict[str, dict[str, str]] = {kind: {} for kind in registry.kinds}
    for entry in registry.entries():
        if entry.standard:
            names[entry.kind][entry.name] = names["layer"][entry.name] = "acme:Wobble"
    points = {group_of(kind): each for kind, each in names.items()}
    site.install("acme-layers", modules={"acme": "raise ImportError('not me')"}, entry_points=points)
    return site


def wobbling_relu(site: Site) -> type[Activation]:
    """The activation of a distribution that calls it relu."""
    site.wobble("acme-layers", "acme", name="relu")
    found: type[Activation] = registry.get("activation", "acme-layers:relu")
    return found


def test_a_bare_standard_name_means_the_standard_component(greedy: Site):
    mine = [entry for entry in registry.entries() if entry.standard]
    for entry in mine:
        cls = registry.get(entry.kind, entry.name)
        assert cls is registry.get(entry.kind, f"modnet-layers:{entry.name}")
        assert registry.name_of(cls) == entry.name
        assert registry.entry_of(cls) == entry
    assert "acme" not in sys.modules


def test_a_layer_with_the_name_of_a_standard_activation_does_not_win(greedy: Site):
    for entry in registry.entries("activation"):
        if entry.standard:
            assert registry.get(SLOT, entry.name).kind == "activation"
    assert Residual(["relu"]).body == (ReLU(),)
    assert ModelSpec(layers=["dropout", {"type": "tanh"}]).layers[1] == Tanh()


def test_default_fits_are_the_same_whatever_others_offer(greedy: Site, tmp_path: Path):
    model = ModNetClassifier(layers=(8, "relu", Dense(4, "relu")), max_iter=5, random_state=0, tol=0)
    drop_in = MLPClassifier((8,), max_iter=5, random_state=0, solver="sgd", learning_rate="invscaling")
    several = ModNetClassifier(layers=(4,), max_iter=5, random_state=0, tol=0)
    targets = {several: np.column_stack([y, y])}
    for each in (model, drop_in, several):
        with warnings.catch_warnings(action="ignore"):  # of few epochs
            each.fit(X, targets.get(each, y))
        save(each, tmp_path / "model.npz")
        np.testing.assert_array_equal(load(tmp_path / "model.npz").predict(X), each.predict(X))
    spec = ModelSpec.from_json(model.spec_.to_json())
    assert (spec, spec.requires.keys()) == (model.spec_, {"modnet-layers"})


def test_another_distributions_component_is_written_with_its_distribution(site: Site):
    wobble = wobbling_relu(site)
    assert registry.name_of(wobble) == "acme-layers:relu"
    spec = ModelSpec(layers=["acme-layers:relu", "relu"])
    assert spec.layers == (wobble(), ReLU())
    assert [each["type"] for each in spec.to_dict()["layers"]] == ["acme-layers:relu", "relu"]
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert "acme-layers" in spec.requires


def test_what_is_written_today_means_the_same_when_another_plugin_of_that_name_is_installed(site: Site, tmp_path: Path):
    site.wobble("acme-layers", "acme")
    model = ModNetClassifier(layers=("wobble", Dense(4, "wobble")), max_iter=2, random_state=0)
    model.fit(X, y)
    save(model.set_params(layers=model.spec_.layers), tmp_path / "model.npz")
    text = model.spec_.to_json()
    site.install("zeta", modules={"zeta": LAYER}, entry_points={"modnet.layers": {"wobble": "zeta:Layer"}})
    site.wobble("beta", "beta")
    assert ModelSpec.from_json(text) == model.spec_
    np.testing.assert_array_equal(load(tmp_path / "model.npz").predict(X), model.predict(X))
    with pytest.raises(AmbiguousComponentError):
        registry.get("activation", "wobble")


LAYER = """
from modnet import Module

class Layer(Module):
    def output_shape(self, input_shape):
        return input_shape
    def forward(self, ctx, p, x):
        return x
    def grad_input(self, ctx, p, dy):
        return dy
"""


@pytest.mark.parametrize("name", ["relu", "wobble"])
def test_a_layers_name_leads_to_it_wherever_layers_and_activations_are_taken(site: Site, name: str):
    site.wobble("acme-layers", "acme", name=name)
    site.install("zeta", modules={"zeta": LAYER}, entry_points={"modnet.layers": {name: "zeta:Layer"}})
    for kind, qualified in (("layer", f"zeta:{name}"), ("activation", f"acme-layers:{name}")):
        cls = registry.get(kind, qualified)
        assert registry.name_of(cls) == qualified
        assert registry.get(SLOT, qualified) is cls


def test_two_others_that_offer_one_name_stay_ambiguous(site: Site):
    site.wobble("acme-layers", "acme")
    site.wobble("zeta", "zeta")
    with pytest.raises(AmbiguousComponentError, match="'acme-layers:wobble' or 'zeta:wobble'"):
        registry.get("activation", "wobble")


def test_a_standard_name_is_allowed_though_its_other_owner_is_not(greedy: Site):
    with registry.allowing([]):
        assert registry.get(SLOT, "relu") is ReLU


def test_a_class_that_another_distribution_offers_as_well_is_still_ours(site: Site):
    site.install("acme-meta", entry_points={"modnet.activations": {"relu": "modnet_standard.activations.relu:ReLU"}})
    assert registry.entry_of(ReLU).distribution == "modnet-layers"
    assert registry.name_of(ReLU) == "relu"


# By hand


class Nothing(Module):
    """A layer that nobody offers."""

    def output_shape(self, input_shape):
        return input_shape

    forward = grad_input = lambda self, ctx, p, x: x


@pytest.mark.parametrize("name", ["dense", "relu"])
def test_a_layer_takes_no_standard_name_of_layers_or_activations(book: Registry, name: str):
    for override in (False, True):
        with pytest.raises(RegistryError, match=f"'{name}' is taken: .*the standard.*choose another name.*'my_{name}'"):
            register(Nothing, name, override=override)
    assert registry.name_of(Nothing) is None


def test_a_standard_name_of_a_kind_that_fits_other_slots_may_be_given(book: Registry):
    class Identity(Schedule):
        def rate(self, learning_rate, progress):
            return learning_rate

    register(Identity)
    assert registry.get("schedule", "identity") is Identity
    assert registry.get("schedule", registry.name_of(Identity)) is Identity


# Snake case


@pytest.mark.parametrize("name", ["Soft-Step", "SoftStep", "soft-step", "softStep", "auto"])
def test_a_name_that_is_not_snake_case_is_not_offered(site: Site, name: str):
    before = registry.entries()
    site.wobble("acme-layers", "acme", name=name)
    assert registry.entries() == before
    for asked in (name, f"acme-layers:{name}"):
        with pytest.raises(UnknownComponentError, match=f"{name}.*acme-layers 1.2 .*not offered.*snake_case"):
            registry.get("activation", asked)
    with pytest.raises(UnknownComponentError, match=f"{name}.*acme-layers 1.2 .*not offered.*snake_case"):
        registered_examples("acme-layers")
    (finding,) = plugins().findings
    assert (finding.check, finding.severity) == ("not-snake-case", "problem")
    assert f"activation '{name}', acme-layers 1.2" in finding.subject


# What is told


def test_doctor_says_how_a_component_with_a_standard_name_is_reached(site: Site):
    site.wobble("acme-layers", "acme", name="relu")
    site.install("zeta", modules={"zeta": LAYER}, entry_points={"modnet.layers": {"tanh": "zeta:Layer"}})
    findings = {finding.subject: finding for finding in plugins().findings}
    assert set(findings) == {"activation 'relu', acme-layers 1.2", "layer 'tanh', zeta 1.2"}
    assert {finding.check for finding in findings.values()} == {"standard-name"}
    assert "'acme-layers:relu'" in findings["activation 'relu', acme-layers 1.2"].remedy
    assert "modnet-layers' activation" in findings["layer 'tanh', zeta 1.2"].found


def test_doctor_says_the_same_of_estimators(site: Site):
    names = {"classifier": "acme:Classifier", "SoftClassifier": "acme:Classifier"}
    source = "from modnet import ModNetClassifier\nclass Classifier(ModNetClassifier): ..."
    site.install("acme-layers", modules={"acme": source}, entry_points={"modnet.estimators": names})
    findings = {finding.check: finding for finding in estimator_section().findings}
    assert set(findings) == {"standard-name", "not-snake-case"}
    assert "'acme-layers:classifier'" in findings["standard-name"].remedy
    assert estimators.get("estimator", "classifier") is ModNetClassifier


def test_the_list_of_components_shows_the_name_that_leads_to_each(site: Site, capsys: pytest.CaptureFixture[str]):
    site.wobble("acme-layers", "acme", name="relu")
    assert main(["components", "activation", "--names"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"relu", "acme-layers:relu"} <= set(lines)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("relu", "activation 'relu' from modnet-layers"),
        ("dense", "layer 'dense' from modnet-layers"),
        ("class", "class is a word of Python's"),
        ("none", "None is a word of Python's"),
        ("auto", "auto is a word of modnet's"),
        ("layers", "the distribution modnet-layers is installed already"),
        ("standard", "a package modnet_standard"),
        ("module", "its class would be called Module"),
    ],
)
def test_a_name_that_a_plugin_cannot_have_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
):
    assert main(["new-plugin", name, "--directory", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "choose another name" in said
    assert not list(tmp_path.iterdir())


def test_the_source_of_a_plugin_of_a_standard_name_still_works_by_its_full_name(site: Site):
    site.install("acme-layers", modules={"acme": WOBBLE}, entry_points={"modnet.activations": {"tanh": "acme:Wobble"}})
    layer = Dense(3, {"type": "acme-layers:tanh", "slope": 2})
    assert layer.activation.slope == 2
    assert Dense(3, "tanh").activation == Tanh()

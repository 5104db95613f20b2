"""The spec: JSON there and back is the identity, what it refuses and in which words, and the network it describes."""

import json
import math
import sys

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.distributions import Site

from modnet import Activation, ModelSpec, Module
from modnet.activations import Identity, ReLU, Sigmoid, Softmax, Tanh
from modnet.component import walk
from modnet.entries import Entry
from modnet.errors import InvalidSpecError, RegistryError, ShapeError, UnknownComponentError
from modnet.initializers import GlorotNormal, GlorotUniform, HeNormal, HeUniform, Zeros
from modnet.layers import Columns, Dense, Dropout, Parallel, Residual, Sequential
from modnet.losses import CrossEntropy, SquaredError
from modnet.optimizers import SGD, Adam
from modnet.registry import registry
from modnet.schedules import Constant
from modnet.training import TrainingSettings

names = st.none() | st.sampled_from([f"layer_{index}" for index in range(100)])
positive = st.floats(0, exclude_min=True, allow_infinity=False)
finite = st.floats(0, allow_infinity=False)
below_one = st.floats(0, 1, exclude_max=True)
activations = st.builds(
    lambda cls, name: cls(name=name), st.sampled_from([Identity, ReLU, Sigmoid, Softmax, Tanh]), names
)
initializers = st.sampled_from([HeUniform(), HeNormal(), Zeros()]) | st.builds(
    lambda cls, gain: cls(gain), st.sampled_from([GlorotUniform, GlorotNormal]), positive
)
dense = st.builds(
    Dense,
    units=st.integers(1, 2**40),
    activation=st.none() | activations,
    use_bias=st.booleans(),
    kernel_initializer=initializers,
    bias_initializer=initializers,
    name=names,
)
layers = st.recursive(
    dense | activations | st.builds(Dropout, below_one, name=names),
    lambda inner: st.one_of(
        st.builds(Residual, st.lists(inner, min_size=1, max_size=3), name=names),
        st.builds(Sequential, st.lists(inner, min_size=1, max_size=3), name=names),
        st.builds(
            Parallel, st.lists(inner, min_size=1, max_size=3), st.sampled_from(["concat", "add", "mean"]), name=names
        ),
    ),
    max_leaves=6,
)


def have_names_that_differ(layers: list[Module]) -> bool:
    """Whether no two layers, those inside layers among them, have one name."""
    found = [each.name for _, each in walk(layers) if isinstance(each, Module) and each.name]
    return len(set(found)) == len(found)


schedules = st.none() | st.just(Constant())
optimizers = st.builds(Adam, positive, below_one, below_one, positive, schedule=schedules) | st.builds(
    lambda rate, momentum, look, schedule: SGD(rate, momentum, look and momentum > 0, schedule=schedule),
    positive,
    below_one,
    st.booleans(),
    schedules,
)
settings = st.builds(
    TrainingSettings,
    max_iter=st.integers(1, 10**6),
    batch_size=st.none() | st.integers(1, 10**6),
    shuffle=st.booleans(),
    alpha=finite,
    tol=st.floats(0),
    n_iter_no_change=st.integers(1, 10**6),
    early_stopping=st.booleans(),
    validation_fraction=st.floats(0, 1, exclude_min=True, exclude_max=True),
)
specs = st.builds(
    ModelSpec,
    layers=st.lists(layers, max_size=4).filter(have_names_that_differ),
    loss=st.sampled_from(["auto", SquaredError(), CrossEntropy(), CrossEntropy("sigmoid")]),
    optimizer=optimizers,
    training=settings,
) | st.builds(
    ModelSpec,
    output_activation=st.sampled_from([Sigmoid(), Tanh(name="bounded")]),
    loss=st.sampled_from(["auto", SquaredError(), "huber"]),
)

# There and back


@given(specs)
@hypothesis.settings(max_examples=40)
def test_there_and_back_is_the_identity_by_mappings_and_by_json(spec: ModelSpec):
    text = spec.to_json()
    again = ModelSpec.from_json(text)
    assert again == spec == ModelSpec.from_dict(spec.to_dict())
    assert again.to_json() == text
    assert repr(again) == repr(spec)


OWN = [entry for entry in registry.entries() if entry.distribution == "modnet-layers"]


@pytest.mark.parametrize("entry", OWN, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_standard_component_is_written_by_its_name(entry: Entry):
    component = registry.get(entry.kind, entry.name).examples()[0]
    holder = {
        "schedule": lambda: ModelSpec(optimizer=Adam(schedule=component)),
        "initializer": lambda: ModelSpec(layers=[Dense(3, kernel_initializer=component)]),
        "constraint": lambda: ModelSpec(layers=[Dense(3, kernel_constraint=component)]),
        "inputs": lambda: ModelSpec(inputs=component),
        "output": lambda: ModelSpec(output=component),
        "loss": lambda: ModelSpec(loss=component),
        "optimizer": lambda: ModelSpec(optimizer=component),
        "solver": lambda: ModelSpec(optimizer=component),
    }.get(entry.kind, lambda: ModelSpec(layers=[component]))()
    assert f'"type": "{entry.name}"' in holder.to_json()
    assert ModelSpec.from_json(holder.to_json()) == holder


def test_json_is_standard_and_infinity_survives_it():
    spec = ModelSpec(training=TrainingSettings(tol=math.inf))

    def refuse(word: str):
        raise AssertionError(f"{word} is not JSON")

    json.loads(spec.to_json(), parse_constant=refuse)
    assert ModelSpec.from_json(spec.to_json()).training.tol == math.inf


def test_json_is_readable():
    fields = json.loads(ModelSpec(layers=[Dense(8, "tanh"), Dropout(0.2)], optimizer=SGD(0.1)).to_json())
    assert [layer["type"] for layer in fields["layers"]] == ["dense", "dropout"]
    assert fields["layers"][0]["activation"] == {"type": "tanh"}
    assert fields["optimizer"]["type"] == "sgd"
    assert fields["optimizer"]["learning_rate"] == 0.1
    assert fields["optimizer"].get("schedule", "left out") == "left out"
    assert (fields["loss"], fields["spec_version"]) == ("auto", 1)


TOML = """
layers = [8, "tanh", {type = "residual", body = ["relu", {type = "dense", units = 8}]}]
optimizer = "sgd"
[training]
max_iter = 7
"""


def test_toml_is_read():
    spec = ModelSpec.from_toml(TOML.replace("[8, ", "[{type = 'dense', units = 8}, "))
    assert spec.layers == (Dense(8), Tanh(), Residual([ReLU(), Dense(8)]))
    assert (spec.optimizer, spec.training.max_iter) == (SGD(), 7)


def test_a_file_is_read_by_its_suffix(tmp_path):
    spec = ModelSpec(layers=["tanh"], optimizer="sgd")
    (tmp_path / "é.json").write_text(spec.to_json(), encoding="utf-8")
    (tmp_path / "model.toml").write_text("layers = ['tanh']\noptimizer = 'sgd'", encoding="utf-8")
    (tmp_path / "model.yaml").write_text("layers: [tanh]")
    assert ModelSpec.load(tmp_path / "é.json") == ModelSpec.load(str(tmp_path / "model.toml")) == spec
    with pytest.raises(InvalidSpecError, match=r"should be a \.json or \.toml file, got .*model\.yaml"):
        ModelSpec.load(tmp_path / "model.yaml")
    with pytest.raises(FileNotFoundError):
        ModelSpec.load(tmp_path / "nowhere.json")


# What is refused


@pytest.mark.parametrize("text", ["", "{", "{'layers': []}", '{"layers": [}', b'{"loss": "\xff"}'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(InvalidSpecError, match="ModelSpec: should be JSON"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"dense"'])
def test_json_of_something_else_is_refused(text: str):
    with pytest.raises(InvalidSpecError, match="ModelSpec: should be a mapping, got"):
        ModelSpec.from_json(text)


def test_what_is_no_toml_is_refused():
    with pytest.raises(InvalidSpecError, match=r"ModelSpec: should be TOML: .*line 2"):
        ModelSpec.from_toml("layers = []\nlayers = [}\n")


def test_problems_are_located_and_listed_at_once():
    fields = {
        "layers": ["dense", {"type": "dense", "units": 3, "activation": {"type": "relu", "slope": 1}}],
        "loss": "squared_eror",
        "training": {"max_iter": 0, "alpha": "x"},
        "optimiser": "adam",
    }
    with pytest.raises(InvalidSpecError) as error:
        ModelSpec.from_dict(fields)
    paths = [path for path, _ in error.value.problems]
    assert paths == ["layers[0].units", "layers[1].activation", "loss", "training.max_iter", "training.alpha", ""]
    assert str(error.value).startswith("ModelSpec: 6 problems\n  layers[0].units: is required\n")
    assert "no field 'optimiser'; did you mean 'optimizer'?" in str(error.value)


@pytest.mark.parametrize("fields", [{"layers": "relu"}, {"layers": 3}, {"layers": [-3]}, {"layers": {"type": "relu"}}])
def test_layers_are_a_sequence_of_layers(fields: dict):
    with pytest.raises(InvalidSpecError, match="layers"):
        ModelSpec.from_dict(fields)


@pytest.mark.parametrize("field", ["training", "optimizer", "output_activation", "loss"])
def test_a_field_of_the_wrong_kind_is_refused(field: str):
    with pytest.raises(InvalidSpecError, match=f"ModelSpec: {field}: should be"):
        ModelSpec(**{field: 3})


@pytest.mark.parametrize("version", [2, 17])
def test_a_newer_format_is_refused_with_the_remedy(version: int):
    with pytest.raises(InvalidSpecError, match=f"reads version 1, got {version}: upgrade .*modnet-layers"):
        ModelSpec.from_dict({"spec_version": version, "something_new": [1]})


@pytest.mark.parametrize("version", [0, -1, "1", 1.5, None])
def test_a_version_that_never_was_is_refused(version):
    with pytest.raises(InvalidSpecError, match="spec_version: should be 1"):
        ModelSpec.from_dict({"spec_version": version})


@pytest.mark.parametrize("name", ["os:system", "json.decoder:JSONDecoder", "antigravity:fly", "this", "antigravity"])
@pytest.mark.parametrize("place", ["layers", "activation", "optimizer", "loss"])
def test_a_name_never_leads_to_anything_that_is_not_registered(name: str, place: str):
    assert not {"antigravity", "this"} & set(sys.modules)
    fields = {
        "layers": {"layers": [{"type": name}]},
        "activation": {"layers": [{"type": "dense", "units": 3, "activation": name}]},
        "optimizer": {"optimizer": {"type": name}},
        "loss": {"loss": name},
    }[place]
    with pytest.raises(InvalidSpecError, match="unknown") as error:
        ModelSpec.from_json(json.dumps(fields))
    assert isinstance(error.value.__cause__, UnknownComponentError)
    assert not {"antigravity", "this"} & set(sys.modules)


def test_a_class_without_a_name_is_refused_only_when_it_is_written():
    class Local(Activation):
        def f(self, z, *, out=None):
            return z

        def df(self, z, a, da, *, out=None):
            return da

    spec = ModelSpec(layers=[Residual([Local()])])
    assert spec.network((3,), 1).output_shape == (1,)
    assert "Local" not in spec.requires
    for write in (spec.to_json, spec.to_dict):
        with pytest.raises(RegistryError, match=r"Local has no registered name.*modnet\.activations"):
            write()


# What it requires


def test_it_requires_the_distributions_of_its_components(site: Site):
    site.wobble("acme-layers", "acme", version="4.5")
    site.wobble("unused-layers", "unused", name="unused")
    spec = ModelSpec(layers=[Residual([Dense(3, "wobble")])])
    assert spec.requires == {"acme-layers": "4.5", "modnet-layers": "0.1.0"}
    assert json.loads(spec.to_json())["requires"] == spec.requires


def test_a_distribution_that_is_missing_is_named_with_the_remedy():
    fields = {"layers": ["wobble"], "requires": {"acme-layers-nobody-has": "1.2"}}
    with pytest.raises(InvalidSpecError) as error:
        ModelSpec.from_dict(fields)
    ((path, text),) = error.value.problems
    assert path == "requires.acme-layers-nobody-has"
    assert text.startswith("version 1.2 was used, none is installed: install it (python -m pip install acme-layers")


def test_an_older_distribution_is_a_warning(site: Site):
    site.wobble("acme-layers", "acme", version="4.5")
    spec = ModelSpec(layers=["wobble"])
    with pytest.warns(UserWarning, match=r"written with acme-layers 10\.0, 4\.5 is installed") as caught:
        assert ModelSpec.from_dict({**spec.to_dict(), "requires": {"acme-layers": "10.0"}}) == spec
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("installed", "written_with"),
    [("4.5", "4.5"), ("4.5", "4.4.9"), ("4.5", "4"), ("4.5", "4.5+local"), ("4", "4.0"), ("4.0", "4.0rc1")],
)
def test_an_equal_or_newer_distribution_is_not_worth_a_word(site: Site, installed: str, written_with: str):
    site.wobble("acme-layers", "acme", version=installed)
    assert ModelSpec.from_dict({"requires": {"acme_layers": written_with}}) == ModelSpec()


@pytest.mark.parametrize(
    ("requires", "text"),
    [
        (["modnet-layers"], "should map distributions to versions"),
        ("modnet-layers", "should map distributions to versions"),
        ({"modnet-layers && rm": "1"}, "is not the name of a distribution"),
        ({"../../x": "1"}, "is not the name of a distribution"),
        ({"": "1"}, "is not the name of a distribution"),
        ({"modnet-layers": None}, "version"),
        ({"modnet-layers": "newest"}, "version"),
    ],
)
def test_requirements_that_are_none_are_refused(requires, text: str):
    with pytest.raises(InvalidSpecError, match="requires") as error:
        ModelSpec.from_dict({"requires": requires})
    assert text in str(error.value)


# The network it describes


def test_a_network_gets_an_output_layer_and_then_the_output_activation():
    spec = ModelSpec(layers=[Dense(8, "tanh"), Dropout()], output_activation="sigmoid")
    network = spec.network((4,), 3)
    titles = [
        "inputs (Encode)",
        "layers[0] (Dense)",
        "layers[0].activation (Tanh)",
        "layers[1] (Dropout)",
        "output (Dense)",
    ]
    assert [link.title for link in network.links] == [*titles, "output_activation (Sigmoid)"]
    assert (network.input_shape, network.output_shape) == ((4,), (3,))
    assert ModelSpec().network((4,), 3).layout.size == 4 * 3 + 3


def test_a_plan_for_columns_is_in_no_network_whose_layers_go_by_columns_themselves():
    links = ModelSpec(layers=[Columns((0, 2)), 8]).network((4,), 3).links
    assert links[0].title == "layers[0] (Columns)"


def test_a_layer_that_does_not_fit_is_named_by_its_path():
    spec = ModelSpec(layers=[Dense(8), Sequential([Residual([Dense(5)])])])
    with pytest.raises(ShapeError, match=r"layers\[1\].*body should keep the shape of its input, \(8,\), got \(5,\)"):
        spec.network((4,), 1)

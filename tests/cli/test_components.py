"""``modnet components`` and ``modnet describe``."""

import re
from pathlib import Path
from typing import Any

import pytest
from support.distributions import WOBBLE, Site

from modnet.cli.components import in_words
from modnet.registry import estimators, registry


def test_every_component_of_a_kind_is_listed_with_what_it_is(modnet: Any):
    done = modnet("components", "activation")
    assert done.status == 0
    assert done.out.startswith("activations\n")
    (line,) = (line for line in done.out.splitlines() if line.startswith("tanh "))
    assert "modnet-layers" in line
    assert "a = tanh z" in line
    assert all(len(line) <= 100 for line in done.out.splitlines())


def test_json_says_the_same_about_all_kinds(modnet: Any):
    found = modnet("components", "--json").json
    offered = (*registry.entries(), *estimators.entries())
    assert {(each["kind"], each["name"].rpartition(":")[2]) for each in found} == {(e.kind, e.name) for e in offered}
    assert all((":" in each["name"]) == (each["distribution"] != "modnet-layers") for each in found)
    (dense,) = (each for each in found if each["name"] == "dense")
    assert dense["module"] == "modnet_standard.layers.dense:Dense"
    assert dense["distribution"] == "modnet-layers"
    assert dense["summary"].startswith("A fully connected layer")
    assert dense["error"] is None
    assert {each["error"] for each in found} == {None}


def test_estimators_are_listed_beside_the_components(modnet: Any):
    names = modnet("components", "estimator", "--names").out.split()
    assert [name.rpartition(":")[2] for name in names] == list(estimators.names("estimator"))
    done = modnet("components", "estimator")
    assert "A neural network that predicts numbers" in done.out
    assert done.out.endswith(f"\n{len(names)} estimators\n")
    assert f", {len(names)} estimators" in modnet("components").out.splitlines()[-1]


def test_names_can_be_read_by_a_shell(modnet: Any):
    names = modnet("components", "loss", "--names").out.split()
    assert [name.rpartition(":")[2] for name in names] == list(registry.names("loss"))
    assert ["loss", "squared_error"] in [line.split() for line in modnet("components", "--names").out.splitlines()]


def test_names_import_nothing_and_a_kind_only_its_own_plugins(site: Site):
    site.wobble("acme-layers", "acme_layers")
    code = """
import contextlib, io, sys
from modnet.cli import main
for argv in (["components", "--names"], ["components", "loss"], ["components", "activation"]):
    with contextlib.redirect_stdout(io.StringIO()):
        main(argv)
    print("acme_layers" in sys.modules, "modnet_standard" in sys.modules)
"""
    assert site.python(code).splitlines() == ["False False", "False True", "True True"]


def test_a_broken_plugin_is_marked_with_the_reason_and_the_others_are_there(modnet: Any, site: Site):
    points = {"modnet.activations": {"broken": "acme:Broken", "number": "acme_number:Number"}}
    modules = {"acme": "1 / 0", "acme_number": "Number = 3"}
    site.install("acme-layers", modules=modules, entry_points=points)
    done = modnet("components", "activation")
    assert done.status == 0
    assert "BROKEN: ZeroDivisionError: division by zero" in done.out
    assert "BROKEN: activation 'number' from acme-layers 1.2" in done.out
    assert "2 of them BROKEN" in done.out
    assert "a = tanh z" in done.out
    (found,) = (each for each in modnet("components", "--json").json if each["name"] == "acme-layers:broken")
    assert found["error"] == "ZeroDivisionError: division by zero"
    assert found["summary"] is None


def test_two_claims_to_a_name_are_told_apart(modnet: Any, site: Site):
    site.wobble("acme-layers", "acme_layers")
    site.wobble("other-layers", "other_layers")
    names = modnet("components", "activation", "--names").out.split()
    assert {"acme-layers:wobble", "other-layers:wobble"} <= set(names)
    assert "wobble" not in names
    assert "acme_layers:Wobble" in modnet("describe", "acme-layers:wobble").out
    done = modnet("describe", "wobble")
    assert done.status == 1
    assert "Write 'acme-layers:wobble' or 'other-layers:wobble'" in done.err


def test_a_registered_class_belongs_to_this_process(modnet: Any, book: Any):
    from modnet import Activation

    class Flat(Activation):
        """a = 0."""

        def f(self, z, *, out=None):
            return z * 0

        def df(self, z, a, da, *, out=None):
            return da * 0

    book.register(Flat)
    assert "flat" in modnet("components", "activation").out
    assert "this process" in modnet("describe", "flat").out


# describe


def test_a_component_is_described_with_equation_fields_and_source(modnet: Any):
    done = modnet("describe", "dense")
    assert done.status == 0
    heading, _, equation, *_ = done.out.splitlines()
    assert heading == "dense  (layer, modnet-layers 0.1.0, modnet_standard.layers.dense:Dense)"
    assert "z = x W + b" in equation
    assert "units               integer ≥ 1" in done.out
    assert "required" in done.out
    assert re.search("kernel_initializer +an initializer or 'auto' +glorot_uniform", done.out)
    assert "use_bias: Whether there is a b." in done.out
    assert "References: Rumelhart" in done.out


def test_inherited_fields_are_described_by_the_base_that_has_them(modnet: Any):
    done = modnet("describe", "adam")
    assert "clip_norm: The largest Euclidean norm that ∇J may have" in done.out
    assert "ema            number in [0, 1), or none" in done.out


def test_the_description_is_there_as_json(modnet: Any):
    (found,) = modnet("describe", "dense", "--json").json
    assert (found["kind"], found["name"], found["class"]) == ("layer", "dense", "Dense")
    units, activation, *_ = found["fields"]
    assert (units["name"], units["required"], units["schema"]["minimum"]) == ("units", True, 1)
    assert (activation["required"], activation["default"]) == (False, None)


def test_what_has_the_same_name_in_two_kinds_is_described_twice(modnet: Any):
    assert [each["kind"] for each in modnet("describe", "constant", "--json").json] == ["initializer", "schedule"]
    assert [each["kind"] for each in modnet("describe", "constant", "--kind", "schedule", "--json").json] == [
        "schedule"
    ]


def test_every_installed_component_can_be_described(modnet: Any):
    for entry in registry.entries():
        done = modnet("describe", f"{entry.distribution}:{entry.name}", "--kind", entry.kind)
        assert done.status == 0, entry
        assert "None" not in done.out.partition("default\n")[2].partition("\n\n")[0], entry


def test_an_unknown_name_brings_up_those_that_may_be_meant(modnet: Any):
    done = modnet("describe", "rellu")
    assert done.status == 1
    assert "there is no component 'rellu'; did you mean" in done.err
    assert "'relu'" in done.err
    assert "did you mean 'silu'" in modnet("describe", "swish").err
    assert "'modnet components' lists what there is" in modnet("describe", "zzzzzz").err


PRINTING = f"""print("imported")\n{WOBBLE}
from modnet import Accelerator

class Chatty(Accelerator):
    def __post_init__(self):
        print("made")
"""


@pytest.mark.parametrize(
    "command",
    [
        ["components"],
        ["describe", "wobble"],
        ["doctor"],
        ["schema"],
        ["validate", "SPEC"],
        ["summary", "SPEC", "--features", 3, "--outputs", 1],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.filterwarnings("default")  # as where the command is run: a warning goes to stderr
@pytest.mark.parametrize("source", [PRINTING, "print('imported')\nraise KeyboardInterrupt", "raise BaseException"])
def test_whatever_a_plugin_does_when_imported_json_is_printed(
    modnet: Any, site: Site, spec: Path, command: list[Any], source: str
):
    points = {"modnet.activations": {"wobble": "acme:Wobble"}, "modnet.accelerators": {"aaa": "acme:Chatty"}}
    site.install("acme", modules={"acme": source}, entry_points=points)
    done = modnet(*(spec if each == "SPEC" else each for each in command), "--json")
    if source == PRINTING or command[0] != "describe":
        assert done.json
    else:
        assert (done.status, done.out) == (1, "")
        assert "failed to import" in done.err
    assert "Traceback" not in done.err
    assert ("imported" in done.err) == (source != "raise BaseException" and command[0] != "validate")


def test_a_broken_component_cannot_be_described_and_says_why(modnet: Any, site: Site):
    site.install("acme-layers", modules={"acme": "1 / 0"}, entry_points={"modnet.losses": {"broken": "acme:Broken"}})
    done = modnet("describe", "broken")
    assert done.status == 1
    assert "failed to import: ZeroDivisionError" in done.err


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1}, "integer ≥ 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number in (0, 1]"),
        ({"type": "number", "exclusiveMaximum": 1}, "number < 1"),
        ({"type": "boolean"}, "true or false"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}, "text, integer, or none"),
        ({"x-slot": {"kinds": ["loss"], "also": [{"const": "auto"}]}}, "a loss or 'auto'"),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, "list of at least 2: number"),
        ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]}, "[number, number]"),
        ({"$ref": "#/$defs/ParameterGroup"}, "parameter group"),
        ({}, "anything"),
    ],
)
def test_schemas_are_put_into_words(schema: dict[str, Any], words: str):
    assert in_words(schema) == words

"""``modnet schema``, ``modnet validate`` and ``modnet summary``: the commands about spec files."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.distributions import Site

from modnet import ModelSpec
from modnet.entries import DISABLE

GOOD: list[dict[str, Any]] = [
    {},
    {"layers": [{"type": "dense", "units": 8, "activation": "tanh"}, "batch_norm", {"type": "dropout", "rate": 0.2}]},
    {"loss": {"type": "huber", "delta": 0.5}, "optimizer": {"type": "sgd", "schedule": "cosine", "clip_norm": 1}},
    {"layers": [{"type": "residual", "body": ["relu", {"type": "dense", "units": 4}]}], "training": {"max_iter": 5}},
]
BAD = {
    "layers": [{"type": "dense", "units": 0}, "batch_nrm", {"type": "residual", "body": [{"type": "dense"}]}],
    "optimizer": {"type": "adam", "learning_rate": -1},
    "training": {"batch_size": 0},
    "requires": {"acme-layers": "1.0"},
}
PATHS = {
    "requires.acme-layers",
    "layers[0].units",
    "layers[1]",
    "layers[2].body[0].units",
    "optimizer.learning_rate",
    "training.batch_size",
}


def written(path: Path, fields: Any) -> Path:
    path.write_text(json.dumps(fields))
    return path


# schema


def test_the_schema_is_a_schema_and_is_the_one_of_specs(modnet: Any):
    done = modnet("schema")
    assert done.status == 0
    assert done.err == ""
    jsonschema.Draft202012Validator.check_schema(done.json)
    assert done.json == json.loads(json.dumps(ModelSpec.json_schema()))


def test_a_spec_that_the_schema_takes_is_valid(modnet: Any, tmp_path: Path):
    assert modnet("schema", "--out", tmp_path / "schema.json").status == 0
    schema = json.loads((tmp_path / "schema.json").read_text(encoding="utf-8"))
    for fields in GOOD:
        jsonschema.validate(fields, schema, jsonschema.Draft202012Validator)
        assert modnet("validate", written(tmp_path / "spec.json", fields)).status == 0


def test_a_spec_that_the_schema_refuses_is_not_valid(modnet: Any, tmp_path: Path):
    validator = jsonschema.Draft202012Validator(modnet("schema").json)
    for key, value in BAD.items():
        if key != "requires":
            assert not validator.is_valid({key: value})
            assert modnet("validate", written(tmp_path / "spec.json", {key: value})).status == 1


def test_a_schema_in_a_file_is_counted(modnet: Any, tmp_path: Path):
    done = modnet("schema", "--out", tmp_path / "schema.json", "--json")
    assert done.json["file"] == str(tmp_path / "schema.json")
    assert done.json["components"]["layer"] > 20


def test_the_schema_has_plugins_and_says_which_are_left_out(modnet: Any, site: Site):
    site.wobble("acme-layers", "acme_layers")
    site.install("other", modules={"other": "1 / 0"}, entry_points={"modnet.losses": {"broken": "other:Broken"}})
    done = modnet("schema")
    assert "activation.acme-layers:wobble" in done.json["$defs"]
    assert "modnet: warning: loss 'broken' from other 1.2 (other:Broken) is left out: ZeroDivisionError" in done.err


# validate


def test_a_valid_file_is_said_to_be(modnet: Any, spec: Path):
    done = modnet("validate", spec)
    assert (done.status, done.out, done.err) == (0, f"{spec}: valid\n", "")
    assert modnet("validate", spec, "--json").json == {"file": str(spec), "valid": True, "problems": []}


def test_all_problems_are_told_at_once_with_their_paths(modnet: Any, tmp_path: Path):
    path = written(tmp_path / "spec.json", BAD)
    done = modnet("validate", path, "--json")
    assert done.status == 1
    assert {each["path"] for each in done.json["problems"]} == PATHS
    assert not done.json["valid"]
    text = modnet("validate", path)
    assert text.status == 1
    assert text.out.startswith(f"{path}: 6 problems")
    assert "did you mean 'batch_norm'?" in text.out
    assert "should be greater than or equal to 1, got 0" in text.out
    assert all(len(line) <= 100 for line in text.out.splitlines()[1:])


def test_toml_is_read_as_well(modnet: Any, tmp_path: Path):
    path = tmp_path / "spec.toml"
    path.write_text('[[layers]]\ntype = "dense"\nunits = 4\n[requires]\nacme-layers = "1.0"\n[training]\ntol = -1\n')
    paths = [each["path"] for each in modnet("validate", path, "--json").json["problems"]]
    assert paths == ["requires.acme-layers", "training.tol"]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("spec.json", '{"layers": [}', "should be JSON: Expecting value: line 1"),
        ("spec.toml", "layers = [", "should be TOML"),
        ("spec.yaml", "layers: []", "should be a .json or .toml file"),
        ("spec.json", "[]", "should be a mapping"),
        ("spec.json", '{"spec_version": 2}', "upgrade the distribution"),
    ],
)
def test_a_file_that_is_no_spec_says_what_it_should_be(modnet: Any, tmp_path: Path, name: str, text: str, found: str):
    (tmp_path / name).write_text(text)
    done = modnet("validate", tmp_path / name)
    assert done.status == 1
    assert found in " ".join(done.out.split())


def test_layers_that_do_not_fit_show_when_the_network_is_built(modnet: Any, tmp_path: Path):
    layers = [{"type": "dense", "units": 3}, {"type": "residual", "body": [{"type": "dense", "units": 5}]}]
    path = written(tmp_path / "spec.json", {"layers": layers})
    assert modnet("validate", path).status == 0
    done = modnet("validate", path, "--features", 4, "--outputs", 2)
    assert done.status == 1
    assert "layers[1] (Residual)" in done.out


def test_components_can_be_held_to_an_allow_list(modnet: Any, site: Site, tmp_path: Path):
    site.wobble("acme-layers", "acme_layers")
    path = written(tmp_path / "spec.json", {"layers": ["wobble"]})
    assert modnet("validate", path).status == 0
    assert modnet("validate", path, "--allow", "acme-layers").status == 0
    done = modnet("validate", path, "--allow", "other")
    assert done.status == 1
    assert "is not allowed here" in done.out


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_columns_are_counted_from_one(modnet: Any, spec: Path, number: str):
    done = modnet("validate", spec, f"--features={number}")
    assert done.status == 2
    assert "should be a whole number from 1" in done.err


# summary


def test_the_summary_is_a_table_of_layers(modnet: Any, spec: Path):
    done = modnet("summary", spec, "--features", 4, "--outputs", 3)
    assert done.status == 0
    assert done.out.splitlines()[0].split()[:5] == ["path", "layer", "output", "parameters", "multiply-adds"]
    assert "Dense(units=8)" in done.out
    assert "67" in done.out  # 4 · 8 + 8 and 8 · 3 + 3


def test_outputs_are_columns_of_the_prediction(modnet: Any, tmp_path: Path):
    spec = written(tmp_path / "spec.json", {"loss": {"type": "quantile", "quantiles": [0.1, 0.5, 0.9]}})
    found = modnet("summary", spec, "--features", 4, "--outputs", 2, "--json").json
    assert found["layers"][-1]["output_shape"] == [6]
    assert modnet("validate", spec, "--features", 4).status == 0


def test_the_summary_is_there_as_numbers(modnet: Any, spec: Path):
    found = modnet("summary", spec, "--features", 4, "--outputs", 3, "--json").json
    assert (found["parameters"], found["multiply_adds"], found["input_shape"]) == (67, 56, [4])
    assert [each["path"] for each in found["layers"]] == [
        "inputs",
        "layers[0]",
        "layers[1]",
        "layers[1].activation",
        "output",
    ]
    assert sum(each["parameters"] for each in found["layers"]) == 67


ACCELERATOR = """
from modnet import Accelerator, Fused
from modnet.activations import Tanh

class AtOnce(Accelerator):
    def fuse(self, modules):
        return Fused(Tanh()) if isinstance(modules[0], Tanh) else None
"""


def test_the_summary_says_what_the_installed_accelerator_runs(modnet: Any, spec: Path, site: Site):
    points = {"modnet.accelerators": {"at_once": "at_once:AtOnce"}}
    site.install("a-accelerator", modules={"at_once": ACCELERATOR}, entry_points=points)
    found = modnet("summary", spec, "--features", 4, "--outputs", 3, "--json").json
    assert found["accelerator"] == "at_once"
    assert [each["path"] for each in found["layers"] if each["fused"]] == ["layers[1].activation"]
    assert (found["loss"], found["optimizer"]) == (None, {"class": "Adam", "fused": False})
    lines = modnet("summary", spec, "--features", 4, "--outputs", 3).out.splitlines()
    assert [line.split()[-1] for line in lines if "layers" in line] == ["–", "–", "at_once"]
    assert lines[-1] == "accelerator: at_once"


def test_without_an_accelerator_the_summary_says_that(
    modnet: Any, spec: Path, site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(DISABLE, "1")
    site.refresh()
    assert modnet("summary", spec, "--features", 4, "--outputs", 3).out.splitlines()[-1] == "accelerator: none"


def test_a_summary_of_what_is_not_valid_is_an_error(modnet: Any, tmp_path: Path):
    done = modnet("summary", written(tmp_path / "spec.json", BAD), "--features", 4, "--outputs", 3)
    assert done.status == 1
    assert done.err.startswith("modnet: error: ModelSpec: requires.acme-layers")

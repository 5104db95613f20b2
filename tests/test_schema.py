"""The JSON Schema of specs: valid itself, true to what `ModelSpec` takes, and made anew when a plugin comes."""

import json
from typing import Any

import jsonschema
import pytest

from modnet import ModelSpec
from modnet.layers import Dense, Parallel, Residual, Sequential

GOOD = [
    ModelSpec(),
    ModelSpec(layers=[Dense(8, "tanh"), Residual([Dense(3), "dropout", Dense(8)]), Parallel([Sequential([Dense(3)])])]),
    ModelSpec(loss="huber", optimizer={"type": "sgd", "schedule": "adaptive"}, output_activation="sigmoid"),
    ModelSpec(optimizer="lbfgs", training={"max_iter": 7, "batch_size": 32, "early_stopping": True}),
]
BAD: list[dict[str, Any]] = [
    {"lyers": []},
    {"layers": ["rellu"]},
    {"layers": [{"type": "dense"}]},
    {"layers": [{"type": "dense", "units": 0}]},
    {"layers": [{"type": "residual", "body": [{"type": "dense", "units": 3, "unit": 3}]}]},
    {"layers": ["adam"]},
    {"loss": "tanh"},
    {"optimizer": {"type": "adam", "learning_rate": -1}},
    {"training": {"max_iter": 0}},
    {"spec_version": 2},
]


def problems(fields: dict[str, Any]) -> list[Any]:
    return list(jsonschema.Draft202012Validator(ModelSpec.json_schema()).iter_errors(fields))


def test_the_schema_is_a_schema_and_is_json():
    schema = ModelSpec.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_what_a_spec_writes_is_valid(spec: ModelSpec):
    assert problems(json.loads(spec.to_json())) == []


def test_names_and_mappings_are_valid():
    assert problems({"layers": ["relu", {"type": "dropout"}], "optimizer": "adam", "loss": "auto"}) == []


@pytest.mark.parametrize("fields", BAD, ids=str)
def test_what_a_spec_refuses_is_not_valid(fields: dict[str, Any]):
    assert problems(fields)
    with pytest.raises(ValueError):
        ModelSpec.from_dict(fields)


def test_an_installed_plugin_is_in_it(site: Any):
    site.wobble("acme-layers", "acme")
    definitions = ModelSpec.json_schema()["$defs"]
    assert {"wobble", "acme-layers:wobble"} <= set(definitions["activation"]["anyOf"][0]["enum"])
    for name in ("wobble", "acme-layers:wobble"):
        assert not problems({"layers": [name, {"type": name, "slope": 2}]})
        assert problems({"layers": [{"type": name, "slope": "2"}]})


def test_a_plugin_that_fails_to_import_is_left_out(site: Any):
    site.install("acme-layers", modules={"acme": "1 / 0"}, entry_points={"modnet.losses": {"wobble": "acme:Wobble"}})
    assert not any("wobble" in name for name in ModelSpec.json_schema()["$defs"])

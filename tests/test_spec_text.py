"""Texts that are no spec: each is refused with one clear error, whatever the parsers behind it raise."""

import pytest

from modnet import ModelSpec, ModNetRegressor
from modnet.errors import InvalidSpecError, ShapeError

WRONG = {
    "nested": ("[" * 100_000, "should be JSON: it is nested too deep"),
    "digits": ('{"layers": [%s]}' % ("1" * 5000), "a number in it has more digits than Python reads"),
    "bytes": (b"\xff\xfe{}", "should be JSON: 'utf-8' codec can't decode byte 0xff"),
    "twice": ('{"layers": [3], "layers": [4]}', "the key 'layers' is there more than once"),
    "huge": ('{"optimizer": {"type": "adam", "learning_rate": 1%s}}' % ("0" * 400), "optimizer.learning_rate"),
    "a path": ("spec.json", "should be JSON: Expecting value.* got 'spec.json'"),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_text_that_is_no_spec_is_refused_with_the_reason(text, told):
    with pytest.raises(InvalidSpecError, match=told) as caught:
        ModelSpec.from_json(text)
    assert len(str(caught.value)) < 250


def test_toml_is_refused_alike():
    for text, told in (("a = " + "[" * 100_000, "nested too deep"), ("layers = [3]\nlayers = [4]", "overwrite")):
        with pytest.raises(InvalidSpecError, match=f"should be TOML: .*{told}"):
            ModelSpec.from_toml(text)


@pytest.mark.parametrize("read", [ModelSpec.from_json, ModelSpec.from_toml])
@pytest.mark.parametrize("given", [None, 3, {}])
def test_what_is_no_text_is_refused(read, given):
    with pytest.raises(TypeError, match="is text, got"):
        read(given)


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_a_file_that_is_no_text_is_refused(tmp_path, suffix):
    (tmp_path / f"spec.{suffix}").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidSpecError, match="can't decode byte 0xff"):
        ModelSpec.load(tmp_path / f"spec.{suffix}")


def test_two_layers_of_one_name_are_refused_with_both_paths():
    named = {"type": "dense", "units": 3, "name": "trunk"}
    with pytest.raises(InvalidSpecError, match=r"layers\[1\]\.body\[0\]\.name: 'trunk' is the name of layers\[0\]"):
        ModelSpec(layers=[named, {"type": "residual", "body": [named]}])


def test_first_weights_that_are_no_floats_are_refused_shortly():
    with pytest.raises(ShapeError, match="should be an array of numbers, got") as caught:
        ModNetRegressor((), initial_weights=[10**400]).fit([[1.0], [2.0]], [1.0, 2.0])
    assert len(str(caught.value)) < 150

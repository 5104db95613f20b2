"""One rule for numbers, truth values and sequences, in every field of every component and every parameter."""

import dataclasses
from collections import deque
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas
import pytest
from pydantic import Field
from sklearn.base import clone
from sklearn.datasets import load_iris

from modnet import (
    Component,
    ModelSpec,
    ModNetClassifier,
    ModNetTransformer,
    Network,
    Parameter,
    ParameterGroup,
    load,
    save,
)
from modnet.errors import InvalidSpecError, ModNetError, RegistryError, ShapeError
from modnet.layers import Columns, Dense
from modnet.losses import Quantile
from modnet.optimizers import SGD
from modnet.registry import registry
from modnet.training import TrainingSettings

X, y = load_iris(return_X_y=True)

CLASSES = [cls for _, cls in registry.classes() if not isinstance(cls, RegistryError)]


def filled(component: Component, name: str) -> Component:
    """Return a component with a number in a field that has none and may have one."""
    if getattr(component, name) is None:
        for number in (0.5, 2):
            with suppress(InvalidSpecError):
                return dataclasses.replace(component, **{name: number})
    return component


def values(*types: type) -> list[Any]:
    """Return each field of all components that holds a value of some types, as a test's parameter."""
    examples = [
        TrainingSettings(),
        ParameterGroup("output", 0.5),
        *(each for cls in CLASSES for each in cls.examples()),
    ]
    found = {}
    for each in examples:
        for field in dataclasses.fields(each):
            component = filled(each, field.name)
            if type(getattr(component, field.name)) in types:
                title = f"{each.kind}-{type(each).__name__}.{field.name}".removeprefix("-")
                found.setdefault(title, pytest.param(component, field.name, id=title))
    return list(found.values())


def refuses(component: Component, name: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidSpecError) as error:
        dataclasses.replace(component, **{name: value})
    assert any(path.startswith(name) and words in text for path, text in error.value.problems)
    assert error.value.problems[0][1].endswith(f"got {value!r}")


@pytest.mark.parametrize(("component", "name"), values(int, float))
def test_a_number_of_a_component_comes_in_any_numeric_type_and_leaves_as_pythons(component: Component, name: str):
    number = getattr(component, name)
    for text in (str(number), True, b"1"):
        refuses(component, name, text, "number")
    forms: list[Any] = [float(number), np.float64(number), np.longdouble(number)]
    if np.isfinite(number):
        forms += [Decimal(number), Fraction(number)]
    if number == int(number):
        forms += [int(number), np.int64(number), np.float32(number)]
    for form in forms:
        again = dataclasses.replace(component, **{name: form})
        assert again == component
        assert type(getattr(again, name)) is type(number)


@pytest.mark.parametrize(("component", "name"), values(int))
def test_a_whole_number_of_a_component_has_no_fraction(component: Component, name: str):
    for value in (8.5, Fraction(17, 2), np.float32(8.5), float("inf"), float("nan")):
        refuses(component, name, value, "whole number")


@pytest.mark.parametrize(("component", "name"), values(bool))
def test_a_truth_value_of_a_component_is_no_number_and_no_text(component: Component, name: str):
    value = getattr(component, name)
    for wrong in (int(value), float(value), "no", str(value), None):
        refuses(component, name, wrong, "True or False")
    again = dataclasses.replace(component, **{name: np.bool_(value)})
    assert getattr(again, name) is value


@pytest.mark.parametrize(("component", "name"), values(tuple))
def test_a_sequence_of_a_component_is_of_any_kind(component: Component, name: str):
    value = getattr(component, name)
    array = np.empty(len(value), object)
    array[:] = value
    for form in (list(value), deque(value), array, pandas.Index(list(value), dtype=object), pandas.Series(array)):
        assert dataclasses.replace(component, **{name: form}) == component
    if value and all(isinstance(each, int | float) for each in value):
        assert dataclasses.replace(component, **{name: np.array(value)}) == component
        assert {type(each) for each in getattr(component, name)} <= {int, float}
        texts = [] if isinstance(component, Columns) else [[str(each) for each in value]]  # columns have names, too
        for wrong in ([True for _ in value], *texts):
            with pytest.raises(InvalidSpecError, match="number"):
                dataclasses.replace(component, **{name: wrong})
    for wrong in ("ab", b"ab", set(map(repr, value)), dict.fromkeys(map(repr, value)), iter(value)):
        with pytest.raises(InvalidSpecError):
            dataclasses.replace(component, **{name: wrong})


def test_a_number_that_no_float_can_hold_is_one_clear_error():
    for number in (10**400, -(10**5000), Fraction(10**400)):
        with pytest.raises(InvalidSpecError, match="SGD: learning_rate: should be a number that a float can hold"):
            SGD(number)


@pytest.mark.parametrize(
    "number", [np.timedelta64(3, "s"), 3 + 0j, np.array(3), np.array([3]), [3], None, Decimal("sNaN")]
)
def test_what_only_looks_like_a_number_is_none(number: Any):
    for make in (Dense, SGD):
        with pytest.raises(InvalidSpecError, match="number"):
            make(number)


def test_of_several_types_the_path_names_the_field_alone():
    class Either(Component):
        size: Annotated[int, Field(ge=1)] | tuple[int, ...] = 1

    with pytest.raises(InvalidSpecError) as error:
        Either("8")
    assert {path for path, _ in error.value.problems} == {"size"}
    assert Either(8.0).size == 8
    assert Either(np.array([8, 9])).size == (8, 9)


def test_a_single_level_of_a_quantile_may_be_of_any_numeric_type():
    for level in (0.25, np.float32(0.25), Decimal("0.25"), Fraction(1, 4)):
        assert Quantile(level) == Quantile((0.25,))
    with pytest.raises(InvalidSpecError, match="quantiles: should be a sequence"):
        Quantile("0.25")


# Estimators


def fitted(**params: Any) -> ModNetClassifier:
    model = ModNetClassifier(**{"layers": (8,), "early_stopping": False, "max_iter": 3, "random_state": 0, **params})
    with pytest.warns(UserWarning, match="max_iter"):
        return clone(model).fit(X, y)


@pytest.mark.parametrize("layers", [np.array([8, 4]), [8.0, 4], (np.int64(8), np.float32(4)), deque([8, 4])])
def test_layers_are_a_sequence_of_any_kind_of_units_of_any_numeric_type(layers: Any, tmp_path: Path):
    model, usual = fitted(layers=layers), fitted(layers=(8, 4))
    assert model.spec_ == usual.spec_
    np.testing.assert_array_equal(model.theta_, usual.theta_)
    assert model.get_params()["layers__1__units"] == 4
    assert model._repr_html_()
    assert list(model.set_params(layers__1__units=5.0).layers) == [8, 5]
    if not isinstance(layers, deque):  # which a model file has no word for
        save(model.set_params(layers=layers), tmp_path / "model.npz")
        np.testing.assert_array_equal(load(tmp_path / "model.npz").predict(X), usual.predict(X))


@pytest.mark.parametrize("layers", [8, 8.0, np.int64(8)])
def test_layers_that_are_one_number_are_told_what_to_write(layers: Any):
    with pytest.raises(InvalidSpecError, match=r"layers: should be a tuple of layers, got 8.*: write \(8"):
        ModNetClassifier(layers=layers).fit(X, y)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"max_iter": "3"}, ("max_iter", "should be a whole number, got '3'")),
        ({"max_iter": 3.5}, ("max_iter", "should be a whole number, got 3.5")),
        ({"batch_size": 32.5}, ("batch_size", "should be a whole number, got 32.5")),
        ({"layers": (8.5,)}, ("layers[0].units", "should be a whole number, got 8.5")),
        ({"alpha": "0"}, ("alpha", "should be a number, got '0'")),
        ({"early_stopping": "no"}, ("early_stopping", "should be True or False, or 'auto', got 'no'")),
        ({"early_stopping": 1}, ("early_stopping", "should be True or False, or 'auto', got 1")),
        ({"shuffle": 1}, ("shuffle", "should be True or False, got 1")),
        ({"warm_start": "no"}, ("warm_start", "should be True or False, got 'no'")),
        ({"verbose": 1}, ("verbose", "should be True or False, got 1")),
    ],
)
def test_a_parameter_that_is_no_number_or_no_truth_value_is_refused(params: dict[str, Any], problem: tuple[str, str]):
    with pytest.raises(InvalidSpecError) as error:
        ModNetClassifier(**params).fit(X, y)
    assert error.value.problems == (problem,)


def test_parameters_come_in_any_numeric_type():
    for number in (3.0, np.int64(3), np.float32(3), Decimal(3)):
        model = fitted(max_iter=number, batch_size=np.float64(50), warm_start=np.False_)
        assert (model.n_iter_, model.spec_.training.max_iter) == (3, 3)
        assert type(model.spec_.training.max_iter) is int


@pytest.mark.parametrize("layers", [(8,), [Dense(8)], ({"type": "dense", "units": 8},)])
def test_units_that_are_set_by_their_path_are_held_to_the_same_rule(layers: Any):
    model = ModNetClassifier(layers=layers)
    assert model.set_params(layers__0__units=16.0).to_spec().layers[0].units == 16
    for wrong in ("16", "relu", True, 16.5):
        with pytest.raises(InvalidSpecError, match=rf"layers\[0\].units: should be a whole number, got {wrong!r}"):
            model.set_params(layers__0__units=wrong).to_spec()


def test_a_layer_to_read_is_an_index_of_any_numeric_type():
    for index in (1, 1.0, np.int64(1), -1):
        with pytest.warns(UserWarning, match="max_iter"):
            model = ModNetTransformer((4, 2), layer=index, early_stopping=False, max_iter=2).fit(X)
        assert model.layer_ == "layers[1]"
    for wrong in (1.5, True, float("nan"), 2):
        with pytest.raises(InvalidSpecError, match="layer: "):
            ModNetTransformer((4, 2), layer=wrong).fit(X)


@pytest.mark.parametrize("values", [["1", "2", "3"], [True, False, True], [None, 1, 2], [10**400, 1, 2]])
def test_first_weights_are_numbers(values: list[Any]):
    with pytest.raises(ShapeError, match=r"weights\['output.b'\]: should be an array of numbers"):
        ModNetClassifier(initial_weights={"output.b": values}).fit(X, y)


def test_weights_of_classes_are_numbers():
    for wrong in ("1", True, None):
        with pytest.raises(ValueError, match="class_weight should map each class to a number"):
            ModNetClassifier(class_weight={0: wrong, 1: 1, 2: 1}).fit(X, y)


def test_widths_of_a_network_are_whole_numbers():
    network = Network([Dense(3)], (2.0,))
    assert network.input_shape == (2,)
    assert type(network.input_shape[0]) is int
    for shape in (("2",), (2.5,), (True,), (0,), (-1,), 2, "2"):
        with pytest.raises(ShapeError, match="input_shape should be a tuple of whole numbers from 1, got"):
            Network([Dense(3)], shape)
    for widths in (("4", 3), (4.5, 3), (4, "3"), (4, 3.5), (True, 3)):
        with pytest.raises(ModNetError, match="whole number"):
            ModNetClassifier().summary(*widths)


def test_the_shape_of_a_parameter_is_whole_numbers():
    assert Parameter([3.0, np.int64(2)], "zeros").shape == (3, 2)
    for shape in (("3", 2), (3.5, 2), (True, 2), 3, "3", {3, 2}):
        with pytest.raises(ShapeError, match="the shape of a Parameter should be a tuple of whole numbers ≥ 0, got"):
            Parameter(shape, "zeros")


# Texts


def test_texts_are_held_to_the_same_rule():
    spec = ModelSpec.from_json('{"layers": [{"type": "dense", "units": 8.0}], "training": {"max_iter": 3}}')
    assert spec.layers == (Dense(8),)
    for field in ('"units": "8"', '"units": 8, "use_bias": "no"', '"units": 8, "use_bias": 1', '"units": true'):
        with pytest.raises(InvalidSpecError, match=r"layers\[0\]"):
            ModelSpec.from_json(f'{{"layers": [{{"type": "dense", {field}}}]}}')
    with pytest.raises(InvalidSpecError, match=r"training.max_iter: should be a whole number, got '3'"):
        ModelSpec.from_toml('[training]\nmax_iter = "3"')


def test_the_schema_says_what_it_said():
    properties = ModelSpec.json_schema()["$defs"]["layer.dense"]["properties"]
    assert {key: properties["units"][key] for key in ("type", "minimum")} == {"type": "integer", "minimum": 1}
    assert properties["use_bias"]["type"] == "boolean"

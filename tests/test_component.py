"""Components as objects: made by position or name, checked, frozen, compared, copied and sent to other processes."""

import copy
import dataclasses
import pickle
import sys
from types import ModuleType
from typing import Annotated

import cloudpickle
import joblib
import numpy as np
import pytest
from pydantic import Field
from sklearn.base import clone
from support.distributions import Site

from modnet import Component, ModelSpec, Module, Slot, default
from modnet.activations import ReLU, Tanh
from modnet.component import dump, field_names
from modnet.errors import ContractError, InvalidSpecError, ModNetError, RegistryError
from modnet.initializers import Zeros
from modnet.layers import Dense, Dropout, Parallel, Residual, Sequential
from modnet.optimizers import SGD, Adam


class Knob(Component):
    """One field of each kind that matters."""

    size: Annotated[int, Field(ge=1)]
    rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    label: str = "a"
    on: bool = True


def problems_of(make) -> tuple[tuple[str, str], ...]:
    with pytest.raises(InvalidSpecError) as error:
        make()
    return error.value.problems


# Making one


def test_arguments_go_by_position_or_by_name():
    assert Knob(3, 0.25, "b", False) == Knob(on=False, label="b", rate=0.25, size=3)
    assert Knob(3, on=False) == Knob(3, 0.5, "a", False)
    assert field_names(Knob) == ("size", "rate", "label", "on")


@pytest.mark.parametrize(
    ("make", "path", "text"),
    [
        (lambda: Knob(0), "size", "should be greater than or equal to 1, got 0"),
        (lambda: Knob(size=-3), "size", "should be greater than or equal to 1, got -3"),
        (lambda: Knob(3, 1.5), "rate", "should be less than or equal to 1, got 1.5"),
        (lambda: Knob(3, rate=float("nan")), "rate", "should be less than or equal to 1, got nan"),
        (lambda: Knob(), "size", "is required"),
        (lambda: Knob("many"), "size", "should be a whole number, got 'many'"),
        (lambda: Knob(2.5), "size", "should be a whole number, got 2.5"),
        (lambda: Knob(None), "size", "should be a whole number, got None"),
        (lambda: Knob(3, [0.5]), "rate", "should be a number, got [0.5]"),
        (lambda: Knob(3, label=7), "label", "should be a valid string, got 7"),
        (lambda: Knob(True), "size", "should be a whole number, got True"),
        (lambda: Knob(3, np.True_), "rate", "should be a number, got np.True_"),
        (lambda: Knob(3, sise=3), "", "no field 'sise'; did you mean 'size'? Knob has size, rate, label, on"),
        (lambda: Knob(3, zzz=3), "", "no field 'zzz'; Knob has size, rate, label, on"),
        (
            lambda: Knob(3, 0.5, "a", True, 9),
            "",
            "takes at most size, rate, label, on by position; 9 is one too many",
        ),
    ],
)
def test_a_value_that_is_not_valid_is_named_with_what_was_found(make, path: str, text: str):
    assert problems_of(make) == ((path, text),)


def test_all_problems_are_listed_at_once():
    with pytest.raises(InvalidSpecError) as error:
        Knob(0, rate=7, lable="b")
    assert [path for path, _ in error.value.problems] == ["size", "rate", ""]
    first, *lines = str(error.value).splitlines()
    assert first == "Knob: 3 problems"
    assert lines[0] == "  size: should be greater than or equal to 1, got 0"
    assert "did you mean 'label'" in lines[2]


@pytest.mark.parametrize("integer", [np.int64(3), np.uint8(3), np.float64(3.0), np.float32(3.0), 3.0])
def test_numpy_scalars_become_python_integers(integer):
    assert type(Knob(integer).size) is int
    assert Knob(integer).size == 3


@pytest.mark.parametrize("number", [np.float64(0.25), np.float32(0.25), np.float16(0.25), np.int8(1), 1])
def test_numpy_scalars_become_python_floats(number):
    assert type(Knob(3, number).rate) is float
    assert Knob(3, number).rate == number


def test_arrays_are_no_numbers():
    with pytest.raises(InvalidSpecError, match="size: should be a whole number, got array"):
        Knob(np.array([3]))


def test_long_values_are_shortened_in_messages():
    ((_, text),) = problems_of(lambda: Knob("x" * 10_000))
    assert len(text) < 200


def test_a_bad_default_is_the_mistake_of_whoever_wrote_the_class():
    class Bad(Component):
        rate: Annotated[float, Field(le=1)] = 2.0

    assert problems_of(Bad) == (("rate", "should be less than or equal to 1, got 2.0"),)


def test_a_constructor_of_its_own_is_refused_where_the_class_is_written():
    with pytest.raises(ContractError, match=r"Ramp defines __init__, .*annotated class attributes"):

        class Ramp(Component):
            def __init__(self, slope=2.0):
                self.slope = slope


def test_an_error_is_a_value_error_of_modnets_tree():
    with pytest.raises(ValueError):
        Knob(0)
    with pytest.raises(ModNetError):
        Knob(0)


def test_an_error_pickles_with_its_problems():
    with pytest.raises(InvalidSpecError) as raised:
        Knob(0, rate=7)
    twin = pickle.loads(pickle.dumps(raised.value))
    assert (twin.subject, twin.problems, str(twin)) == ("Knob", raised.value.problems, str(raised.value))


# Having one


def test_components_are_frozen():
    knob = Knob(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        knob.size = 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        del knob.size
    with pytest.raises(dataclasses.FrozenInstanceError):
        knob.weights = [1]
    assert vars(knob) == {"size": 3, "rate": 0.5, "label": "a", "on": True}


def test_equality_and_hash_are_those_of_the_fields():
    assert Knob(3) == Knob(3, 0.5)
    assert Knob(3) != Knob(4)
    assert len({Knob(3), Knob(3, rate=0.5), Knob(4)}) == 2
    assert SGD() != Adam()
    assert ReLU() != Tanh()
    assert hash(Residual([Dense(3, name="a")])) == hash(Residual((Dense(3, name="a"),)))


def test_repr_shows_the_fields_that_differ_from_their_defaults_and_evaluates_to_the_component():
    layer = Residual([Dense(8, "relu", use_bias=False), Dropout(0.5)], name="block")
    assert repr(layer) == "Residual(body=(Dense(units=8, activation=ReLU(), use_bias=False), Dropout()), name='block')"
    assert eval(repr(layer)) == layer


@pytest.mark.parametrize("send", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy, clone])
@pytest.mark.parametrize("component", [Knob(3), Parallel([Dense(2, name="a"), Sequential(["relu"])]), ModelSpec()])
def test_copies_are_equal(component, send):
    assert send(component) == component
    assert hash(send(component)) == hash(component)


def test_cloning_costs_nothing():
    layer = Dense(3)
    assert clone(layer) is layer


def test_replace_checks_again():
    assert dataclasses.replace(Knob(3), size=4) == Knob(4)
    assert problems_of(lambda: dataclasses.replace(Knob(3), size=0))[0][0] == "size"
    assert problems_of(lambda: dataclasses.replace(Knob(3), sise=4))[0][1].startswith("no field 'sise'")


# Slots


@pytest.mark.parametrize(
    "activation",
    [
        ReLU(),
        "relu",
        "modnet-layers:relu",
        {"type": "relu"},
        {"type": ReLU},
        {"type": "modnet-layers:relu", "name": None},
    ],
)
def test_a_slot_takes_an_instance_a_name_or_a_mapping(activation):
    assert Dense(3, activation).activation == ReLU()


def test_a_slot_keeps_the_instance_it_is_given():
    relu = ReLU()
    assert Dense(3, relu).activation is relu


def test_lists_of_layers_become_tuples():
    body = [Dense(3), "relu"]
    block = Residual(body)
    body.append(None)
    assert block.body == (Dense(3), ReLU())


@pytest.mark.parametrize(
    ("activation", "text"),
    [
        (ReLU, "an instance, not the class: write ReLU(...)"),
        (3, "an activation: an instance, a registered name or a mapping with 'type', got 3"),
        ({"units": 3}, "an activation: an instance, a registered name or a mapping with 'type', got {'units': 3}"),
        (Zeros(), "an activation: an instance, a registered name or a mapping with 'type', got Zeros()"),
        ({"type": Zeros}, "'type' should be the name of an activation"),
        ({"type": 3}, "'type' should be the name of an activation"),
        ({"type": "relu", "slope": 3}, "no field 'slope'; ReLU has name"),
    ],
)
def test_what_a_slot_does_not_take_is_explained(activation, text: str):
    ((path, found),) = problems_of(lambda: Dense(3, activation))
    assert path == "activation"
    assert text in found


def test_the_path_of_a_value_leads_through_containers():
    layers = [Dense(3), {"type": "residual", "body": [{"type": "dense", "units": -3}, Dropout()]}]
    with pytest.raises(InvalidSpecError) as error:
        ModelSpec(layers=layers)
    assert str(error.value) == "ModelSpec: layers[1].body[0].units: should be greater than or equal to 1, got -3"


def test_problems_in_several_places_are_all_located_and_nothing_else_is_said():
    layers = [{"type": "dense", "units": 0}, {"type": "sequential", "body": ["rulu", {"type": "dropout", "rte": 1}]}]
    paths = [path for path, _ in problems_of(lambda: ModelSpec(layers=layers, optimizer={"type": "adam", "beta_1": 1}))]
    assert paths == ["layers[0].units", "layers[1].body[0]", "layers[1].body[1]", "optimizer.beta_1"]


@pytest.mark.parametrize("container", [Residual, Sequential, Parallel])
def test_a_container_wants_at_least_one_layer(container: type):
    ((path, text),) = problems_of(lambda: container([]))
    assert path == field_names(container)[0]
    assert "at least 1 item" in text


def test_a_class_defined_after_the_container_fits_into_it(site: Site):
    site.wobble("acme-layers", "acme")
    block = Residual([{"type": "wobble", "slope": 2}])
    assert dump(block) == {"type": "residual", "body": ({"type": "acme-layers:wobble", "slope": 2.0},)}


def test_a_new_container_class_holds_old_and_new_components():
    class Pair(Sequential):
        second: Slot[Module] = default(ReLU())

    assert Pair(["tanh"], second={"type": Pair, "body": [Dense(3)]}).second.body == (Dense(3),)


def test_only_registered_classes_can_be_written_down():
    with pytest.raises(RegistryError, match=r"Knob has no registered name.*modnet\.register\(Knob\)"):
        dump(Knob(3))


# Names of layers


@pytest.mark.parametrize("name", ["trunk", "block_2", "é"])
def test_layers_may_have_a_name(name: str):
    for layer in (Dense(3, name=name), Dropout(name=name), ReLU(name=name), Sequential(["relu"], name=name)):
        assert layer.name == name


def test_a_name_goes_by_keyword_only():
    assert problems_of(lambda: Dropout(0.5, "trunk"))[0][1].startswith("takes at most rate by position")
    assert field_names(Dense)[0] == "units"
    assert field_names(Dense)[-1] == "name"


@pytest.mark.parametrize("name", ["", "all", "a__b", "a b", "2nd", "_a", "a_", "a.b", "-1"])
def test_a_name_that_would_not_work_as_a_part_of_parameter_names_is_refused(name: str):
    ((path, text),) = problems_of(lambda: Dense(3, name=name))
    assert path == "name"
    assert "should be an identifier without double underscores" in text
    assert text.endswith(f"got {name!r}")


# Other processes

NOTEBOOK = """
import numpy as np
from modnet import Activation

class Square(Activation):
    power: float = 2.0
    def f(self, z, *, out=None):
        return np.power(z, self.power, out=out)
    def df(self, z, a, da, *, out=None):
        return np.multiply(da, self.power * z, out=out)
"""


@pytest.fixture
def notebook(monkeypatch) -> ModuleType:
    """A stand-in for ``__main__``, whose classes other processes cannot import but have to be sent."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    exec(NOTEBOOK, vars(module))
    return module


def test_a_class_of_a_notebook_travels_by_cloudpickle(notebook: ModuleType):
    layer = Dense(3, notebook.Square(3.0))
    twin = cloudpickle.loads(cloudpickle.dumps(layer))
    assert twin.activation.power == 3.0
    np.testing.assert_array_equal(twin.activation.f(np.array([2.0])), [8.0])


def test_a_class_of_a_notebook_reaches_joblibs_workers_and_comes_back(notebook: ModuleType):
    layers = [Dense(3, notebook.Square(3.0)), Dense(4, notebook.Square())]
    cube = joblib.delayed(
        lambda layer: (layer, layer.activation.f(np.array([2.0])), dataclasses.replace(layer, units=7))
    )
    for layer, (same, powers, changed) in zip(layers, joblib.Parallel(n_jobs=2)(map(cube, layers)), strict=True):
        assert repr(same) == repr(layer)
        assert powers == 2.0**layer.activation.power
        assert (changed.units, changed.activation.power) == (7, layer.activation.power)

"""Nested parameters: paths into layers and optimizer are read, set by copy-on-write, and survive a clone."""

import copy
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor
from modnet.activations import ReLU, Tanh
from modnet.initializers import HeNormal, Zeros
from modnet.layers import Dense, Dropout, Parallel, Residual, Sequential
from modnet.optimizers import SGD, Adam
from modnet.schedules import Constant

BLOCK = Residual([Dense(8, "tanh"), Dropout(0.1), Dense(4)], name="block")


def set_layers(layers, **params):
    """The layers of a classifier after set_params."""
    return (
        ModNetClassifier(layers=layers).set_params(**{f"layers__{key}": value for key, value in params.items()}).layers
    )


# Reading


def test_deep_parameters_reach_into_every_component():
    params = ModNetClassifier(layers=[10, "dropout", BLOCK], optimizer=SGD(schedule=Constant())).get_params()
    assert params["layers__0"] == params["layers__0__units"] == 10
    assert params["layers__1__rate"] == 0.5
    assert params["layers__2__name"] == "block"
    assert params["layers__2__body__0__units"] == 8
    assert params["layers__2__body__0__activation"] == Tanh()
    assert params["layers__2__body__0__activation__name"] is None
    assert params["layers__2__body__2__kernel_initializer__gain"] == 1.0
    assert params["optimizer__learning_rate"] == 0.01
    assert params["optimizer__schedule"] == Constant()


def test_shallow_parameters_are_the_arguments_themselves():
    layers = [10, BLOCK]
    model = ModNetClassifier(layers=layers)
    assert set(model.get_params(deep=False)) == {key for key in model.get_params() if "__" not in key}
    assert model.get_params(deep=False)["layers"] is model.get_params()["layers"] is model.layers is layers


@pytest.mark.parametrize(
    "garbage", [None, -1, 3.5, "nonsense", object(), [None], [[3]], {}, {"type": 3}, np.zeros(3), True]
)
def test_parameters_that_make_no_sense_can_be_listed(garbage):
    model = ModNetClassifier(layers=garbage, activation=garbage, loss=garbage, optimizer=garbage)
    assert model.get_params()["layers"] is garbage
    assert clone(model).get_params(deep=False).keys() == model.get_params(deep=False).keys()


# Setting


def test_units_of_a_bare_number_stay_a_bare_number():
    assert set_layers((100, 50), **{"0__units": 20}) == (20, 50)
    assert type(set_layers([100], **{"0__units": 20})) is list
    assert set_layers(100, units=20) == 20


def test_another_field_of_a_bare_number_makes_it_the_layer_that_it_stands_for():
    (layer,) = set_layers((100,), **{"0__kernel_initializer": "he_normal"})
    assert layer == Dense(100, "relu", kernel_initializer=HeNormal())


def test_layers_are_counted_from_the_end_too():
    assert set_layers([Dense(1), Dropout(), 3], **{"-1__units": 9, "-2__rate": 0.1}) == [Dense(1), Dropout(0.1), 9]


def test_all_reaches_every_layer_that_has_the_field():
    layers = set_layers([Dense(1), "dropout", 3, BLOCK], all__units=9)
    assert layers == [Dense(9), "dropout", 9, BLOCK]
    assert set_layers([Dense(1), "dropout"], all__rate=0.25) == [Dense(1), Dropout(0.25)]


def test_layers_are_found_by_their_names():
    layers = [3, Dense(5, name="trunk"), {"type": "dropout", "name": "noise"}]
    changed = set_layers(layers, trunk__units=7, noise__rate=0.1)
    assert changed == [3, Dense(7, name="trunk"), Dropout(0.1, name="noise")]


def test_paths_go_as_deep_as_components_do():
    (block,) = set_layers(
        [BLOCK], **{"0__body__0__units": 16, "0__body__all__use_bias": False, "0__body__-1__units": 2}
    )
    assert block.body == (Dense(16, "tanh", use_bias=False), Dropout(0.1), Dense(2, use_bias=False))
    assert block.name == "block"
    nested = Parallel([Sequential([BLOCK]), "tanh"])
    (changed,) = set_layers([nested], **{"0__branches__0__body__block__body__1__rate": 0.9})
    assert changed.branches[0].body[0].body[1] == Dropout(0.9)


def test_a_field_inside_a_composite_takes_a_component_a_name_or_a_mapping():
    for tanh in (Tanh(), "tanh", {"type": "tanh"}):
        (block,) = set_layers([BLOCK], **{"0__body__2__activation": tanh, "0__body__1": tanh})
        assert block.body == (Dense(8, "tanh"), Tanh(), Dense(4, "tanh"))


def test_whole_layers_can_be_replaced_in_their_place():
    assert set_layers((100, "tanh"), **{"1": Dropout(0.1), "0": 7}) == (7, Dropout(0.1))


def test_a_name_becomes_an_instance_when_a_field_of_it_is_set():
    model = ModNetClassifier(optimizer="sgd", activation="relu")
    assert model.set_params(optimizer__learning_rate=0.5).optimizer == SGD(0.5)
    assert model.set_params(optimizer__momentum=0.9).optimizer == SGD(0.5, 0.9)
    assert model.set_params(optimizer__schedule="constant").optimizer == SGD(0.5, 0.9, schedule=Constant())


def test_a_name_that_lacks_a_field_is_completed():
    (layer,) = set_layers(["dense"], **{"0__units": 5, "0__activation": "tanh"})
    model = ModNetClassifier(layers=[layer])
    assert model.to_spec().layers == (Dense(5, "tanh"),)


@pytest.mark.parametrize(
    "layers", [(100, "dropout"), ["dropout", {"type": "dense", "units": 3}], [BLOCK, ReLU()], "tanh"]
)
def test_setting_every_parameter_to_what_it_is_leaves_all_shorthands_alone(layers):
    model = ModNetClassifier(layers=layers, optimizer="adam", loss={"type": "cross_entropy"})
    before = repr(model.get_params())
    for key, value in model.get_params().items():
        model.set_params(**{key: value})
        assert repr(model.get_params()) == before, key


def test_whole_parameters_are_set_before_what_lies_inside_them():
    for order in itertools.permutations(
        {"layers": [5, "dropout"], "layers__0__units": 6, "layers__1": Dropout(0.1), "layers__1__rate": 0.2}.items()
    ):
        assert ModNetClassifier().set_params(**dict(order)).layers == [6, Dropout(0.2)]


@pytest.mark.parametrize(
    ("start", "params"),
    [
        ({"layers": (3, 4)}, {"layers__all__units": 9, "layers__0__units": 5}),
        ({"layers": [Dense(3, name="allen"), Dense(4)]}, {"layers__all__units": 9, "layers__allen__units": 5}),
        (
            {"layers": [BLOCK]},
            {"layers__0__body__0__units": 9, "layers__0__name": "b", "layers__0__body__0": Dense(2)},
        ),
        ({"layers": (3,)}, {"activation": "tanh", "layers__0__use_bias": False}),
        ({"optimizer": "sgd"}, {"optimizer__nesterov": True, "optimizer__momentum": 0.9}),
        ({"optimizer": SGD(momentum=0.9, nesterov=True)}, {"optimizer__nesterov": False, "optimizer__momentum": 0.0}),
        ({}, {"optimizer": SGD(), "optimizer__momentum": 0.5, "optimizer__schedule": "constant"}),
    ],
)
def test_the_order_of_arguments_does_not_matter(start, params):
    results = {
        repr(ModNetClassifier(**start).set_params(**dict(order)).get_params())
        for order in itertools.permutations(params.items())
    }
    assert len(results) == 1


def test_a_list_of_one_call_is_the_same_as_calls_one_after_the_other():
    both = ModNetRegressor(layers=(3, "dropout")).set_params(layers__0__units=5, layers__1__rate=0.1)
    single = ModNetRegressor(layers=(3, "dropout")).set_params(layers__0__units=5).set_params(layers__1__rate=0.1)
    assert both.layers == single.layers == (5, Dropout(0.1))


# Copy-on-write


def test_nothing_that_the_user_holds_is_changed():
    shared, mapping = Dense(5), {"type": "dropout", "rate": 0.5}
    layers = [10, shared, mapping, BLOCK]
    before = copy.deepcopy(layers)
    model, other = ModNetClassifier(layers=layers), ModNetRegressor(layers=layers)
    model.set_params(layers__0__units=1, layers__1__units=1, layers__2__rate=0.1, layers__3__body__0__units=1)
    assert layers == before
    assert layers[1] is shared
    assert layers[2] is mapping
    assert other.layers is layers
    assert model.layers[1:3] == [Dense(1), Dropout(0.1)]


def test_what_is_not_touched_stays_the_same_object():
    layers = [BLOCK, Dense(5), {"type": "dropout"}]
    changed = set_layers(layers, **{"1__units": 6})
    assert changed[0] is BLOCK
    assert changed[2] is layers[2]


def test_a_clone_is_set_without_its_original():
    model = ModNetClassifier(layers=[BLOCK], optimizer=Adam())
    second = clone(model).set_params(layers__0__body__0__units=1, optimizer__learning_rate=1.0)
    assert model.layers == [BLOCK]
    assert model.optimizer == Adam()
    assert second.get_params() != model.get_params()


# Round trips

fields = st.fixed_dictionaries({"type": st.just("dense"), "units": st.integers(1, 9)})
components = st.recursive(
    st.builds(Dense, st.integers(1, 9), st.sampled_from([None, "relu", Tanh()]), bias_initializer=st.just(Zeros()))
    | st.builds(Dropout, st.sampled_from([0.1, 0.5]), name=st.sampled_from([None, "noise"]))
    | st.just(ReLU()),
    lambda inner: (
        st.builds(Residual, st.lists(inner, min_size=1, max_size=3))
        | st.builds(Parallel, st.lists(inner, min_size=1, max_size=2))
    ),
    max_leaves=4,
)
shorthands = (
    st.integers(1, 9) | st.sampled_from(["relu", "dropout", np.int64(3), {"type": "dropout", "rate": 0.2}]) | fields
)
lists = st.lists(shorthands | components, max_size=4)


@given(lists | lists.map(tuple), st.sampled_from(["relu", None, Tanh(), {"type": "tanh"}]))
def test_all_parameters_together_can_be_set_back(layers, activation):
    model = ModNetClassifier(layers=layers, activation=activation)
    params = model.get_params()
    assert repr(clone(model).set_params(**params).get_params()) == repr(params)
    assert repr(ModNetClassifier().set_params(**params).get_params()) == repr(params)
    assert repr(model.set_params().get_params()) == repr(params)


@given(lists)
def test_a_clone_has_the_same_parameters(layers):
    model = ModNetRegressor(layers=layers, random_state=3)
    second = clone(model)
    assert repr(second.get_params()) == repr(model.get_params())
    assert second.layers is not layers
    assert all(mine is theirs for mine, theirs in zip(layers, second.layers, strict=True) if isinstance(mine, Dense))


def test_paths_lead_through_pipelines():
    pipeline = make_pipeline(StandardScaler(), ModNetClassifier(layers=[BLOCK]))
    pipeline.set_params(modnetclassifier__layers__0__body__0__units=3)
    assert pipeline[-1].layers[0].body[0].units == 3
    assert clone(pipeline).get_params()["modnetclassifier__layers__0__body__0__units"] == 3

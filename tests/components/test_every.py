"""What holds for every component of every kind: it can be built, and it survives JSON, pickle and copying."""

import copy
import dataclasses
import pickle
from collections.abc import Callable

from modnet import Component, ModelSpec
from modnet.layers import Dense
from modnet.optimizers import SGD
from modnet.registry import Entry, registry

SPECS: dict[str, Callable[[Component], ModelSpec]] = {
    "module": lambda component: ModelSpec(layers=[component]),
    "activation": lambda component: ModelSpec(layers=[Dense(2, component)], output_activation=component),
    "loss": lambda component: ModelSpec(loss=component),
    "optimizer": lambda component: ModelSpec(optimizer=component),
    "solver": lambda component: ModelSpec(optimizer=component),
    "initializer": lambda component: ModelSpec(layers=[Dense(2, kernel_initializer=component)]),
    "schedule": lambda component: ModelSpec(optimizer=SGD(schedule=component)),
}


def test_every_kind_has_standard_components():
    kinds = {entry.kind for entry in registry.entries() if entry.distribution == "modnet-layers"}
    assert kinds >= {"module", "activation", "loss", "optimizer", "initializer", "schedule"}


def test_every_registered_component_can_be_built(entry: Entry, build):
    components = build(entry)
    assert components
    assert all(isinstance(component, registry.base(entry.kind)) for component in components)


def test_the_registry_knows_where_every_component_is_from(entry: Entry, build):
    assert {registry.entry_of(type(component)) for component in build(entry)} == {entry}


def test_different_arguments_make_different_components(entry: Entry, build):
    components = build(entry)
    assert len(set(components)) == len(components)


def test_json_brings_the_component_back(component):
    spec = SPECS[component.kind](component)
    again = ModelSpec.from_json(spec.to_json())
    assert again == spec
    assert again.to_json() == spec.to_json()


def test_pickle_brings_the_component_back(component):
    again = pickle.loads(pickle.dumps(component))
    assert again == component
    assert hash(again) == hash(component)
    assert repr(again) == repr(component)


def test_copies_are_equal(component):
    for again in (copy.copy(component), copy.deepcopy(component), dataclasses.replace(component)):
        assert again == component
        assert hash(again) == hash(component)


def test_repr_is_the_call_that_makes_the_component(component):
    names = {type(each).__name__: type(each) for each in _parts(component)}
    assert eval(repr(component), names) == component


def _parts(value):
    if isinstance(value, tuple):
        for each in value:
            yield from _parts(each)
    elif isinstance(value, Component):
        yield value
        for field in dataclasses.fields(value):
            yield from _parts(getattr(value, field.name))

"""What a module declares of an array: its first values and its constraint are named like any slot."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from modnet import Module, Network, Parameter
from modnet.constraints import MaxNorm, NonNegative
from modnet.errors import InvalidSpecError, ShapeError
from modnet.initializers import Constant, Ones


def test_first_values_and_constraint_are_named_described_or_given():
    named = Parameter((1, 3), "ones", constraint="non_negative")
    assert named == Parameter((1, 3), Ones(), constraint=NonNegative())
    described = Parameter((1, 3), {"type": "constant", "value": 2.0}, constraint={"type": "max_norm", "value": 1.0})
    assert described == Parameter((1, 3), Constant(2.0), constraint=MaxNorm(1.0))
    assert replace(pickle.loads(pickle.dumps(named)), trainable=False) == replace(named, trainable=False)


class Misshapen(Module):
    """A layer that asks for an array of the shape that it is given."""

    reads = frozenset()
    asks: Any = None

    def output_shape(self, input_shape):
        return input_shape

    def parameters(self, input_shape):
        return {"g": Parameter(self.asks, "ones")}

    def forward(self, ctx, x):
        return x

    def grad_input(self, ctx, dy):
        return dy


@pytest.mark.parametrize("shape", [(1, -3), "ab", 3, (1, 3.5), (1, None)], ids=repr)
def test_what_is_no_shape_is_refused_with_the_layer(shape):
    told = r"layers\[0\] \(Misshapen\): the shape of a Parameter should be a tuple of whole numbers ≥ 0, got"
    with pytest.raises(ShapeError, match=told):
        Network([Misshapen(shape)], (3,))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"initializer": "onse"}, "initializer: unknown initializer 'onse'; did you mean 'ones'"),
        ({"initializer": Ones}, r"initializer: should be an instance, not the class: write Ones\(...\)"),
        ({"initializer": NonNegative()}, "initializer: should be an initializer"),
        ({"initializer": "ones", "constraint": "relu"}, "constraint: unknown constraint 'relu'"),
    ],
)
def test_what_is_none_is_refused_by_name(given, told):
    with pytest.raises(InvalidSpecError, match=f"Parameter: {told}"):
        Parameter((1, 3), **given)

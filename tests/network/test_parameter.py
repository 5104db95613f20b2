"""What a module declares of an array: its first values and its constraint are named like any slot."""

import pickle
from dataclasses import replace

import pytest

from modnet import Parameter
from modnet.constraints import MaxNorm, NonNegative
from modnet.errors import InvalidSpecError
from modnet.initializers import Constant, Ones


def test_first_values_and_constraint_are_named_described_or_given():
    named = Parameter((1, 3), "ones", constraint="non_negative")
    assert named == Parameter((1, 3), Ones(), constraint=NonNegative())
    described = Parameter((1, 3), {"type": "constant", "value": 2.0}, constraint={"type": "max_norm", "value": 1.0})
    assert described == Parameter((1, 3), Constant(2.0), constraint=MaxNorm(1.0))
    assert replace(pickle.loads(pickle.dumps(named)), trainable=False) == replace(named, trainable=False)


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

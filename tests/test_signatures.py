"""What a person reads: signatures and `help` of components and estimators."""

import inspect
import pydoc
import re

import pytest

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, Module, Slot, default
from modnet.errors import InvalidSpecError
from modnet.layers import Dense
from modnet.registry import registry


def test_the_signature_of_a_component_is_its_fields_and_their_defaults():
    assert str(inspect.signature(Dense)) == (
        "(units, activation=None, use_bias=True, kernel_initializer=GlorotUniform(), bias_initializer=Zeros(), "
        "kernel_constraint=None, *, name=None)"
    )


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor, ModNetTransformer])
def test_the_signature_of_an_estimator_is_its_parameters_and_their_defaults(cls: type):
    shown = "(layers=(128, 128), activation='relu', *, inputs='table', output='affine', output_activation=None, loss="
    assert str(inspect.signature(cls)).startswith(shown)


def test_no_component_shows_types_in_its_signature():
    classes = [cls for _, cls in registry.classes() if isinstance(cls, type)]
    assert not [cls for cls in classes if re.search(r"typing|Annotated|: ", str(inspect.signature(cls)))]


def test_help_shows_fields_and_methods_and_no_machinery():
    text = pydoc.plain(pydoc.render_doc(Dense))
    assert "Dense(units, activation=None" in text
    assert "Return z = x W + b." in text
    assert not re.findall(r"__\w+__", text)


def test_a_slot_of_a_class_takes_that_class_only():
    class Headed(Module):
        head: Slot[Dense | None] = default(None)
        output_shape = forward = grad_input = Dense.output_shape

    assert Headed().head is None
    assert Headed({"type": "dense", "units": 3}).head == Dense(3)
    for wrong in ("dropout", {"type": "dropout"}):
        with pytest.raises(InvalidSpecError, match=r"head: .*should be the name of a Dense"):
            Headed(wrong)
    with pytest.raises(TypeError, match=r"Slot\[...\] needs the class of a component"):
        Slot[int]

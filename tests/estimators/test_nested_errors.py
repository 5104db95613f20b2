"""Nested parameters that do not exist are refused and nothing is set; values that do not fit wait for ``fit``."""

import numpy as np
import pytest
from sklearn.base import clone

from modnet import ModNetClassifier
from modnet.activations import Tanh
from modnet.errors import InvalidSpecError
from modnet.layers import Dense, Dropout, Residual
from modnet.optimizers import SGD

X, y = np.eye(4), np.array([0, 1, 0, 1])


def refusal(params: dict, **start) -> str:
    model = ModNetClassifier(**start)
    before = repr(model.get_params())
    with pytest.raises(ValueError) as error:
        model.set_params(max_iter=7, **params)
    assert repr(model.get_params()) == before
    return str(error.value)


# Paths that lead nowhere


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("layrs", "layers"),
        ("layers__0__unitz", "layers__0__units"),
        ("optimizer__lerning_rate", "optimizer__learning_rate"),
        ("layers__1__body__0__unit", "layers__1__body__0__units"),
        ("layers__7__units", "layers__0__units"),
    ],
)
def test_an_unknown_path_is_refused_in_scikit_learns_words_with_a_suggestion(key: str, suggestion: str):
    text = refusal({key: 3}, layers=[5, Residual([Dense(4)])])
    assert text.startswith(f"Invalid parameter {key!r} for estimator ModNetClassifier(layers=[5, Residual(")
    assert "Valid parameters are: ['accelerator', 'activation', 'alpha', 'batch_size'," in text
    assert f"Did you mean {suggestion!r}?" in text


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("layers__0__unitz", "layers__0: no field 'unitz'; did you mean 'units'? Dense has units, activation"),
        ("layers__2__rate", "layers__2: there are 2 layers, 0 to 1"),
        ("layers__-3__units", "layers__-3: there are 2 layers, 0 to 1"),
        ("layers__trunk__units", "layers__trunk: an index, 'all' or the name of a layer"),
        ("layers__all__rate", "layers__all: none of the 2 layers has a field 'rate'"),
        ("layers__0__units__x", "units is 5, which has no parameter 'x'"),
        ("layers__0__activation__slope", "layers__0__activation: no field 'slope'; ReLU has name"),
        ("layers__1__body__0__activation__slope", "activation is None, which has no parameter 'slope'"),
        ("optimizer__momentum", "optimizer: no field 'momentum'; did you mean 'beta_1'? Adam has learning_rate"),
        ("output_activation__name", "output_activation is None, which has no parameter 'name'"),
        ("loss__link", "loss is 'auto', which has no parameter 'link'"),
    ],
)
def test_a_refusal_says_what_is_there(key: str, reason: str):
    assert reason in refusal({key: 3}, layers=[5, Residual([Dense(4)])])


@pytest.mark.parametrize(
    "key", ["alpha__x", "layers__", "layers__0__", "layers__--1__units", "__layers", "", "layers__²"]
)
def test_what_is_no_path_is_refused(key: str):
    text = refusal({key: 3})
    assert text.startswith(f"Invalid parameter {key!r} for estimator ModNetClassifier()")
    assert "int()" not in text


def test_a_missing_layer_is_counted_in_plain_words():
    assert "0 to -1" not in refusal({"layers__0__units": 3}, layers=())
    assert "are 1 layers" not in refusal({"layers__1__units": 3}, layers=(5,))


def test_all_without_a_field_is_refused():
    assert "layers__all" in refusal({"layers__all": 3})
    assert "a field ''" not in refusal({"layers__all": 3})


def test_a_name_that_two_layers_have_is_refused():
    layers = [Dense(3, name="second"), Dense(4, name="second")]
    assert "2 has that name" not in refusal({"layers__twin__units": 3}, layers=layers)
    assert "layers__twin" in refusal({"layers__twin__units": 3}, layers=layers)


def test_nothing_is_set_if_one_of_several_is_wrong():
    layers = [5, Dropout()]
    refusal({"layers__0__units": 6, "optimizer": SGD(), "layers__1__rat": 0.1}, layers=layers)
    assert layers == [5, Dropout()]


# Values that do not fit


@pytest.mark.parametrize(
    ("start", "key", "value", "path", "reason"),
    [
        ((5,), "layers__0__units", -1, "layers[0].units", "greater than or equal to 1, got -1"),
        ([Dense(5)], "layers__0__units", -1, "layers[0].units", "greater than or equal to 1, got -1"),
        ([Dense(5)], "layers__0__units", "many", "layers[0].units", "whole number"),
        (["dense"], "layers__0__units", 0, "layers[0].units", "greater than or equal to 1, got 0"),
        ([Dense(5)], "layers__0__activation", "rulu", "layers[0].activation", "did you mean 'relu'?"),
        ([5, "dropout"], "layers__-1__rate", 1.5, "layers[1].rate", "less than 1, got 1.5"),
        ([5, "dropout"], "layers__1", 3.5, "layers[1].units", "got 3.5"),
        ([Residual([Dense(4)])], "layers__0__body__0__units", -1, "layers[0].body[0].units", "got -1"),
        (
            [Residual([Dense(4, Tanh())])],
            "layers__0__body__0__activation__name",
            3,
            "layers[0].body[0].activation.name",
            "3",
        ),
        ([Residual([Dense(4)])], "layers__0__body", 3, "layers[0].body", "got 3"),
        ((5,), "layers", 3.5, "layers", "got 3.5"),
        ((5,), "optimizer__learning_rate", -1, "optimizer.learning_rate", "greater than 0, got -1"),
        ((5,), "optimizer__schedule", "nonsense", "optimizer.schedule", "unknown schedule 'nonsense'"),
        ((5,), "loss", 3, "loss", "got 3"),
        ((5,), "activation", "rulu", "activation", "did you mean 'relu'?"),
        ((5,), "output_activation", Dense(3), "output_activation", "got Dense(units=3)"),
        ((5,), "max_iter", 0, "max_iter", "greater than or equal to 1, got 0"),
        ((5,), "batch_size", "all", "batch_size", "got 'all'"),
        ((5,), "validation_fraction", 1, "validation_fraction", "less than 1, got 1"),
        ((5,), "shuffle", "maybe", "shuffle", "True or False"),
        ((5,), "tol", True, "tol", "a number, got True"),
    ],
)
def test_a_value_that_does_not_fit_is_reported_by_fit_with_its_path(start, key: str, value, path: str, reason: str):
    model = clone(ModNetClassifier(layers=start).set_params(**{key: value}))
    with pytest.raises(InvalidSpecError) as error:
        model.fit(X, y)
    ((found, text),) = error.value.problems
    assert found == path
    assert reason in text
    assert str(error.value).startswith(f"ModNetClassifier: {path}: ")


def test_a_value_can_be_put_right_again():
    model = ModNetClassifier(layers=[Residual([Dense(4)])], optimizer="sgd")
    before = repr(model.to_spec())
    model.set_params(layers__0__body__0__units=-1, optimizer__learning_rate=-1)
    model.set_params(layers__0__body__0__units=4, optimizer__learning_rate=0.01)
    assert repr(model.to_spec()) == before
    assert model.get_params()["layers__0__body__0__units"] == 4


def test_problems_of_several_parameters_are_reported_at_once():
    model = ModNetClassifier(layers=(0, "tnh"), activation="rulu", loss=3, max_iter=-1)
    with pytest.raises(InvalidSpecError) as error:
        model.fit(X, y)
    assert {path for path, _ in error.value.problems} >= {"layers[1]", "loss", "max_iter", "activation"}


@pytest.mark.parametrize("value", [-1, 3.0, "helloworld", np.array(1.0), [1], {}, []])
def test_set_params_never_minds_a_value(value):
    for key in ModNetClassifier(layers=[5, Residual([Dense(4)])], optimizer=SGD()).get_params():
        ModNetClassifier(layers=[5, Residual([Dense(4)])], optimizer=SGD()).set_params(**{key: value}).get_params()

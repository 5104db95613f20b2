"""Arguments of other libraries' networks: an estimator says where what they stand for goes."""

import re
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.neural_network import MLPClassifier, MLPRegressor

ESTIMATORS = (ModNetClassifier, ModNetRegressor, ModNetTransformer)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("argument", "value", "place"),
    [
        ("learning_rate", 0.1, 'optimizer={"type": "adam", "learning_rate": 0.1}'),
        ("learning_rate", 0.1, "optimizer__learning_rate"),
        ("lr", 0.1, '"learning_rate": 0.1'),
        ("hidden_layer_sizes", (64, 32), "layers=(64, 32)"),
        ("hidden_layer_sizes", 64, "layers=(64,)"),
        ("hidden_dims", [64, 32], "layers=[64, 32]"),
        ("dropout", 0.2, '{"type": "dropout", "rate": 0.2}'),
        ("batch_norm", True, '"batch_norm"'),
        ("weight_decay", 0.1, '"weight_decay": 0.1'),
        ("epochs", 5, "max_iter=5"),
        ("n_epochs", 5, "max_iter=5"),
        ("validation_split", 0.2, "validation_fraction=0.2"),
        ("solver", "sgd", "optimizer='sgd'"),
        ("patience", 3, "n_iter_no_change=3"),
        ("seed", 1, "random_state=1"),
        ("l1", 0.1, "alpha=0.1, l1_ratio=1.0"),
        ("callbacks", [], "set_callbacks"),
        ("validation_data", (), "X_val="),
        ("max_iters", 5, "max_iter=5"),
        ("precision", 32, "dtype= of an estimator takes 'float32'"),
        ("kernel_regularizer", "l2", "alpha= and l1_ratio= of an estimator penalize weights"),
        ("n_estimators", 5, "an ensemble has it: TabularClassifier"),
        ("optimizer__lr", 0.1, 'optimizer={"type": "adam", "learning_rate": 0.1}'),
        ("iterator_train__shuffle", False, "write shuffle=False"),
        ("module__units", 5, "layers=(5,)"),
        ("early_stopping_rounds", 5, "n_iter_no_change=5"),
        ("gradient_clip_val", 0.5, '"clip_norm": 0.5'),
        ("train_split", 0.2, "validation_fraction=0.2"),
        ("kernel_initializer", "he_normal", "\"kernel_initializer\": 'he_normal'"),
    ],
)
def test_an_argument_of_another_library_is_told_where_it_goes(estimator: Any, argument: str, value: Any, place: str):
    with pytest.raises(TypeError) as error:
        estimator(**{argument: value})
    begin = f"{estimator.__name__}.__init__() got an unexpected keyword argument {argument!r}: "
    assert str(error.value).startswith(begin)
    assert place in str(error.value)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("learning_rate", 0.1),
        *(("momentum", 0.5), ("beta_1", 0.5), ("clip_norm", 1.0), ("ema", 0.9), ("schedule", "cosine")),
        *(("label_smoothing", 0.1), ("kernel_initializer", "he_normal"), ("max_grad_norm", 1.0)),
        *(("max_fun", 3), ("nesterovs_momentum", False), ("power_t", 0.5)),
        *(("dropout", 0.2), ("batch_norm", True), ("layer_norm", True), ("n_layers", 2), ("units", 7), ("l2", 0.1)),
    ],
)
def test_what_is_told_to_be_written_is_accepted(argument: str, value: Any):
    with pytest.raises(TypeError) as error:
        ModNetRegressor(**{argument: value})
    written = str(error.value).partition(": write ")[2].partition(", which")[0].partition(", a number")[0]
    eval(f"ModNetRegressor({written})").to_spec()


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(
    ("argument", "place"),
    [
        *(("lr", "write learning_rate_init=7"), ("epochs", "write max_iter=7")),
        *(("layers", "write hidden_layer_sizes=7"), ("optimizer", "write solver=7")),
    ],
)
def test_a_drop_in_says_its_own_arguments_in_its_own_name(cls: Any, argument: str, place: str):
    text = rf"^{cls.__name__}.__init__\(\) got an unexpected keyword argument '{argument}': {re.escape(place)}$"
    with pytest.raises(TypeError, match=text):
        cls(**{argument: 7})


def test_a_parameter_that_is_set_by_another_name_is_suggested():
    for brought, ours in {
        "lr": "optimizer__learning_rate",
        "epochs": "max_iter",
        "hidden_layer_sizes": "layers",
        "optimizer__lr": "optimizer__learning_rate",
        "iterator_train__shuffle": "shuffle",
    }.items():
        with pytest.raises(ValueError, match=f"Did you mean '{ours}'"):
            ModNetClassifier().set_params(**{brought: 1})


def test_fields_of_the_optimizer_that_auto_stands_for_can_be_set():
    model = ModNetClassifier().set_params(optimizer__learning_rate=0.1)
    assert (model.optimizer.learning_rate, model.optimizer.beta_2) == (0.1, 0.95)


def test_what_is_like_nothing_is_answered_with_all_there_is():
    with pytest.raises(TypeError, match="'qqqq': there are accelerator, activation, alpha"):
        ModNetClassifier(qqqq=1)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_parameters_are_stored_as_they_are(estimator: Any):
    layers = np.array([3, 4])
    model = estimator(layers, "tanh", alpha=0.5)
    assert model.layers is layers
    assert clone(model).alpha == 0.5

"""Networks made sick on purpose: what is wrong is found, with the numbers, and nothing else is."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor
from modnet.diagnosis import Finding, diagnose
from modnet.layers import Dense
from modnet.neural_network import MLPRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.slow,  # each trains a network that is ill, or well, for a while
]

PLAIN = {**CLASSIC, "batch_size": 200}


def only(found: list[Finding]) -> Finding:
    """Return the one finding."""
    assert [finding.check for finding in found] == [found[0].check]
    return found[0]


@pytest.fixture
def classifier(digits) -> ModNetClassifier:
    """A sound one, of 100 ReLUs."""
    return ModNetClassifier((100,), max_iter=30, random_state=0).fit(*digits)


# Units


def test_a_bias_of_minus_100_kills_a_layer(classifier, digits, weights):
    weights(classifier)["layers[0].b"][...] = -100
    finding = only(diagnose(classifier, *digits))
    assert (finding.check, finding.severity) == ("dead-units", "problem")
    assert finding.subject == "layers[0].activation (ReLU)"
    assert "100 of 100 units (100%) are 0 on all 800 rows; nothing gets through" in finding.found
    assert "leaky_relu" in finding.remedy


def test_a_bias_of_minus_100_kills_some_units(classifier, digits, weights):
    weights(classifier)["layers[0].b"][0, :30] = -100
    finding = only(diagnose(classifier, *digits))
    assert (finding.check, finding.severity) == ("dead-units", "note")
    assert "30 of 100 units (30%) are 0 on all 800 rows, 30 of them with inputs far below" in finding.found


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_weights_a_hundred_times_as_large_saturate_a_layer(moons, weights, activation: str):
    model = ModNetClassifier((32, 32), activation, random_state=0).fit(*moons)
    weights(model)["layers[1].W"][...] *= 100
    finding = only(diagnose(model, *moons))
    assert (finding.check, finding.severity) == ("saturated-units", "problem")
    assert finding.subject.startswith("layers[1].activation")
    assert "of 32 units" in finding.found


def test_a_learning_rate_that_kills_units_shows_in_the_trial(digits):
    quick = {"type": "adam", "learning_rate": 1.0}
    model = ModNetClassifier((64, 64), **{**PLAIN, "optimizer": quick}, random_state=0)
    finding = next(finding for finding in diagnose(model, *digits) if finding.check == "dead-units")
    assert "after 20 epochs" in finding.found
    assert "lower the learning rate" in finding.remedy


# Gradients


def test_the_gradient_vanishes_in_twenty_layers_of_sigmoids(digits):
    model = ModNetClassifier([Dense(32, "sigmoid") for _ in range(20)], max_iter=2, random_state=0)
    for found in (diagnose(model, *digits), diagnose(model.fit(*digits), *digits)):
        finding = only(found)
        assert (finding.check, finding.severity) == ("vanishing-gradient", "problem")
        assert finding.subject == "layers[0] to output"
        assert "‖∂J/∂θ‖" in finding.found
        assert "batch_norm" in finding.remedy


def test_signals_explode_when_every_layer_amplifies(digits):
    large = {"type": "normal", "stddev": 2.0}
    model = ModNetClassifier([Dense(32, "relu", kernel_initializer=large) for _ in range(6)], random_state=0)
    finding = diagnose(model, *digits)[0]
    assert (finding.check, finding.severity) == ("exploding-gradient", "problem")
    assert "smaller weights" in finding.remedy


def test_numbers_beyond_those_of_float32_are_named_by_the_first_layer_that_makes_them(digits):
    X, y = digits
    huge = {"type": "normal", "stddev": 1e6}
    model = ModNetClassifier([Dense(32, "relu", kernel_initializer=huge) for _ in range(8)], random_state=0)
    first, *_ = diagnose(model, X.astype(np.float32), y)
    assert (first.check, first.severity) == ("loss-not-finite", "problem")
    assert first.subject.startswith("layers[")


# Data


@pytest.mark.parametrize("fitted", [True, False])
def test_one_column_a_hundred_thousand_times_as_large(digits, fitted: bool):
    X, y = digits[0].copy(), digits[1]
    X[:, 5] *= 1e5
    model = ModNetClassifier((100,), **{**PLAIN, "max_iter": 5}, random_state=0)
    finding = only(diagnose(model.fit(X, y) if fitted else model, X, y))
    assert (finding.check, finding.severity, finding.subject) == ("scale-spread", "problem", "X")
    assert "factor of 1e+05: largest in column 5 (1e+05)" in finding.found
    assert "StandardScaler" in finding.remedy


def test_a_column_far_from_zero(moons):
    X, y = moons
    found = diagnose(ModNetClassifier(inputs=None, random_state=0), X + np.array([0, 2000]), y)
    finding = next(finding for finding in found if finding.check == "scale-offset")
    assert finding.severity == "problem"
    assert "1 column far from zero" in finding.found
    assert "column 1" in finding.found


def test_columns_that_are_all_too_large(moons):
    X, y = moons
    assert diagnose(ModNetClassifier(inputs=None, random_state=0), X * 1e4, y)[0].check == "scale-size"


def test_a_plan_for_columns_scales_them(moons):
    X, y = moons
    assert diagnose(ModNetClassifier(random_state=0), X * [1e9, 1e4] + [0, 2e7], y) == []


def test_missing_values_are_counted_by_column_and_the_other_rows_looked_at(digits):
    X, y = digits[0].copy(), digits[1]
    X[3, 4], X[5:9, 7] = np.nan, np.inf
    finding = only(diagnose(ModNetClassifier(random_state=0), X, y))
    assert (finding.check, finding.severity) == ("missing-values", "problem")
    assert "5 values missing or infinite in 5 rows: column 7 (4), column 4 (1)" in finding.found


def test_a_column_that_says_nothing(moons):
    X, y = moons
    finding = only(diagnose(ModNetClassifier(random_state=0), np.insert(X, 1, 3.5, axis=1), y))
    assert (finding.check, finding.severity) == ("constant-columns", "note")
    assert "1 column with one value in all rows: column 1 (3.5)" in finding.found


# The target


def test_a_target_that_is_not_scaled():
    X, y = load_diabetes(return_X_y=True)
    model = ModNetRegressor((100,), **PLAIN, random_state=0)
    assert "mean 152, standard deviation 77" in only(diagnose(model, X, y)).found
    finding = diagnose(model.fit(X, y), X, y)[0]
    assert (finding.check, finding.severity, finding.subject) == ("target-scale", "problem", "y")
    assert "explains 0% of the variance" in finding.found
    assert "scale_target=True" in finding.remedy
    model = ModNetRegressor(random_state=0)
    assert diagnose(model, X, y) == diagnose(model.fit(X, y), X, y) == []


def test_a_target_so_small_that_tol_ends_training(diabetes):
    X, y = diabetes
    model = ModNetRegressor((100,), **PLAIN, random_state=0).fit(X, y / 1000)
    assert only(diagnose(model, X, y / 1000)).check == "target-scale"


def test_counts_are_not_to_be_scaled():
    X, y = load_diabetes(return_X_y=True)
    assert "target-scale" not in {finding.check for finding in diagnose(ModNetRegressor(loss="poisson"), X, y)}


def test_a_rare_class(moons):
    X, y = moons
    kept = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:8]])
    finding = only(diagnose(ModNetClassifier((100,), random_state=0), X[kept], y[kept]))
    assert (finding.check, finding.severity, finding.subject) == ("class-imbalance", "note", "y")
    assert "class 0 comes 31 times as often as the rarest: 250 rows against 1 (8)" in finding.found
    assert diagnose(ModNetClassifier(class_weight="balanced", random_state=0), X[kept], y[kept]) == []


@pytest.mark.parametrize("labels", [2, 10], ids=["label matrix", "columns of classes"])
def test_a_rare_class_in_one_of_several_columns(digits, labels: int):
    X, y = digits
    other = np.where(np.arange(len(y)) < 20, 1, 0)
    several = np.column_stack([y % 2 if labels == 2 else y, other])
    finding = only(diagnose(ModNetClassifier(max_iter=5, random_state=0), X, several))
    assert (finding.check, finding.subject) == ("class-imbalance", "y[:, 1]")


def test_a_missing_target(diabetes):
    X, y = diabetes[0], diabetes[1].copy()
    y[3] = np.nan
    finding = only(diagnose(ModNetRegressor(random_state=0), X, y))
    assert (finding.check, finding.subject) == ("missing-targets", "y")


# Training


@pytest.mark.parametrize("model", [ModNetRegressor((64, 64)), MLPRegressor(hidden_layer_sizes=(64, 64))])
def test_a_learning_rate_that_blows_up(diabetes, model):
    if isinstance(model, MLPRegressor):
        model.set_params(solver="sgd", learning_rate_init=10.0, random_state=0)
    else:
        settings = {**CLASSIC, "optimizer": {"type": "sgd", "learning_rate": 10.0}}
        model.set_params(**settings, random_state=0)
    finding = only(diagnose(model, *diabetes))
    assert (finding.check, finding.severity) == ("loss-not-finite", "problem")
    assert "epoch" in finding.found
    assert "learning rate that is too large (10: try 1)" in finding.remedy


def test_a_learning_rate_that_makes_the_loss_rise(digits):
    settings = {**PLAIN, "optimizer": {"type": "sgd", "learning_rate": 5.0}}
    model = ModNetClassifier((100,), loss="cross_entropy", **settings, random_state=0)
    finding = only(diagnose(model, *digits))
    assert (finding.check, finding.severity, finding.subject) == ("learning-rate", "problem", "loss_curve_")
    assert "5, try 0.5" in finding.remedy


def test_a_validation_loss_that_rises(digits):
    X, y = digits
    noisy = X[300:] + np.random.default_rng(0).normal(scale=2, size=X[300:].shape)
    model = ModNetClassifier((50, 50), loss="cross_entropy", **{**PLAIN, "max_iter": 60}, random_state=0)
    model.fit(X[:300], y[:300], X_val=noisy, y_val=y[300:])
    finding = next(finding for finding in diagnose(model, X[:300], y[:300]) if finding.check == "overfitting")
    assert (finding.severity, finding.subject) == ("note", "validation_loss_curve_")
    assert "early_stopping=True" in finding.remedy


# The network


@pytest.mark.filterwarnings("ignore:layers")
@pytest.mark.parametrize("fitted", [False, True])
def test_a_softmax_in_front_of_the_output_layer_is_found(digits, fitted: bool):
    model = ModNetClassifier((32, Dense(10, "softmax")), max_iter=5, random_state=0)
    found = diagnose(model.fit(*digits) if fitted else model, *digits)
    finding = next(finding for finding in found if finding.check == "second-link")
    assert (finding.severity, finding.subject) == ("problem", "layers[1].activation (Softmax)")
    assert "as many columns as there are classes (10)" in finding.found
    assert finding.remedy == "leave this layer out"

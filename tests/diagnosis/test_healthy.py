"""Networks that learn: nothing is found, before they are fitted and after."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor
from modnet.diagnosis import diagnose
from modnet.layers import Dense, Dropout, LayerNorm, Residual

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.slow,  # each trains a network that is ill, or well, for a while
]


@pytest.mark.parametrize("seed", range(3))
def test_digits_with_the_default_network(digits, seed: int):
    model = ModNetClassifier(random_state=seed)
    assert diagnose(model, *digits) == []
    assert diagnose(model.fit(*digits), *digits) == []


def test_diabetes(diabetes):
    model = ModNetRegressor(random_state=0)
    assert diagnose(model, *diabetes) == []
    assert diagnose(model.fit(*diabetes), *diabetes) == []


def test_a_cool_down_that_goes_back_behind_a_scout_that_has_overfitted(diabetes):
    quick = {"type": "adamw", "learning_rate": 0.003}
    model = ModNetRegressor((128, 128), early_stopping="auto", batch_size=32, optimizer=quick, random_state=0)
    assert diagnose(model, *diabetes) == []
    assert diagnose(model.fit(*diabetes), *diabetes) == []
    assert model.loss_curve_[-1] > 1.2 * min(model.loss_curve_)
    assert diagnose(model.partial_fit(*diabetes), *diabetes) == []


def test_diabetes_whose_target_is_not_scaled_but_has_been_learnt(diabetes):
    X, y = diabetes
    quick = {"type": "adam", "learning_rate": 0.02}
    settings = {**CLASSIC, "optimizer": quick, "batch_size": 200, "max_iter": 500}
    model = ModNetRegressor((100,), **settings, random_state=0)
    assert diagnose(model.fit(X, 152 + 77 * y), X, 152 + 77 * y) == []


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_moons(moons, activation: str):
    model = ModNetClassifier((32, 32), activation, optimizer={"type": "adam", "learning_rate": 0.01}, random_state=0)
    assert diagnose(model, *moons) == []
    assert diagnose(model.fit(*moons), *moons) == []


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_other_tables_that_are_scaled(load):
    X, y = load(return_X_y=True)
    assert diagnose(ModNetClassifier(random_state=0).fit(scale(X), y), scale(X), y) == []


def test_pixels_need_no_scaling_though_some_are_seldom_on():
    X, y = load_digits(return_X_y=True)
    for inputs in ("table", None):
        assert diagnose(ModNetClassifier(inputs=inputs, random_state=0), X, y) == []
        assert diagnose(ModNetClassifier(inputs=inputs, random_state=0), sparse.csr_array(X), y) == []


def test_rare_flags_need_no_scaling(moons):
    X, y = moons
    rare = (np.arange(len(X)) < 2).astype(float)
    assert diagnose(ModNetClassifier(random_state=0), np.column_stack([scale(X), rare]), y) == []


@pytest.mark.parametrize("first", ["standardize", "batch_norm"])
def test_a_network_that_scales_for_itself(moons, first: str):
    X, y = moons
    model = ModNetClassifier((first, 32), random_state=0)
    assert diagnose(model, X * [1e5, 1e-3] + [3e6, 0], y) == []


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([each for _ in range(20) for each in (Dense(32), "batch_norm", "sigmoid")], id="batch_norm"),
        pytest.param(
            [Dense(32), *[Residual((LayerNorm(), Dense(32, "relu"), Dropout(0.2), Dense(32))) for _ in range(8)]],
            id="residual",
        ),
        pytest.param([Dense(32, "tanh") for _ in range(20)], id="tanh"),
    ],
)
def test_deep_networks_that_can_be_trained(digits, layers):
    assert diagnose(ModNetClassifier(layers, max_iter=3, random_state=0), *digits) == []


def test_a_sigmoid_that_ends_a_network_may_be_sure_of_its_answer(moons):
    X, y = moons
    model = ModNetRegressor((32, 32), "relu", output_activation="sigmoid", max_iter=500, random_state=0)
    model.set_params(optimizer={"type": "adam", "learning_rate": 0.01}).fit(X, y)
    assert diagnose(model, X, y) == []


def test_outputs_of_few_rows_tell_nothing_of_units(digits):
    X, y = digits
    model = ModNetClassifier(random_state=0).fit(X, y)
    assert {finding.check for finding in diagnose(model, X[:5], y[:5])} <= {"constant-columns"}


def test_nothing_is_changed(digits):
    X, y = digits
    model = ModNetClassifier(("batch_norm", 16, "dropout"), max_iter=2, random_state=0).fit(X, y)
    before = model.theta_.copy(), model.state_.copy(), X.copy()
    first, again = diagnose(model, X, y), diagnose(model, X, y)
    assert first == again
    assert all(map(np.array_equal, before, (model.theta_, model.state_, X)))
    unfitted = ModNetClassifier(random_state=0)
    diagnose(unfitted, X, y)
    assert not hasattr(unfitted, "theta_")


def test_an_examination_shows_every_link(digits):
    look = diagnose(ModNetClassifier((16, 8), inputs=None, random_state=0), *digits).look
    assert [signal.link.path for signal in look.signals] == [
        "layers[0]",
        "layers[0].activation",
        "layers[1]",
        "layers[1].activation",
        "output",
    ]
    assert [signal.weighs for signal in look.signals] == [True, False, True, False, True]
    assert look.rows == len(digits[0])


def test_of_many_rows_some_are_looked_at():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60_000, 20))
    assert diagnose(ModNetRegressor((200,), max_iter=1, random_state=0), X, X[:, 0]).look.rows < 20_000


def test_gradients_are_those_of_the_loss(diabetes):
    X, y = diabetes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ModNetRegressor(("tanh",), **{**CLASSIC, "max_iter": 1, "alpha": 0}, random_state=0).fit(X, y)
    signal = diagnose(model, X, y).look.signals[-1]
    # J = ½ mean (ŷ − y)² with ŷ = tanh(X) W + b: ∂J/∂W = tanh(X)ᵀ (ŷ − y) / n, ∂J/∂b = mean (ŷ − y).
    error = model.predict(X) - y
    gradient = [*(np.tanh(X).T @ error / len(X)), error.mean()]
    assert signal.gradient == pytest.approx(np.linalg.norm(gradient))

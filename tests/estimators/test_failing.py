"""A training that has learnt nothing says so once, with what to do; one that learns, or was cut off early, does not."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.layers import Dense
from modnet.neural_network import MLPClassifier

ALONE = np.random.default_rng(0).normal(size=(300, 3))
PRICES = 50_000 * ALONE[:, 0] + 200_000
WINE = load_wine(return_X_y=True)
DIGITS = scale(load_digits().data), load_digits().target
CANCER = scale(load_breast_cancer().data), load_breast_cancer().target
DIABETES = scale(load_diabetes().data), scale(load_diabetes().target)
ADAM = {"type": "adam", "learning_rate": 0.001}


def classifier(rate: float = 0.001, rule: str = "adam", **params) -> ModNetClassifier:
    return ModNetClassifier(**{"optimizer": {"type": rule, "learning_rate": rate}, "random_state": 1, **params})


def regressor(**params) -> ModNetRegressor:
    optimizer = {"type": "adam", "learning_rate": 0.01}
    return ModNetRegressor(**{"optimizer": optimizer, "random_state": 0, **params})


def textbook(model, **params):
    """The same network without what the defaults do for tables that nobody has scaled."""
    plain = {**CLASSIC, "layers": (100,), "batch_size": 178, "dtype": "float64", "optimizer": model.optimizer}
    return model.set_params(**{**plain, **params})


def said(model, *data, **given) -> list[str]:
    """What `fit` warns of, a training that was cut off apart; modnet's file is not the one to be named."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **given)
    assert all(issubclass(each.category, ConvergenceWarning) for each in caught)
    return [str(each.message) for each in caught if "max_iter epochs" not in str(each.message)]


def dead() -> dict[str, np.ndarray]:
    """First weights of a network for digits whose hidden units are 0 for every row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = classifier(max_iter=1).fit(*DIGITS)
    weights = {name: array.copy() for name, array in model.network_.parameters(model.theta_).items()}
    weights["layers[0].b"][...] = -100
    return weights


SICK = {
    "target": (textbook(regressor(optimizer=ADAM), max_iter=50), ALONE, PRICES, "StandardScaler"),
    "target, absolute": (
        textbook(ModNetRegressor(loss="absolute_error", optimizer=ADAM), max_iter=50),
        *(ALONE, PRICES, "StandardScaler"),
    ),
    "target in lists": (
        textbook(ModNetRegressor(optimizer=ADAM), max_iter=50),
        *(ALONE.tolist(), PRICES.tolist(), "StandardScaler"),
    ),
    "inputs": (textbook(classifier()), *WINE, "StandardScaler"),
    "rising": (textbook(classifier(5.0, "sgd"), max_iter=12), *DIGITS, "learning rate"),
    "huge rate": (classifier(10.0, max_iter=100), *DIGITS, "learning rate"),
    "tiny rate": (textbook(classifier(1e-6, random_state=0)), *CANCER, "raise the learning rate"),
    "dead units": (classifier(initial_weights=dead()), *DIGITS, "leaky_relu"),
    "deep sigmoids": (classifier(layers=[Dense(32, "sigmoid")] * 12, n_iter_no_change=3), *DIGITS, "relu"),
}


@pytest.mark.parametrize(("model", "X", "y", "remedy"), SICK.values(), ids=SICK)
def test_a_loss_not_below_that_of_a_constant_is_told_once_with_a_remedy_and_without_a_figure(model, X, y, remedy):
    (text,) = said(model, X, y)
    assert text.startswith("nothing was learnt: the loss is not below that of the best constant prediction; ")
    assert remedy in text
    assert text.endswith("modnet.diagnose(model, X, y)")
    assert not re.search(r"\d", text)


def test_a_loss_that_rises_from_the_start_is_told_after_a_few_epochs():
    (text,) = said(textbook(classifier(50.0, "sgd"), max_iter=3), *DIGITS)
    assert "learning rate" in text


@pytest.mark.parametrize("y", [np.c_[DIGITS[1] > 4, DIGITS[1] > 20].astype(int), DIGITS[1]], ids=["label", "class"])
def test_a_class_without_a_row_to_learn_from_is_told(y):
    weight = {label: float(label != 3) for label in range(10)} if y.ndim == 1 else None
    (text,) = said(classifier(max_iter=3, class_weight=weight), DIGITS[0], y)
    assert "a class has no row to learn from" in text


def test_the_drop_ins_say_what_scikit_learn_says():
    assert said(MLPClassifier(learning_rate_init=1e-6, tol=0.01, random_state=0), *CANCER) == []


def test_partial_fit_says_nothing():
    model = regressor()
    for _ in range(30):
        model.partial_fit(ALONE, PRICES)


def test_the_line_of_the_call_is_named():
    with pytest.warns(ConvergenceWarning, match="nothing was learnt") as caught:
        textbook(classifier(), max_iter=100).fit(*WINE)
    assert {each.filename for each in caught} == {__file__}


# Silence


@pytest.mark.parametrize("epochs", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("data", [WINE, CANCER, DIGITS, (ALONE, PRICES)], ids=["wine", "cancer", "digits", "prices"])
def test_a_fit_of_few_epochs_is_not_judged(data, epochs: int):
    model = regressor(max_iter=epochs) if data[1] is PRICES else classifier(max_iter=epochs, random_state=0)
    assert said(model, *data) == []


def rare(seed: int, noise: float = 0.0):
    """Two classes, one fifty times as frequent as the other."""
    X, y = make_classification(2000, 10, n_informative=5, weights=[0.98], flip_y=noise, random_state=seed)
    return scale(X), y


def healthy():
    """Networks that learn."""
    iris, wine = (scale(load_iris().data), load_iris().target), (scale(WINE[0]), WINE[1])
    params = [{"activation": name} for name in ("relu", "tanh", "sigmoid", "gelu")]
    params += [{"loss": name} for name in ("focal", "hinge", "squared_hinge")]
    params += [{"optimizer": name} for name in ("lbfgs", {"type": "sgd", "learning_rate": 0.05}, "adamw")]
    params += [{"layers": (64, "dropout", 64, "dropout")}, {"layers": ("batch_norm", 32, "batch_norm", 32)}]
    params += [{"early_stopping": True}, {"alpha": 1.0}, {"class_weight": "balanced"}]
    yield from (
        (classifier(**{"rate": 0.01, "max_iter": 60} | each), *data) for data in (iris, wine) for each in params
    )
    yield from ((classifier(0.01, max_iter=60), *rare(seed, noise)) for seed in range(3) for noise in (0.0, 0.02))
    losses = "squared_error", "absolute_error", "huber", "log_cosh", "quantile", "gaussian_nll"
    yield from ((regressor(loss=name, max_iter=60), *DIABETES) for name in losses)
    positive = load_diabetes().target / 152
    yield from ((regressor(loss=name, max_iter=60), DIABETES[0], positive) for name in ("poisson", "gamma", "tweedie"))
    yield regressor(max_iter=60), DIABETES[0], np.c_[DIABETES[1], DIABETES[1] ** 2]
    yield regressor(output_activation="sigmoid", max_iter=60), DIABETES[0], load_diabetes().target / 400
    yield classifier(0.01, max_iter=60), iris[0], np.c_[iris[1] > 0, iris[1] > 1].astype(int)
    yield classifier(0.01, max_iter=60), iris[0], np.c_[iris[1], iris[0][:, 0] > 0].astype(int)
    yield regressor(max_iter=60), DIABETES[0][:, :1], DIABETES[1]  # one column tells 3 % of the variance


@pytest.mark.parametrize(("model", "X", "y"), list(healthy()))
def test_a_network_that_learns_says_nothing(model, X, y):
    assert said(model, X, y) == []


@pytest.mark.parametrize(("model", "X", "y"), [(regressor(), *DIABETES), (classifier(0.01), *CANCER)])
def test_nor_does_one_with_weights_or_on_float32(model, X, y):
    weight = np.random.default_rng(0).exponential(size=len(y))
    assert said(model, X.astype(np.float32), y, sample_weight=weight) == []


@pytest.mark.parametrize("model", [regressor(), classifier(0.01)])
def test_nor_does_one_that_has_a_constant_to_learn(model):
    assert said(model, ALONE, np.ones(len(ALONE))) == []


def test_nor_does_an_autoencoder():
    assert said(ModNetTransformer(random_state=0, optimizer={"type": "adam", "learning_rate": 0.01}), ALONE) == []


@pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
def test_what_was_learnt_is_judged_in_the_scale_in_which_it_was_learnt(units: float):
    X, y = load_diabetes(return_X_y=True)
    ModNetRegressor(random_state=0).fit(X, units * y)  # a warning would be an error here
    still = ModNetRegressor((8,), optimizer={"type": "sgd", "learning_rate": 1e-12}, random_state=1)
    with pytest.warns(ConvergenceWarning, match="nothing was learnt"):
        still.fit(X, units * y)

"""Numbers to predict may be in any units: the loss sees them in a scale of their own, and predictions are in y's."""

import copy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, trace
from modnet.base import served
from modnet.testing import registered_examples

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.exp(0.5 * X[:, 0]) + 0.3 * X[:, 1] ** 2 + 0.1  # positive, as some losses want them
LOSSES = [
    loss
    for loss in registered_examples("modnet-layers")
    if loss.kind == "loss" and "regression" in served(loss) and loss.target_scale != "none"
]


def net(**params):
    settings = {"layers": (16,), "max_iter": 5, "optimizer": {"type": "adam", "learning_rate": 0.01}, "random_state": 0}
    return ModNetRegressor(**{**settings, **params})


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("shape", [(120,), (120, 2)], ids=["one", "two"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_predictions_change_as_y_does(loss, shape):
    a, b = 5e4, 2e5 if loss.target_scale == "affine" else 0
    y = Y if len(shape) == 1 else np.column_stack([Y, Y[::-1] ** 2])
    first, second = net(loss=loss).fit(X, y), net(loss=loss).fit(X, a * y + b)
    close(second.predict(X), a * first.predict(X) + b)
    assert second.loss_curve_ == pytest.approx(first.loss_curve_, rel=1e-6)
    if hasattr(first, "predict_quantiles"):
        close(second.predict_quantiles(X), a * first.predict_quantiles(X) + b)
    if type(loss).__name__ == "GaussianNLL":
        close(second.predict(X, return_std=True)[1], a * first.predict(X, return_std=True)[1])


def test_raw_targets_are_learnt():
    X, y = load_diabetes(return_X_y=True)
    assert ModNetRegressor(random_state=0).fit(X, y).score(X, y) > 0.5  # −0.95 without a scale
    a = RNG.normal(size=(300, 1))
    prices = 50_000 * a[:, 0] + 200_000
    assert ModNetRegressor(random_state=0).fit(a, prices).score(a, prices) > 0.98  # −15


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("factor", [1e300, 1e-300, 5e-310])
def test_numbers_may_be_huge_or_tiny(factor, dtype):
    x = X.astype(dtype)
    model, plain = net().fit(x, factor * Y), net().fit(x, Y)
    np.testing.assert_allclose(model.predict(x) / factor, plain.predict(x), rtol=1e-4)


def test_digits_that_float32_does_not_have_are_kept():
    x, y = X.astype(np.float32), 1e9 + 1e-3 * Y
    model = net(max_iter=200).fit(x, y)
    assert model.theta_.dtype == np.float32
    assert model.score(x, y) > 0.9


def test_numbers_that_are_all_the_same_are_predicted():
    for constant in (0.0, 7.3e8):
        model = net(layers=(), max_iter=300, alpha=0, tol=0, n_iter_no_change=300).fit(X, np.full(120, constant))
        np.testing.assert_allclose(model.predict(X), constant, atol=0.1)


def test_a_row_of_weight_three_is_three_rows():
    weight = RNG.integers(0, 4, 120)
    kept, settings = np.repeat(np.arange(120), weight), {"optimizer": "lbfgs", "layers": ()}
    weighted = net(**settings, max_iter=200).fit(X, Y, weight)
    repeated = net(**settings, max_iter=200).fit(X[kept], Y[kept])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-4)
    assert weighted.loss_curve_[0] == pytest.approx(repeated.loss_curve_[0], rel=1e-9)


def test_the_scale_is_that_of_the_rows_that_are_trained_on():
    y_val = 1e6 * Y
    model = net(early_stopping=False)
    watched = clone(model).fit(X, Y, X_val=X, y_val=y_val)
    np.testing.assert_array_equal(watched.theta_, model.fit(X, Y).theta_)
    half = 0.5 * np.mean((y_val - watched.predict(X)) ** 2) / Y.var()
    assert watched.validation_loss_curve_[-1] == pytest.approx(half, rel=1e-9)


def test_scorers_look_at_users_units():
    model = net(early_stopping=True, scoring="neg_mean_absolute_error").fit(
        X, 1e5 * Y, X_val=X[:50], y_val=1e5 * Y[:50]
    )
    error = mean_absolute_error(1e5 * Y[:50], model.predict(X[:50]))
    assert max(model.validation_scores_) == pytest.approx(-error)


@pytest.mark.parametrize("go_on", ["partial_fit", "fit"])
def test_the_scale_stays_when_training_goes_on(go_on):
    model = net(warm_start=True)
    getattr(model, go_on)(X, 1e4 * Y)
    before = model.predict(X)
    model.set_params(optimizer__learning_rate=1e-14, max_iter=1)
    getattr(model, go_on)(X, 3.0 * Y)  # other numbers, which are hardly learnt from
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-6)


def test_another_kind_of_loss_learns_its_own_scale():
    model = net(warm_start=True).fit(X, 1e4 * Y).set_params(loss="poisson", max_iter=100).fit(X, 1e4 * Y)
    assert (model.predict(X) > 0).all()
    assert model.score(X, 1e4 * Y) > 0.5


@pytest.mark.parametrize(
    ("x", "y", "found"), [("f4", "f8", "f8"), ("f4", "i8", "f8"), ("f8", "f8", "f8"), ("f4", "f4", "f4")]
)
@pytest.mark.parametrize("loss", ["gaussian_nll", {"type": "quantile", "quantiles": (0.1, 0.9)}], ids=str)
def test_predictions_are_float64_unless_y_was_float32(x, y, found, loss):
    model = net(loss=loss).fit(X.astype(x), (100 * Y).astype(y))
    predicted = [model.predict(X)]
    predicted += [model.predict_quantiles(X)] if isinstance(loss, dict) else [model.predict(X, return_std=True)[1]]
    assert {each.dtype for each in predicted} == {np.dtype(found)}


def test_bounded_outputs_are_in_the_units_of_y():
    y = Y / Y.max()
    bounded = net(output_activation="sigmoid", max_iter=50)
    model, off = bounded.fit(X, y), clone(bounded).set_params(scale_target=False).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), off.predict(X))
    assert 0 < model.predict(X).min() < model.predict(X).max() < 1


def test_it_can_be_left_out_and_classes_have_none():
    raw = net(scale_target=False).fit(X, Y)
    np.testing.assert_array_equal(raw.predict(X), raw.network_.predict(raw.theta_, raw.state_, X)[:, 0])
    classes = [
        ModNetClassifier((4,), max_iter=2, scale_target=on, random_state=0).fit(X, Y > 1) for on in (False, True)
    ]
    np.testing.assert_array_equal(classes[0].theta_, classes[1].theta_)


def test_what_a_loss_cannot_take_is_shown_in_the_units_of_y():
    y = Y.copy()
    y[7] = -123.5
    with pytest.raises(ValueError, match=r"poisson needs targets ≥ 0, got \[-123.5\] in row 7"):
        net(loss="poisson").fit(X, y)
    with pytest.raises(ValueError, match=r"got \[-123.5\] in row 7"):
        net(loss="poisson").fit(X, Y, X_val=X, y_val=y)


def test_a_failed_fit_leaves_the_scale_as_it_was():
    model = net().fit(X, 1e4 * Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="loss became"):
        model.set_params(optimizer={"type": "sgd", "learning_rate": 1e300}, warm_start=False).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_a_copy_is_independent():
    model = net().fit(X, 1e4 * Y)
    kept = copy.deepcopy(model)
    model.fit(X, Y)
    assert kept.predict(X).mean() > 1e3 > model.predict(X).mean()


def test_a_trace_sees_what_training_sees():
    y = 1e4 * Y + 5
    start = trace(net(), X, y)
    np.testing.assert_allclose(start["y"][:, 0], (y - y.mean()) / y.std(), rtol=1e-9, atol=1e-12)
    model = net(alpha=0).fit(X, y)
    end = trace(model, X, y)
    np.testing.assert_allclose(y.std() * end["y_hat"][:, 0] + y.mean(), model.predict(X), rtol=1e-9)
    assert end["J"] == pytest.approx(0.5 * np.mean((y - model.predict(X)) ** 2) / y.var(), rel=1e-9)


def test_an_autoencoder_gives_columns_back_in_their_units():
    settings = {"inputs": "standardize", "scale_target": True, "max_iter": 20, "random_state": 0}
    units = np.array([1e-3, 1.0, 1e5])
    plain, other = ModNetTransformer((8, 2, 8), **settings), ModNetTransformer((8, 2, 8), **settings)
    first, second = plain.fit_transform(X), other.fit_transform(X * units + 7)
    np.testing.assert_allclose(second, first, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        (other.inverse_transform(second) - 7) / units, plain.inverse_transform(first), rtol=1e-4, atol=1e-6
    )

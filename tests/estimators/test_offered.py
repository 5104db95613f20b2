"""What an estimator offers goes by its loss: quantiles, standard deviations, probabilities; and what a loss refuses."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_moons
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.errors import NonFiniteError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (400, 1))
SPREAD = 0.1 + 0.2 * (X[:, 0] + 2)
Y = np.sin(X[:, 0]) + SPREAD * RNG.normal(size=400)
TWO = np.column_stack([Y, 3 * Y + 1])
LEVELS = (0.1, 0.5, 0.9)


def regressor(loss, **params):
    params = {"max_iter": 300, "n_iter_no_change": 300, "alpha": 0, "random_state": 0, **params}
    return ModNetRegressor((32, 32), "tanh", loss=loss, optimizer={"type": "adam", "learning_rate": 0.01}, **params)


def classifier(loss):
    optimizer = {"type": "adam", "learning_rate": 0.02}
    return ModNetClassifier((16,), loss=loss, optimizer=optimizer, batch_size=32, max_iter=60, random_state=0)


def quantile(**params):
    return regressor({"type": "quantile", "quantiles": LEVELS}, **params)


# Quantiles


@pytest.mark.parametrize("y", [Y, TWO, Y[:, np.newaxis]], ids=["one", "two", "column"])
def test_quantiles_have_an_axis_of_levels_and_never_cross(y):
    model = quantile(max_iter=20).fit(X, y)
    found = model.predict_quantiles(X[:7])
    assert found.shape == (7, *y.shape[1:], 3)
    assert (np.diff(model.predict_quantiles(np.linspace(-50, 50, 999)[:, np.newaxis]), axis=-1) >= 0).all()
    np.testing.assert_array_equal(model.predict(X[:7]), found[..., 1])


def test_as_many_rows_lie_below_a_quantile_as_its_level_says():
    found = quantile().fit(X, Y).predict_quantiles(X)
    np.testing.assert_allclose((Y[:, np.newaxis] <= found).mean(axis=0), LEVELS, atol=0.03)


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("loss", ["auto", "absolute_error", "gaussian_nll"])
def test_other_losses_have_no_quantiles_and_say_which_one_has(loss, fitted):
    model = regressor(loss, max_iter=1)
    if fitted:
        model.fit(X, Y)
    assert not hasattr(model, "predict_quantiles")
    with pytest.raises(AttributeError, match="predict_quantiles") as caught:
        model.predict_quantiles  # noqa: B018
    assert "loss='quantile'" in str(caught.value.__cause__)


def test_quantiles_are_offered_before_and_after_fit():
    assert hasattr(quantile(), "predict_quantiles")
    assert hasattr(quantile(max_iter=1).fit(X, Y), "predict_quantiles")


def test_what_was_fitted_decides_not_what_was_set_later():
    model = quantile(max_iter=1).fit(X, Y).set_params(loss="squared_error")
    assert model.predict_quantiles(X).shape == (400, 3)


def test_partial_fit_knows_the_number_of_targets():
    model = quantile().partial_fit(X, TWO)
    assert model.partial_fit(X, TWO).predict(X).shape == (400, 2)
    with pytest.raises(ValueError, match="y should have 2 targets, as before"):
        model.partial_fit(X, Y)


def test_a_grid_reaches_the_levels():
    search = GridSearchCV(quantile(max_iter=2), {"loss__quantiles": [(0.5,), (0.1, 0.9)]}, cv=2, error_score="raise")
    assert search.fit(X, Y).best_estimator_.predict(X).shape == (400,)


# Standard deviations


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_standard_deviations_come_beside_the_mean(y):
    model = regressor("gaussian_nll", max_iter=20).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    assert mean.shape == std.shape == y.shape
    assert (std > 0).all()
    np.testing.assert_array_equal(mean, model.predict(X))


def test_the_standard_deviation_is_that_of_the_noise():
    _, std = regressor("gaussian_nll", alpha=1.0).fit(X, Y).predict(X, return_std=True)
    assert np.corrcoef(std, SPREAD)[0, 1] > 0.9
    assert np.mean(std / SPREAD) == pytest.approx(1, abs=0.2)


def test_a_loss_without_a_standard_deviation_says_so():
    with pytest.raises(ValueError, match=r"SquaredError\(\) predicts no standard deviation: use loss='gaussian_nll'"):
        regressor("squared_error", max_iter=1).fit(X, Y).predict(X, return_std=True)


# Probabilities


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_a_hinge_has_scores_and_no_probabilities(loss):
    points, t = make_moons(200, noise=0.1, random_state=0)
    model = classifier(loss)
    assert not hasattr(model, "predict_proba")
    model.fit(points, t)
    assert model.score(points, t) > 0.85
    assert not hasattr(model, "predict_log_proba")
    np.testing.assert_array_equal(model.decision_function(points) > 0, model.predict(points) == 1)
    with pytest.raises(AttributeError) as caught:
        model.predict_proba(points)
    assert "CalibratedClassifierCV makes probabilities" in str(caught.value.__cause__)


def test_calibration_makes_probabilities_of_hinge_scores():
    points, t = load_iris(return_X_y=True)
    model = CalibratedClassifierCV(classifier("hinge"), cv=3)
    p = model.fit(points, t).predict_proba(points)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == t).mean() > 0.9


def test_a_linear_network_with_squared_hinge_is_a_linear_svm():
    points, t = make_moons(200, noise=0.3, random_state=0)
    C = 0.5
    svm = LinearSVC(C=C, loss="squared_hinge", tol=1e-10, max_iter=100_000, intercept_scaling=1000).fit(points, t)
    # J = Σ hinge² / n + ½ α ‖w‖² / n is theirs, C Σ hinge² + ½ ‖w‖², for α = 1 / C.
    settings = {"optimizer": "lbfgs", "max_iter": 1000, "tol": 1e-10}
    model = ModNetClassifier((), inputs=None, loss="squared_hinge", alpha=1 / C, **settings).fit(points, t)
    np.testing.assert_allclose(model.network_.parameters(model.theta_)["output.W"].ravel(), svm.coef_[0], rtol=1e-3)


@pytest.mark.parametrize("loss", ["focal", {"type": "cross_entropy", "label_smoothing": 0.1}], ids=str)
@pytest.mark.parametrize("classes", [2, 3])
def test_other_losses_on_classes_have_probabilities(loss, classes):
    points, t = load_iris(return_X_y=True)
    kept = t < classes
    model = classifier(loss).fit(points[kept], t[kept])
    np.testing.assert_allclose(model.predict_proba(points).sum(axis=1), 1, rtol=1e-12)
    assert model.score(points[kept], t[kept]) > 0.85


# What a loss refuses


@pytest.mark.parametrize(
    ("loss", "y", "found"),
    [
        ("poisson", [1, 0, -1.5, 2, -3], r"poisson needs targets ≥ 0, got .*-1\.5.* in row 2"),
        ("gamma", [1, 2, 3, 0, 5], r"gamma needs targets > 0, got .*0\.0.* in row 3"),
        ("tweedie", [1, 0, 3, 4, -5], r"tweedie .*≥ 0, got .*-5\.0.* in row 4"),
    ],
)
def test_a_target_that_a_loss_cannot_measure_is_named_before_training(loss, y, found):
    model = regressor(loss)
    with pytest.raises(ValueError, match=found):
        model.fit(X[:5], y)
    assert not hasattr(model, "theta_")
    with pytest.raises(ValueError, match=found):
        regressor(loss, max_iter=1).fit(X[:5], [1, 1, 1, 1, 1], X_val=X[:5], y_val=y)


def test_counts_that_grow_beyond_bounds_are_reported_with_the_cause():
    optimizer = {"type": "sgd", "learning_rate": 100.0}
    model = ModNetRegressor((), inputs=None, loss="poisson", optimizer=optimizer, batch_size=10)
    with pytest.raises(NonFiniteError, match="learning rate that is too large"):
        model.fit(100 * X, np.arange(400) % 7)


# The reason is in the message


@pytest.mark.parametrize(
    ("model", "method", "reason"),
    [
        (ModNetClassifier(loss="hinge"), "predict_proba", "no probabilities with loss='hinge'"),
        (ModNetClassifier(loss="squared_hinge"), "predict_log_proba", "CalibratedClassifierCV"),
        (ModNetRegressor(), "predict_quantiles", "use loss='quantile'"),
        (ModNetRegressor(optimizer="lbfgs"), "partial_fit", "optimizer='lbfgs' is a solver"),
        (ModNetTransformer(estimator=ModNetClassifier()), "partial_fit", "with an estimator there is only fit"),
        (ModNetTransformer(estimator=ModNetClassifier()), "inverse_transform", "does not give X back"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_method_that_is_missing_says_why(model, method, reason):
    assert not hasattr(model, method)
    assert callable(getattr(type(model), method))
    with pytest.raises(AttributeError) as error:
        getattr(model, method)
    assert str(error.value).startswith(f"This {type(model).__name__!r} has no attribute {method!r}: ")
    assert reason in str(error.value)

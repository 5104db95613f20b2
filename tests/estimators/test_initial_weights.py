"""Initial weights: given by name or as a whole, written before the first step, and refused if they do not fit."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor
from modnet.layers import Dense, Residual
from modnet.optimizers import SGD

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
STILL = SGD(1e-300)  # moves no float64 but 0: what a fit ends with is what it began with
NET = ModNetClassifier((5,), optimizer=STILL, max_iter=1, random_state=0)
DRAWN = clone(NET).partial_fit(X, y, classes=[0, 1, 2])
W = np.arange(1.0, 21.0).reshape(4, 5) / 10


def started(weights: Any, **params: Any) -> dict[str, np.ndarray]:
    """The weights that a fit starts from, by name."""
    model = clone(NET).set_params(initial_weights=weights, **params).fit(X, y)
    return dict(model.network_.parameters(model.theta_))


def test_named_weights_are_written_and_the_others_drawn_as_ever():
    weights = started({"layers[0].W": W, "output.b": [1.0, 2.0, 3.0]})
    drawn = DRAWN.network_.parameters(DRAWN.theta_)
    np.testing.assert_array_equal(weights["layers[0].W"], W)
    np.testing.assert_array_equal(weights["output.b"], [[1.0, 2.0, 3.0]])
    for name in ("layers[0].b", "output.W"):
        np.testing.assert_allclose(weights[name], drawn[name], atol=1e-200)


@pytest.mark.parametrize("b", [np.ones(3), np.ones((1, 3)), [1, 1, 1], [[1.0, 1.0, 1.0]]], ids=np.shape)
def test_a_bias_may_lack_its_axis_of_rows(b: Any):
    np.testing.assert_array_equal(started({"output.b": b})["output.b"], np.ones((1, 3)))


def test_paths_lead_into_composites():
    layers = [Residual([Dense(4, "tanh"), Dense(4)])]
    weights = started({"layers[0].body[1].W": 1 + np.eye(4)}, layers=layers)
    np.testing.assert_array_equal(weights["layers[0].body[1].W"], 1 + np.eye(4))


@pytest.mark.parametrize("of", [np.asarray, np.ndarray.tolist, np.float32])
def test_a_vector_is_all_weights(of: Any):
    theta = np.linspace(0.5, 1, DRAWN.theta_.size)
    model = clone(NET).set_params(initial_weights=of(theta)).fit(X, y)
    np.testing.assert_allclose(model.theta_, theta, rtol=1e-6)


def test_training_goes_on_from_another_models_weights():
    trained = ModNetClassifier((5,), max_iter=30, random_state=0).fit(X, y)
    by_name = dict(trained.network_.parameters(trained.theta_))
    for weights in (trained.theta_, by_name):
        model = ModNetClassifier((5,), initial_weights=weights, max_iter=30, random_state=1).fit(X, y)
        assert model.loss_curve_[0] < trained.loss_curve_[-1]


def test_a_linear_model_can_be_handed_over():
    linear = LogisticRegression().fit(X, y)
    weights = {"output.W": linear.coef_.T, "output.b": linear.intercept_}
    settings = {"inputs": None, "loss": "cross_entropy", "optimizer": STILL, "max_iter": 1}
    model = ModNetClassifier((), initial_weights=weights, **settings).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), linear.predict_proba(X), rtol=1e-10)


@pytest.mark.parametrize("weights", [{"layers[0].W": W}, np.full(DRAWN.theta_.size, 0.1)], ids=["named", "vector"])
def test_what_the_user_holds_is_not_changed(weights: Any):
    given = weights["layers[0].W"] if isinstance(weights, dict) else weights
    before = given.copy()
    model = ModNetClassifier((5,), initial_weights=weights, max_iter=5).fit(X, y)
    model.partial_fit(X, y)
    np.testing.assert_array_equal(given, before)
    assert not np.shares_memory(model.theta_, given)
    assert model.initial_weights is weights


def test_every_fit_starts_from_them_and_a_stream_once():
    settings = {"optimizer": SGD(0.01), "batch_size": 50, "early_stopping": False, "max_iter": 3, "random_state": 0}
    model = ModNetRegressor((5,), initial_weights={"layers[0].W": W}, **settings)
    first = model.fit(X, X[:, 0]).theta_.copy()
    np.testing.assert_array_equal(model.fit(X, X[:, 0]).theta_, first)
    stream = clone(model)
    for _ in range(3):
        stream.partial_fit(X, X[:, 0])
    np.testing.assert_array_equal(stream.theta_, first)


def test_a_warm_start_goes_on_from_the_present_weights_instead():
    model = ModNetRegressor((5,), initial_weights={"layers[0].W": W}, warm_start=True, max_iter=5, random_state=0)
    first = model.fit(X, X[:, 0]).loss_curve_
    assert model.fit(X, X[:, 0]).loss_curve_[0] < first[-1]


def test_they_take_the_type_of_the_data():
    model = clone(NET).set_params(initial_weights={"layers[0].W": W}).fit(X.astype("f4"), y)
    assert model.theta_.dtype == np.float32


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"layers[0].V": W}, r"weights\['layers\[0\]\.V'\]: there is no such parameter; there are layers\[0\]\.W, "),
        ({0: W}, r"weights\[0\]: there is no such parameter"),
        ({"layers[0].W": np.ones((4, 4))}, r"weights\['layers\[0\]\.W'\]: should have shape \(4, 5\), got \(4, 4\)"),
        ({"layers[0].W": W.T}, r"weights\['layers\[0\]\.W'\]: should have shape \(4, 5\), got \(5, 4\)"),
        ({"layers[0].W": W.ravel()}, r"weights\['layers\[0\]\.W'\]: should have shape \(4, 5\), got \(20,\)"),
        ({"output.b": np.ones((3, 1))}, r"weights\['output\.b'\]: should have shape \(1, 3\), got \(3, 1\)"),
        ({"output.b": np.ones((1, 1, 3))}, r"weights\['output\.b'\]: should have shape \(1, 3\), got \(1, 1, 3\)"),
        (np.ones(5), r"weights: θ has shape \(43,\), got \(5,\)"),
        (np.ones((1, 43)), r"weights: θ has shape \(43,\), got \(1, 43\)"),
        (1.0, r"weights: θ has shape \(43,\), got \(\)"),
        ({"output.b": ["x", "y", "z"]}, r"weights\['output\.b'\]"),
        ({"output.b": [[1], [1, 2]]}, r"weights\['output\.b'\]"),
        ({"output.b": [1.0, np.nan, 1.0]}, r"weights\['output\.b'\].*(NaN|nan|finite)"),
        (np.full(43, np.inf), r"weights.*(inf|finite)"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_weights_that_do_not_fit_are_refused_by_name(weights: Any, words: str):
    model = clone(NET).set_params(initial_weights=weights)
    before = set(vars(model))
    with pytest.raises(ValueError, match=words):
        model.fit(X, y)
    assert set(vars(model)) == before


def test_nothing_is_written_if_one_of_several_does_not_fit():
    network, theta = DRAWN.network_, DRAWN.theta_.copy()
    for bad in ({"output.b": np.ones(5)}, {"nonsense": np.ones(3)}):
        with pytest.raises(ValueError, match="weights"):
            network.assign(theta, DRAWN.state_, {"layers[0].W": W, **bad})
        np.testing.assert_array_equal(theta, DRAWN.theta_)

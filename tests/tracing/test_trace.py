"""`modnet.trace`: every quantity of a pass is the textbook's, in its letters, for any network of any components."""

import warnings

import numpy as np
import pandas
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, Network, trace
from modnet.layers import BatchNorm, Dense, Dropout, Parallel, Residual
from modnet.neural_network import MLPClassifier
from modnet.optimizers import SGD

RNG = np.random.default_rng(0)
X, Y, LABELS = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2)), np.array(list("abc") * 4)
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def by_hand(x, y, W1, b1, W2, b2):
    """Every quantity of a two-layer network with tanh, and the gradient of each."""
    q = {"x": x, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    q["z1"] = x @ W1 + b1
    q["a1"] = np.tanh(q["z1"])
    q["z2"] = q["a2"] = q["raw"] = q["y_hat"] = q["a1"] @ W2 + b2
    q["J"] = np.sum((q["z2"] - y) ** 2) / 2 / len(x)
    d = {"z2": (q["z2"] - y) / len(x)}
    d["a2"] = d["raw"] = d["y_hat"] = d["z2"]
    d["W2"], d["b2"] = q["a1"].T @ d["z2"], d["z2"].sum(axis=0, keepdims=True)
    d["a1"] = d["z2"] @ W2.T
    d["z1"] = d["a1"] * (1 - q["a1"] ** 2)
    d["W1"], d["b1"] = x.T @ d["z1"], d["z1"].sum(axis=0, keepdims=True)
    d["x"] = d["z1"] @ W1.T
    return q, d


def two_layers():
    """A network with tanh, traced, and the same by hand."""
    t = trace(Network([Dense(4, "tanh"), Dense(2)], (3,)), X, Y)
    return t, *by_hand(X, Y, *(t[name] for name in ("W1", "b1", "W2", "b2")))


def test_every_quantity_and_every_gradient_is_that_of_the_textbook():
    t, q, d = two_layers()
    for name, value in q.items():
        np.testing.assert_allclose(t[name], value, **TIGHT, err_msg=name)
    for name, value in d.items():
        np.testing.assert_allclose(t.d[name], value, **TIGHT, err_msg=name)
    assert {*t.d} - {*t.network.layout.places, *t.links} == {*d, "a0"}


def test_local_factors_multiply_the_gradient_that_arrives():
    t, _, d = two_layers()
    np.testing.assert_allclose(t.d["a1"] * t.local["a1"], d["z1"], **TIGHT)
    np.testing.assert_allclose(t.d["z2"] @ t.local["z2"], d["a1"], **TIGHT)
    np.testing.assert_allclose(t.local["W2"] @ t.d["z2"], d["W2"], **TIGHT)
    np.testing.assert_array_equal(t.local["W1"], X.T)


def test_an_activation_that_mixes_a_row_has_its_jacobian():
    t = trace(Network([Dense(3, "softmax")], (3,)), X, RNG.normal(size=(12, 3)))
    a = t["a1"]
    np.testing.assert_allclose(t.local["a1"], a[:, :, None] * (np.eye(3) - a[:, None, :]), **TIGHT)
    np.testing.assert_allclose(np.einsum("nj,njk->nk", t.d["a1"], t.local["a1"]), t.d["z1"], **TIGHT)


def test_letters_go_to_affine_links_and_their_activations_and_paths_to_everything():
    layers = [BatchNorm(), Dense(4), BatchNorm(), "relu", Dropout(0.5), Residual([Dense(4, "tanh")]), Dense(2)]
    t = trace(ModNetRegressor(layers=tuple(layers[:-1])), X, Y)
    assert t["z1"] is t["layers[1]"]
    assert t["a1"] is t["layers[3]"]
    assert t["z2"] is t["raw"] is t["output"]
    assert "a3" not in t
    np.testing.assert_allclose(t["z1"], t["layers[0]"] @ t["W1"] + t["b1"], **TIGHT)
    np.testing.assert_allclose(t["layers[5]"], t["layers[4]"] + t["layers[5].body[0].activation"], **TIGHT)
    body = t.links["layers[5].body[0]"]
    np.testing.assert_allclose(t.d["layers[4]"], t.d["layers[5]"] + body.dx, **TIGHT)
    np.testing.assert_array_equal(t["layers[2].variance"], np.ones((1, 4)))
    assert t.d["layers[5].body[0].W"].shape == (4, 4)


def test_names_that_are_not_there_are_answered_with_those_that_are():
    t, *_ = two_layers()
    with pytest.raises(KeyError, match=r"there is no 'w2'; did you mean 'W2'\? there are x, a0, W1, b1, z1, a1"):
        t["w2"]
    with pytest.raises(KeyError, match="there is no 'J'; there are x"):
        t.d["J"]
    with pytest.raises(KeyError, match="did you mean 'layers"):
        t.links["layer[0]"]


# Models


def fitted(model, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.set_params(max_iter=5, random_state=0).fit(*data)


@pytest.mark.parametrize("cls", [ModNetClassifier, MLPClassifier])
def test_a_fitted_classifier_is_seen_as_it_predicts(cls):
    model = cls((4,)) if cls is MLPClassifier else cls((4,), loss="cross_entropy")
    fitted(model, X, LABELS)
    before = model.theta_.copy()
    t = trace(model, X, LABELS)
    np.testing.assert_allclose(t["y_hat"], model.predict_proba(X), **TIGHT)
    np.testing.assert_allclose(t.d["z2"], (t["y_hat"] - np.eye(3)[[0, 1, 2] * 4]) / 12, **TIGHT)
    np.testing.assert_array_equal(model.theta_, before)


def test_an_estimator_that_is_not_fitted_has_the_weights_that_fit_starts_from():
    still = SGD(1e-300)  # it moves no weight
    model = ModNetRegressor(layers=("standardize", 4), optimizer=still, random_state=0)
    t = trace(model, X, Y)
    assert not hasattr(model, "theta_")
    np.testing.assert_allclose(t["layers[0]"].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(t["W1"], trace(fitted(model, X, Y), X, Y)["W1"])


def test_what_lies_in_front_of_the_network_is_applied():
    pipeline = make_pipeline(StandardScaler(), ModNetRegressor((4,)))
    t = trace(pipeline, 5 + X, Y)
    np.testing.assert_allclose(t["x"], StandardScaler().fit_transform(X), **TIGHT)
    search = GridSearchCV(ModNetRegressor((4,), max_iter=5, scale_target=False), {"alpha": [0, 1]}, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        t = trace(search.fit(X, Y), X, Y)
    np.testing.assert_allclose(t["y_hat"], search.predict(X), **TIGHT)


def test_rows_weigh_what_they_are_given_and_those_of_weight_zero_are_absent():
    weight = np.array([0, 1, 2] * 4)
    model = ModNetRegressor((4,), random_state=0)
    kept = np.repeat(np.arange(12), weight)
    weighted, repeated = trace(model, X, Y, sample_weight=weight), trace(model, X[kept], Y[kept])
    assert len(weighted["x"]) == 8
    assert weighted["J"] == pytest.approx(repeated["J"], rel=1e-12)
    np.testing.assert_allclose(weighted.d["W1"], repeated.d["W1"], **TIGHT)


def test_penalties_are_not_in_J():
    without, with_ = (trace(ModNetRegressor((4,), alpha=alpha, random_state=0), X, Y) for alpha in (0, 10))
    assert without["J"] == with_["J"]


def test_any_kind_of_rows_is_seen_in_float64():
    for rows in (X.astype(np.float32), sparse.csr_array(X), pandas.DataFrame(X, columns=["a", "b", "c"])):
        t = trace(ModNetRegressor((4,), random_state=0), rows, Y)
        assert {each.dtype for each in t.d.values()} == {np.dtype(float)}
        np.testing.assert_allclose(t["x"], X, rtol=1e-6)
    autoencoder = trace(ModNetTransformer((2,), scale_target=False), X)
    np.testing.assert_array_equal(autoencoder["y"], X)


def test_training_mode_is_asked_for_and_is_the_same_for_a_seed():
    model = ModNetRegressor((4, Dropout(0.5), BatchNorm()), random_state=0)
    first, again, other = (trace(model, X, Y, training=True, seed=seed) for seed in (1, 1, 2))
    assert (first["layers[1]"] == 0).any()
    np.testing.assert_allclose(first["layers[2]"].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(first["raw"], again["raw"])
    assert not np.array_equal(first["raw"], other["raw"])
    predicting = trace(model, X, Y)
    np.testing.assert_array_equal(predicting["layers[1]"], predicting["a1"])


def test_a_network_takes_loss_and_theta():
    network = Network([Dense(4, "tanh"), Dense(3)], (3,))
    theta, _ = network.initialize(np.random.default_rng(5))
    t = trace(network, X, [0, 1, 2] * 4, loss="cross_entropy", theta=theta)
    np.testing.assert_array_equal(t["W1"], network.parameters(theta)["layers[0].W"])
    np.testing.assert_allclose(t["y_hat"].sum(axis=1), 1)
    named = trace(network, X, RNG.normal(size=(12, 3)), theta={"layers[1].b": [1, 2, 3]})
    np.testing.assert_array_equal(named["b2"], [[1, 2, 3]])
    noted = trace(Network([BatchNorm(), Dense(2)], (3,)), X, Y, theta={"layers[0].variance": [4.0] * 3})
    np.testing.assert_allclose(noted["layers[0]"], X / 2, rtol=1e-5)


@pytest.mark.parametrize(("width", "y"), [(1, [0, 1] * 6), (2, np.eye(2)[[0, 1] * 6]), (2, [0, 1] * 6)])
def test_the_loss_of_a_network_serves_the_task_that_y_makes_of_it(width, y):
    t = trace(Network([Dense(width)], (3,)), X, y, loss="cross_entropy")
    assert t.check().wrong == ()
    assert t["y_hat"].shape == (12, width)
    assert t.d["raw"] == pytest.approx((t["y_hat"] - (t["y"] if t["y"].ndim == 2 else np.eye(2)[t["y"]])) / 12)


def test_rows_of_several_axes_are_seen():
    network = Network([Parallel(["tanh", "relu"])], (2, 3))
    x, y = RNG.normal(size=(5, 2, 3)), RNG.normal(size=(5, 2, 6))
    assert trace(network, x, y).check().wrong == ()


NETWORK = Network([Dense(2)], (3,))


@pytest.mark.parametrize(
    ("model", "data", "options", "message"),
    [
        (ModNetRegressor(), (X,), {}, "y: ModNetRegressor is measured against a truth, and none was given"),
        (ModNetRegressor(), (X[:0], Y[:0]), {}, "0 sample"),
        (ModNetRegressor(), (X, Y), {"loss": "huber"}, "loss and theta belong to a Network"),
        (Ridge(), (X, Y), {}, "networks of modnet, got Ridge"),
        (NETWORK, (X[:0], Y[:0]), {}, r"X: should have shape \('n', 3\) with n ≥ 1, got \(0, 3\)"),
        (NETWORK, (X[:, :2], Y), {}, r"X: should have shape \('n', 3\)"),
        (NETWORK, (X, Y[:5]), {}, r"inconsistent numbers of samples: \[12, 5\]"),
        (NETWORK, (X, Y[:, 0]), {}, "y: 1 per row ask for a raw output of 1, got 2"),
        (NETWORK, (X, LABELS), {}, "y: a Network has no labels"),
        (NETWORK, (X, [0, 1, 2] * 4), {"loss": "cross_entropy"}, "y: codes of 2 classes are 0 to 1, got 0 to 2"),
        (NETWORK, (X, Y), {"sample_weight": [1.0]}, "sample_weight.shape == "),
        (
            NETWORK,
            (X, Y),
            {"sample_weight": [-1.0, *[1.0] * 11]},
            "[Nn]egative values in data passed to `sample_weight`",
        ),
        (NETWORK, (X, Y), {"sample_weight": np.zeros(12)}, "zero"),
        (NETWORK, (X, Y), {"loss": "per_output"}, "serves neither regression nor multilabel"),
        (NETWORK, (X, Y), {"seed": "a"}, "seed: should be a whole number, got 'a'"),
        (NETWORK, (X, Y), {"training": "no"}, "training: should be True or False, got 'no'"),
        (NETWORK, (X, Y), {"theta": np.zeros(3)}, "weights: θ has shape"),
        (NETWORK, (X, Y), {"loss": "hubber"}, "did you mean 'huber'"),
    ],
)
def test_bad_input_is_named(model, data, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        trace(model, *data, **options)

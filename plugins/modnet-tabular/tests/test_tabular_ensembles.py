"""Ensembles in one network: members as the dense layers that they stand for, their mean, and what they train on."""

import numpy as np
import pytest
from modnet_tabular import BatchEnsembleDense, EnsembleView, MeanOfMembers, MeanOfMembersLoss, MemberHeads
from scipy.special import softmax
from sklearn.datasets import load_digits, load_iris, make_friedman1
from sklearn.preprocessing import scale

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor, Network, load, save
from modnet.activations import Tanh
from modnet.errors import InvalidSpecError, ShapeError
from modnet.layers import Dropout, Flatten
from modnet.losses import CrossEntropy, GaussianNLL

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

K = 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4))


def drawn(*layers, x=X):
    network = Network(list(layers), x.shape[1:])
    theta, state = network.initialize(np.random.default_rng(1))
    return network, theta + RNG.normal(scale=0.1, size=theta.size), state


def test_members_are_dense_layers_whose_weights_are_scaled_row_by_row_and_column_by_column():
    network, theta, state = drawn(EnsembleView(K, scaling=None), BatchEnsembleDense(5, scaling="signs"))
    W, r, s, b = (network.parameters(theta)[f"layers[1].{name}"] for name in "Wrsb")
    z = network.predict(theta, state, X)
    for m in range(K):
        np.testing.assert_allclose(z[:, m], X @ (W * np.outer(r[m], s[m])) + b[m], rtol=1e-12, atol=1e-14)


def test_without_scales_the_members_share_the_layer_and_differ_by_what_they_see():
    network, theta, state = drawn(EnsembleView(K), BatchEnsembleDense(5, scaling=None))
    r, W, b = (network.parameters(theta)[name] for name in ("layers[0].r", "layers[1].W", "layers[1].b"))
    z = network.predict(theta, state, X)
    for m in range(K):
        np.testing.assert_allclose(z[:, m], (X * r[m]) @ W + b, rtol=1e-12, atol=1e-14)


def test_first_values_are_those_of_the_papers():
    network = Network([EnsembleView(64), BatchEnsembleDense(16), BatchEnsembleDense(16, scaling="signs")], (9,))
    views = network.parameters(network.initialize(np.random.default_rng(0))[0])
    assert set(views["layers[0].r"].ravel()) == set(views["layers[2].s"].ravel()) == {-1, 1}
    assert (views["layers[1].r"] == 1).all()
    assert (views["layers[1].b"] == views["layers[1].b"][0]).all()
    assert 0.9 / 3 < np.abs(views["layers[1].W"]).max() <= 1 / 3


@pytest.mark.parametrize("raw", ["members", "mean"])
def test_the_output_is_a_head_per_member_or_the_mean_of_the_heads(raw):
    end = [module for _, module in MeanOfMembers(raw).links((K, 5), 2 * K if raw == "members" else 2)]
    network, theta, state = drawn(EnsembleView(K), BatchEnsembleDense(5), *end)
    members = network.outputs_of(network.layer("layers[1]"), theta, state, X)
    W, b = (network.parameters(theta)[f"layers[2].{name}"] for name in "Wb")
    heads = np.stack([members[:, m] @ W[m] for m in range(K)], axis=-1)  # (n, 2, K)
    expected = heads.reshape(6, -1) if raw == "members" else heads.mean(axis=-1)
    np.testing.assert_allclose(network.predict(theta, state, X), expected + b, rtol=1e-12)


def test_an_output_that_the_loss_does_not_fit_says_which_one_does():
    with pytest.raises(
        ShapeError, match=r"looks at 3 columns, no multiple of 8 members: take mean_of_members_loss with"
    ):
        MeanOfMembers().links((8, 5), 3)


def test_members_side_by_side_are_rows_of_features_again():
    network, theta, state = drawn(EnsembleView(K), Flatten())
    r = network.parameters(theta)["layers[0].r"]
    np.testing.assert_array_equal(network.predict(theta, state, X), np.hstack([X * each for each in r]))


def test_standard_elementwise_layers_go_between():
    network, theta, state = drawn(EnsembleView(K), BatchEnsembleDense(5, "relu"), Dropout(0.5), Tanh())
    assert network.predict(theta, state, X).shape == (6, K, 5)


@pytest.mark.parametrize("layer", [BatchEnsembleDense(5), MemberHeads(2)], ids=repr)
def test_rows_without_an_axis_of_members_are_an_error_that_says_where_it_comes_from(layer):
    with pytest.raises(ShapeError, match=r"expected rows of shape \(members, n_features\), got \(4,\): ensemble_view"):
        Network([layer], (4,))


# The loss of the members

t, raw, weight = RNG.normal(size=(6, 1)), RNG.normal(size=(6, 2 * K)), RNG.random(6)


@pytest.mark.parametrize("weight", [None, weight])
def test_the_loss_is_the_mean_of_the_members_losses_and_the_prediction_their_mean(weight):
    inner = GaussianNLL()
    loss = MeanOfMembersLoss(inner, K)
    assert loss.width(1) == 2 * K
    parts = [raw[:, m::K] for m in range(K)]
    value = np.mean([inner.value(t, part, weight=weight) for part in parts])
    draw = np.stack([inner.gradient(t, part, weight=weight) / K for part in parts], axis=2).reshape(6, -1)
    np.testing.assert_allclose(loss.value(t, raw, weight=weight), value)
    np.testing.assert_allclose(loss.gradient(t, raw, weight=weight), draw)
    np.testing.assert_allclose(loss.predict(raw), np.mean([inner.predict(part) for part in parts], axis=0))


def tabm(estimator=ModNetRegressor, loss="squared_error", **settings):
    """TabM: a head per member, and the mean of the members' losses."""
    return estimator(
        (EnsembleView(8), BatchEnsembleDense(32, "relu"), BatchEnsembleDense(32, "relu")),
        output="mean_of_members",
        loss=MeanOfMembersLoss(loss, 8),
        optimizer={"type": "adam", "learning_rate": 0.003},
        random_state=0,
        **settings,
    )


def friedman():
    X, y = make_friedman1(600, noise=1.0, random_state=0)
    return (X - 0.5) / 0.29, (y - y.mean()) / y.std()


def test_tabm_is_better_than_a_plain_network_of_its_width():
    X, y = friedman()
    settings = {"max_iter": 100, "batch_size": 32, "early_stopping": True, "cooldown": 0, "n_iter_no_change": 20}
    plain = ModNetRegressor((32, 32), optimizer={"type": "adam", "learning_rate": 0.003}, random_state=0, **settings)
    of_mean = tabm(**settings).set_params(loss="squared_error", output__raw="mean")
    scores = [model.fit(X[:400], y[:400]).score(X[400:], y[400:]) for model in (plain, of_mean, tabm(**settings))]
    assert scores[0] + 0.05 < min(scores[1:]), scores


TARGETS = {
    "binary": lambda y: y > 0,
    "multiclass": lambda y: y,
    "multilabel": lambda y: np.column_stack([y > 0, y == 1]).astype(int),
    "multioutput": lambda y: np.column_stack([y, y == 1]),
}


@pytest.mark.parametrize("task", TARGETS)
def test_classes_are_the_mean_of_the_members_probabilities(task):
    X, y = load_iris(return_X_y=True)
    X, y = scale(X), TARGETS[task](y)
    model = tabm(ModNetClassifier, "cross_entropy", max_iter=100).fit(X, y)
    assert model.score(X, y) > 0.9
    p, logs = model.predict_proba(X), model.predict_log_proba(X)
    pairs = zip(p, logs, strict=True) if task == "multioutput" else [(p, logs)]
    for each, log in pairs:
        np.testing.assert_allclose(np.exp(log), each, rtol=1e-9, atol=1e-15)
    if task == "multiclass":
        np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))
        np.testing.assert_array_equal(model.decision_function(X), logs)
        raw = model.network_.predict(model.theta_, model.state_, X).reshape(150, 3, 8)
        np.testing.assert_allclose(p, softmax(raw, axis=1).mean(axis=2))


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_members_that_are_sure_of_a_smoothed_class_are_ranked_by_scorers(task):
    X, y = load_iris(return_X_y=True)
    X, y = scale(X), TARGETS[task](y)
    smooth = {"type": "cross_entropy", "label_smoothing": 0.3}
    model = tabm(ModNetClassifier, smooth, max_iter=100).fit(X, y)
    p = model.predict_proba(X)
    assert p.min() < 1e-15
    scores = model.decision_function(X)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores > 0, (p[:, 1] if task == "binary" else p) > 0.5)


def test_tabm_takes_data_frames():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = tabm(ModNetClassifier, "cross_entropy", max_iter=2).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.summary(n_features=4, n_outputs=3).rows[-1].output_shape == (24,)


def test_the_loss_of_several_columns_stands_around_that_of_members():
    with pytest.raises(InvalidSpecError, match=r"loss: should look at one column of y, got PerOutput\(\): name the"):
        MeanOfMembersLoss("per_output")


def test_a_log_probability_of_members_is_exact_where_the_probability_rounds_to_nothing():
    loss = MeanOfMembersLoss(CrossEntropy(), 2).for_task("multiclass")
    raw = np.array([[0.0, 0.0, 2000.0, 1000.0]])  # two classes, two members each
    np.testing.assert_allclose(loss.log_predict(raw), [[-1000 - np.log(2), 0]])


def test_tabm_tells_digits_apart_and_comes_back_from_a_file_and_from_its_spec(tmp_path):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    model = tabm(ModNetClassifier, "cross_entropy", max_iter=15, batch_size=32).fit(X[::4], y[::4])
    assert model.score(X[1::4], y[1::4]) > 0.9
    save(model, tmp_path / "tabm.modnet")
    np.testing.assert_array_equal(load(tmp_path / "tabm.modnet").predict_proba(X), model.predict_proba(X))
    again = ModNetClassifier.from_spec(ModelSpec.from_json(model.spec_.to_json()), random_state=0).fit(X[::4], y[::4])
    np.testing.assert_array_equal(again.theta_, model.theta_)

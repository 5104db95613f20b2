"""Ensembles in one network: members as the dense layers that they stand for, their mean, and what they train on."""

import numpy as np
import pytest
from modnet_tabular import BatchEnsembleDense, EnsembleView, MeanOfMembers, MeanOfMembersLoss
from sklearn.datasets import make_friedman1

from modnet import ModNetClassifier, ModNetRegressor, Network
from modnet.activations import Tanh
from modnet.errors import InvalidSpecError, ShapeError
from modnet.layers import Dense, Dropout, Flatten
from modnet.losses import CrossEntropy, GaussianNLL, SquaredError
from modnet.network import Pass

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


@pytest.mark.parametrize("heads", ["own", "shared"])
def test_an_output_layer_on_the_mean_of_members_is_the_mean_of_their_heads(heads):
    network, theta, state = drawn(EnsembleView(K), BatchEnsembleDense(5), MeanOfMembers(heads), Dense(2))
    views = network.parameters(theta)
    members = network.outputs_of(network.layer("layers[1]"), theta, state, X)
    W, b = views["layers[3].W"], views["layers[3].b"]
    heads_W = W.reshape(K, 5, 2) if heads == "own" else np.stack([W] * K)
    expected = np.mean([members[:, m] @ heads_W[m] + b for m in range(K)], axis=0)
    np.testing.assert_allclose(network.predict(theta, state, X), expected, rtol=1e-12)


@pytest.mark.parametrize("heads", ["own", "shared"])
def test_on_average_over_the_draws_training_follows_the_mean_of_the_members_losses(heads):
    network, theta, state = drawn(EnsembleView(K), BatchEnsembleDense(5, "tanh"), MeanOfMembers(heads), Dense(2))
    t, loss = RNG.normal(size=(6, 2)), SquaredError()
    views = network.parameters(theta)
    W, b = views["layers[3].W"], views["layers[3].b"]
    members = network.outputs_of(network.layer("layers[1]"), theta, state, X)
    heads_W = W.reshape(K, 5, 2) if heads == "own" else np.stack([W] * K)
    of_members = np.mean([loss.value(t, members[:, m] @ heads_W[m] + b) for m in range(K)])

    seeds = {int(np.random.default_rng(seed).integers(K)): seed for seed in range(50)}
    values = []
    for seed in seeds.values():  # one for each draw there is
        running = Pass(network, theta, state, rows=6, training=True, rng=np.random.default_rng(seed))
        values.append(loss.value(t, running.forward(X)))
    assert len(values) == K
    np.testing.assert_allclose(np.mean(values), of_members, rtol=1e-12)
    assert loss.value(t, network.predict(theta, state, X)) < of_members


def test_a_batch_is_dealt_out_evenly():
    network, theta, state = drawn(EnsembleView(K, None), MeanOfMembers())
    y = Pass(network, theta, state, rows=6, training=True).forward(X).reshape(6, K, 4)
    chosen = (y != 0).all(axis=2)
    assert (chosen.sum(axis=1) == 1).all()
    assert (chosen.sum(axis=0) == 2).all()
    np.testing.assert_array_equal(y.sum(axis=1), X)


def test_the_loss_of_the_mean_draws_nothing():
    network, theta, state = drawn(EnsembleView(K), MeanOfMembers(loss_of="mean"))
    training = Pass(network, theta, state, rows=6, training=True).forward(X)
    np.testing.assert_array_equal(training, network.predict(theta, state, X))


def test_members_side_by_side_are_rows_of_features_again():
    network, theta, state = drawn(EnsembleView(K), Flatten())
    r = network.parameters(theta)["layers[0].r"]
    np.testing.assert_array_equal(network.predict(theta, state, X), np.hstack([X * each for each in r]))


def test_standard_elementwise_layers_go_between():
    network, theta, state = drawn(EnsembleView(K), BatchEnsembleDense(5, "relu"), Dropout(0.5), Tanh())
    assert network.predict(theta, state, X).shape == (6, K, 5)


@pytest.mark.parametrize("layer", [BatchEnsembleDense(5), MeanOfMembers()], ids=repr)
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
    parts = [raw[:, 2 * m : 2 * m + 2] for m in range(K)]
    value = np.mean([inner.value(t, part, weight=weight) for part in parts])
    draw = np.hstack([inner.gradient(t, part, weight=weight) / K for part in parts])
    np.testing.assert_allclose(loss.value(t, raw, weight=weight), value)
    np.testing.assert_allclose(loss.gradient(t, raw, weight=weight), draw)
    np.testing.assert_allclose(loss.predict(raw), np.mean([inner.predict(part) for part in parts], axis=0))


def test_the_members_loss_serves_regression_only():
    with pytest.raises(InvalidSpecError, match=r"loss should serve regression, and CrossEntropy\(\) does not"):
        MeanOfMembersLoss(CrossEntropy())


def tabm(**settings):
    """TabM to the letter: heads in front of an output layer that is the identity and stays it."""
    body = (EnsembleView(8), BatchEnsembleDense(32, "relu"), BatchEnsembleDense(32, "relu"))
    return ModNetRegressor(
        (*body, "flatten", {"type": "column_dense", "units": 1, "inputs": 32}),
        loss=MeanOfMembersLoss("squared_error", 8),
        optimizer={"type": "adam", "learning_rate": 0.003, "groups": [{"layers": "output", "factor": 0}]},
        initial_weights={"output.W": np.eye(8), "output.b": np.zeros(8)},
        random_state=0,
        **settings,
    )


def friedman():
    X, y = make_friedman1(600, noise=1.0, random_state=0)
    return (X - 0.5) / 0.29, (y - y.mean()) / y.std()


def test_tabm_to_the_letter_keeps_its_members_apart():
    X, y = friedman()
    model = tabm(max_iter=3, alpha=0.01).fit(X, y)
    views = model.network_.parameters(model.theta_)
    np.testing.assert_array_equal(views["output.W"], np.eye(8))
    np.testing.assert_array_equal(views["output.b"], np.zeros((1, 8)))
    raw = model.network_.predict(model.theta_, model.state_, X)
    np.testing.assert_allclose(model.predict(X), raw.mean(axis=1))


def test_tabm_is_better_than_a_plain_network_of_its_width():
    X, y = friedman()
    settings = {"max_iter": 100, "batch_size": 32, "early_stopping": True, "n_iter_no_change": 20}
    plain = ModNetRegressor((32, 32), optimizer={"type": "adam", "learning_rate": 0.003}, random_state=0, **settings)
    one_at_a_time = ModNetRegressor(
        (EnsembleView(8), BatchEnsembleDense(32, "relu"), BatchEnsembleDense(32, "relu"), MeanOfMembers()),
        optimizer={"type": "adam", "learning_rate": 0.003},
        random_state=0,
        **settings,
    )
    scores = [model.fit(X[:400], y[:400]).score(X[400:], y[400:]) for model in (plain, one_at_a_time, tabm(**settings))]
    assert scores[0] + 0.05 < min(scores[1:]), scores


def test_classes_are_learnt_by_members_one_at_a_time():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = np.digitize((X**2).sum(axis=1), [0.8, 2.2])
    layers = (EnsembleView(8), BatchEnsembleDense(32, "relu"), MeanOfMembers())
    model = ModNetClassifier(layers, max_iter=150, random_state=0).set_params(optimizer__learning_rate=0.01)
    assert model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9

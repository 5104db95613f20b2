"""Embeddings of numbers: what the papers' formulas say, and that fast swings can be learnt with them."""

import numpy as np
import pytest
from modnet_tabular import PBLD, PLR, NTKDense, Periodic

from modnet import ModNetRegressor, Network
from modnet.errors import InvalidSpecError, ShapeError
from modnet.layers import Dense

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3))


def run(layer, x=X, **weights):
    """What a layer makes of rows, with weights given by its own names; also all its weights."""
    network = Network([layer], x.shape[1:])
    theta, state = network.initialize(np.random.default_rng(1))
    network.assign(theta, state, {f"layers[0].{name}": value for name, value in weights.items()})
    return network.predict(theta, state, x), network.parameters(theta)


def test_periodic_is_sines_and_cosines_of_each_feature():
    c = RNG.normal(size=(3, 4))
    y, _ = run(Periodic(4), c=c)
    v = 2 * np.pi * X[:, :, np.newaxis] * c
    expected = np.concatenate([np.sin(v), np.cos(v)], axis=2)
    np.testing.assert_allclose(y, expected.reshape(6, 24), rtol=1e-12)


def test_periodic_starts_with_frequencies_of_the_spread_that_was_asked_for():
    _, weights = run(Periodic(5000, sigma=0.2))
    assert abs(weights["layers[0].c"].std() - 0.2) < 0.005


@pytest.mark.parametrize("lite", [False, True])
def test_plr_is_periodic_then_a_linear_map_of_each_feature_then_a_rectifier(lite):
    y, weights = run(PLR(5, 4, sigma=0.3, lite=lite))
    c, W, b = (weights[f"layers[0].{name}"] for name in ("periodic.c", "linear.W", "linear.b"))
    v = 2 * np.pi * X[:, :, np.newaxis] * c
    p = np.concatenate([np.sin(v), np.cos(v)], axis=2)
    z = [p[:, j] @ (W if lite else W[j]) + b.reshape(-1, 5)[0 if lite else j] for j in range(3)]
    np.testing.assert_allclose(y, np.maximum(np.hstack(z), 0), rtol=1e-12, atol=1e-14)


def test_the_lite_plr_has_one_linear_map_for_all_features():
    sizes = [Network([PLR(24, 48, lite=lite)], (10,)).layout.size for lite in (False, True)]
    assert sizes == [10 * 48 + 10 * (96 * 24 + 24), 10 * 48 + 96 * 24 + 24]


def test_pbld_is_the_feature_and_a_linear_map_of_its_cosines():
    y, weights = run(PBLD(3, 5, sigma=0.5))
    w, b, W, c = (weights[f"layers[0].{name}"] for name in "wbWc")
    for j in range(3):
        hidden = np.cos(2 * np.pi * X[:, [j]] * w[j].T + b[j].T)
        np.testing.assert_allclose(y[:, 3 * j], X[:, j], rtol=1e-14)
        np.testing.assert_allclose(y[:, 3 * j + 1 : 3 * j + 3], hidden @ W[j] + c[j], rtol=1e-12)


def test_ntk_dense_is_a_dense_layer_of_weights_divided_by_the_root_of_their_number():
    y, weights = run(NTKDense(4))
    W, b = weights["layers[0].W"], weights["layers[0].b"]
    np.testing.assert_allclose(y, run(Dense(4), W=W / np.sqrt(3), b=b)[0], rtol=1e-12)


def test_ntk_dense_starts_with_weights_of_one_size_and_outputs_of_one_size_whatever_the_width():
    for width in (100, 1600):
        y, weights = run(NTKDense(400), x=RNG.normal(size=(50, width)))
        assert abs(weights["layers[0].W"].std() - 1) < 0.02
        assert 1.3 < y.std() < 1.55  # √2: that of x W / √n is 1, and b's is 1


@pytest.mark.parametrize("layer", [Periodic(), PLR(), PBLD()], ids=repr)
def test_they_take_rows_of_features_only(layer):
    with pytest.raises(ShapeError, match=r"expected rows of shape \(n_features,\), got \(2, 3\)"):
        Network([layer], (2, 3))


@pytest.mark.parametrize("bad", [0, -0.1, float("inf"), float("nan"), True])
@pytest.mark.parametrize("layer", [Periodic, PLR, PBLD])
def test_sigma_is_a_positive_number(layer, bad):
    with pytest.raises(InvalidSpecError, match=r"sigma: should be"):
        layer(sigma=bad)


def test_pbld_has_a_column_beside_the_feature():
    with pytest.raises(InvalidSpecError, match="PBLD: units: should be greater than or equal to 2, got 1"):
        PBLD(1)


@pytest.mark.parametrize(
    "embedding", [Periodic(16, 2.0), PLR(8, 16, 2.0), PBLD(8, 16, 2.0)], ids=lambda e: type(e).__name__
)
def test_fast_swings_are_learnt_where_a_plain_network_with_more_weights_fails(embedding):
    x = np.random.default_rng(0).uniform(-1, 1, (1000, 1))
    y = np.sin(20 * x[:, 0])
    quick = {"type": "adam", "learning_rate": 0.005}
    textbook = {"inputs": None, "early_stopping": False, "batch_size": 200}
    settings = {**textbook, "max_iter": 60, "random_state": 0, "optimizer": quick}
    plain = ModNetRegressor((64, 64), **settings).fit(x[:700], y[:700])
    net = ModNetRegressor((embedding, 32), **settings).fit(x[:700], y[:700])
    assert net.theta_.size < plain.theta_.size
    assert plain.score(x[700:], y[700:]) < 0.5 < 0.95 < net.score(x[700:], y[700:])

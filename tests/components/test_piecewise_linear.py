"""Piecewise-linear encoding: the paper's equation, edges that are quantiles of all blocks, and columns of any kind."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.classic import CLASSIC

from modnet import Context, ModNetRegressor, Network
from modnet.errors import ShapeError
from modnet.layers import PiecewiseLinear
from modnet.network import Pass
from modnet.network.trial import adapt

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do

RNG = np.random.default_rng(0)


def adapted(layer, x, dtype=np.float64):
    """A network of the layer that has seen the rows, with θ and the state."""
    network = Network([layer], x.shape[1:])
    theta, state = network.initialize(np.random.default_rng(1), dtype)
    adapt(network, theta, state, x.astype(dtype))
    return network, theta, state


def edges_of(network, state):
    """The edges of columns with as many bins each, shape (columns, bins + 1)."""
    views, d = network.state_layout.views(state), network.input_shape[-1]
    left, factor = (views[f"layers[0].{name}"].reshape(d, -1) for name in ("left", "factor"))
    return np.hstack([left, left[:, -1:] + 1 / factor[:, -1:]])


def blocks(layer, x, size):
    """The state after rows that came in blocks of a size."""
    network = Network([layer], x.shape[1:])
    _, state = network.initialize(np.random.default_rng(1))
    (link,) = network.links
    views = {name: place.view(state) for name, place in link.state_places.items()}
    ctx = Context(p=SimpleNamespace(), g=SimpleNamespace(), s=SimpleNamespace(**views), input_shape=network.input_shape)
    layer.adapt(ctx, ((x[start : start + size], None) for start in range(0, len(x), size)))
    return network, state


def test_it_is_the_equation_of_the_paper():
    network, theta, state = adapted(PiecewiseLinear(3), np.array([[0.0], [1.0], [3.0], [9.0]]))
    np.testing.assert_allclose(edges_of(network, state), [[0, 1, 3, 9]])
    x = np.array([[-2.0], [0.0], [0.5], [1.0], [2.0], [9.0], [15.0]])
    expected = [[-2, 0, 0], [0, 0, 0], [0.5, 0, 0], [1, 0, 0], [1, 0.5, 0], [1, 1, 1], [1, 1, 2]]
    np.testing.assert_allclose(network.predict(theta, state, x), expected, atol=1e-15)


def test_the_derivative_at_an_edge_is_that_of_the_bin_above_and_beside_it_that_of_the_bin():
    network, theta, state = adapted(PiecewiseLinear(3), np.array([[0.0], [1.0], [3.0], [9.0]]))
    x = np.array([[-5.0], [0.0], [1.0 - 1e-9], [1.0], [1.0 + 1e-9], [3.0], [9.0], [20.0]])
    running = Pass(network, theta, state, gradient=np.empty_like(theta), rows=len(x))
    running.forward(x)
    running.backward(np.tile([1.0, 10.0, 100.0], (len(x), 1)))
    expected = [1, 1, 1, 10 / 2, 10 / 2, 100 / 6, 100 / 6, 100 / 6]
    np.testing.assert_allclose(running.input_gradient()[:, 0], expected)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_edges_are_quantiles_of_all_rows_however_they_come(size):
    x = RNG.lognormal(size=(300, 2))
    network, state = blocks(PiecewiseLinear(8), x, size)
    expected = np.quantile(x, np.linspace(0, 1, 9), axis=0, method="inverted_cdf")
    np.testing.assert_allclose(edges_of(network, state), expected.T, rtol=1e-12)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_edges_of_more_rows_than_the_sample_holds_are_quantiles_of_all_of_them_as_well(order):
    x = np.random.default_rng(2).uniform(size=(20_000, 3))
    x = np.sort(x, axis=0) if order == "sorted" else x
    network, state = blocks(PiecewiseLinear(8, sample=2000), x, 333)
    # The standard deviation of a rank among 2000 drawn ones is 1.1 % at most.
    assert np.abs(edges_of(network, state) - np.linspace(0, 1, 9)).max() < 0.035
    assert np.isin(edges_of(network, state)[0, :-1], x[:, 0]).all()


def test_edges_of_weighted_rows_are_weighted_quantiles():
    x, weight = RNG.normal(size=(500, 2)), RNG.random(500)
    network = Network([PiecewiseLinear(8)], (2,))
    theta, state = network.initialize(np.random.default_rng(1))
    adapt(network, theta, state, x, weight)
    levels = np.linspace(0, 1, 9)
    expected = np.quantile(x, levels, axis=0, method="inverted_cdf", weights=weight)
    np.testing.assert_allclose(edges_of(network, state), expected.T, rtol=1e-12)


def test_quantiles_that_fall_together_make_one_edge_and_the_bins_are_divided():
    x = np.repeat([0.0, 0.0, 0.0, 1.0, 2.0], 20)[:, np.newaxis]
    network, theta, state = adapted(PiecewiseLinear(4), x)
    np.testing.assert_allclose(edges_of(network, state), [[0, 0.5, 1, 1.5, 2]])
    assert len(np.unique(network.predict(theta, state, x), axis=0)) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_of_any_kind_have_edges_that_ascend_and_finite_codes(dtype):
    x = RNG.normal(size=(500, 8))
    x[:, 0] = 7  # constant
    x[:, 1] = 1e6
    x[:, 2] = 0
    x[:, 3] = RNG.integers(2, size=500)
    x[:, 4] = np.where(RNG.random(500) < 0.9, 0, np.exp(5 * x[:, 4]))  # mostly zeros, a long tail
    x[:, 5] = 1e4 + 1e-6 * x[:, 5]  # constant but for rounding
    x[:, 6] *= 1e-15
    x[:, 7] = 2e4 + 10 * x[:, 7]  # float32 knows it to 0.002
    network, theta, state = adapted(PiecewiseLinear(48), x, dtype)
    assert (np.diff(edges_of(network, state)) > 0).all()
    y = network.predict(theta, state, np.vstack([x, np.full((1, 8), 1e4), np.full((1, 8), -1e4)]).astype(dtype))
    assert np.isfinite(y).all()
    assert (np.diff(edges_of(network, state)[7])[1:-1] < 5).all()
    assert y.dtype == dtype


def test_before_there_were_data_the_edges_are_those_of_standardized_numbers():
    network = Network([PiecewiseLinear(6)], (2,))
    _, state = network.initialize(np.random.default_rng(0))
    np.testing.assert_allclose(edges_of(network, state), [[-3, -2, -1, 0, 1, 2, 3]] * 2)


def test_columns_may_have_numbers_of_bins_of_their_own():
    x = RNG.normal(size=(200, 3))
    network, theta, state = adapted(PiecewiseLinear((2, 1, 4)), x)
    y = network.predict(theta, state, x)
    alone = [adapted(PiecewiseLinear(bins), x[:, [j]]) for j, bins in enumerate((2, 1, 4))]
    expected = np.hstack([net.predict(*weights, x[:, [j]]) for j, (net, *weights) in enumerate(alone)])
    np.testing.assert_array_equal(y, expected)
    with pytest.raises(ShapeError, match="expected 3 columns, one per number in bins, got 2"):
        PiecewiseLinear((2, 1, 4)).output_shape((2,))


def test_a_value_that_many_rows_hold_is_an_edge_and_the_others_give_the_quantiles():
    x = np.concatenate([np.zeros(300), np.arange(1.0, 101.0)])[:, np.newaxis]
    network, _, state = adapted(PiecewiseLinear(4), x)
    np.testing.assert_allclose(edges_of(network, state), [[0, 1, 34, 67, 100]], rtol=0.02)


def test_a_linear_model_on_it_learns_a_step_of_a_skewed_feature_that_a_plain_network_misses():
    rng = np.random.default_rng(0)
    X = rng.lognormal(0, 2, size=(900, 2))
    y = np.where((X[:, 0] > 0.5) & (X[:, 0] < 2), 3.0, 0.0) + np.log(X[:, 1])
    quick = {"type": "adam", "learning_rate": 0.02}
    settings = {**CLASSIC, "max_iter": 60, "batch_size": 200, "random_state": 0, "optimizer": quick}
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    plain = ModNetRegressor((64,), **settings).fit(scaled[:600], y[:600])
    net = ModNetRegressor((PiecewiseLinear(24),), **settings).fit(X[:600], y[:600])
    assert plain.score(scaled[600:], y[600:]) < 0.75 < 0.9 < net.score(X[600:], y[600:])

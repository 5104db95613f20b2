"""What holds for every module and activation in a network: gradients, dtypes, untouched arguments, any row count."""

import numpy as np
import pytest
from support.gradients import check_network

from modnet import Network
from modnet.network import Pass

SHAPE = (5,)


def run(network, theta, state, x, dy, *, training=False):
    """Return y, ∇J(θ) and dx."""
    gradient = np.full_like(theta, np.nan)
    running = Pass(network, theta, state.copy(), gradient=gradient, rows=len(x), training=training)
    y = running.forward(x)
    running.backward(dy)
    return y, gradient, running.input_gradient()


def problem(link, rows=4, dtype=np.float64, seed=0):
    """Return a network of one link with its θ and state, and x and dy."""
    network, rng = Network([link], SHAPE), np.random.default_rng(seed)
    theta, state = network.initialize(rng, dtype)
    x = rng.normal(size=(rows, *network.input_shape)).astype(dtype)
    dy = rng.normal(size=(rows, *network.output_shape)).astype(dtype)
    return network, theta, state, x, dy


@pytest.mark.parametrize("training", [True, False])
def test_gradients_agree_with_central_differences(link, training):
    check_network(link, SHAPE, training=training)


def test_gradients_of_one_row_agree_with_central_differences(link):
    check_network(link, SHAPE, rows=1)


@pytest.mark.parametrize("scale", [1e-3, 30.0])
def test_gradients_agree_for_small_and_large_inputs(link, scale):
    check_network(link, SHAPE, x=scale * np.random.default_rng(1).normal(size=(3, *SHAPE)))


@pytest.mark.parametrize("training", [True, False])
def test_arguments_are_only_read(link, training):
    network, theta, state, x, dy = problem(link)
    theta.flags.writeable = x.flags.writeable = dy.flags.writeable = False
    y, _, dx = run(network, theta, state, x, dy, training=training)
    assert y.shape == dy.shape
    assert dx.shape == x.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [True, False])
def test_dtype_is_kept(link, dtype, training):
    y, gradient, dx = run(*problem(link, dtype=dtype), training=training)
    assert y.dtype == gradient.dtype == dx.dtype == dtype


def test_float32_agrees_with_float64(link):
    network, *single = problem(link, dtype=np.float32)
    double = [array.astype(np.float64) for array in single]
    for rough, exact in zip(run(network, *single), run(network, *double), strict=True):
        np.testing.assert_allclose(rough, exact, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_no_rows_are_fine(link, training):
    network, theta, state, x, dy = problem(link, rows=0)
    y, gradient, dx = run(network, theta, state, x, dy, training=training)
    assert y.shape == (0, *network.output_shape)
    assert dx.shape == (0, *SHAPE)
    assert np.all(gradient == 0)


def test_rows_do_not_depend_on_each_other_in_prediction(link):
    network, theta, state, x, dy = problem(link)
    y, _, dx = run(network, theta, state, x, dy)
    for row in range(len(x)):
        alone = slice(row, row + 1)
        y_alone, _, dx_alone = run(network, theta, state, x[alone], dy[alone])
        np.testing.assert_allclose(y_alone, y[alone], rtol=1e-12)
        np.testing.assert_allclose(dx_alone, dx[alone], rtol=1e-12)


def test_a_pass_carries_nothing_from_one_batch_to_the_next(link):
    network, theta, state, x, dy = problem(link)
    gradient = np.empty_like(theta)
    running = Pass(network, theta, state, gradient=gradient, rows=len(x))
    for factor in (3.0, 1.0):
        y = running.forward(factor * x)
        running.backward(factor * dy)
        dx = running.input_gradient()
    for again, fresh in zip((y, gradient, dx), run(network, theta, state, x, dy), strict=True):
        np.testing.assert_array_equal(again, fresh)

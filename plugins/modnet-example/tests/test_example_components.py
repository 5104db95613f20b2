"""RBF and Snake: the contract of modules, values, and the hyper-parameters they refuse."""

from collections.abc import Callable

import numpy as np
import pytest
from modnet_example import RBF, Snake

from modnet import Array, Module, Network
from modnet.errors import InvalidSpecError, ShapeError
from modnet.network import Pass
from modnet.testing import parametrize_with_checks

COMPONENTS = [RBF(4), RBF(1, width=2.0, spread=0.1), Snake(), Snake(0.3), Snake(20.0)]
ROWS, FEATURES = 6, 3


def drawn(module: Module, dtype: type[np.floating] = np.float64) -> tuple[Network, Array, Array, Array, Array]:
    """Return a network of one module, with θ and a state, rows x, and a gradient dy for its output."""
    rng = np.random.default_rng(0)
    network = Network([module], (FEATURES,))
    theta, state = network.initialize(rng, dtype)
    x = rng.normal(size=(ROWS, FEATURES)).astype(dtype)
    return network, theta, state, x, rng.normal(size=(ROWS, *network.output_shape)).astype(dtype)


def gradients(network: Network, theta: Array, state: Array, x: Array, dy: Array) -> tuple[Array, Array]:
    """Return ∂J/∂θ and ∂J/∂x of J = Σ dy ∘ y."""
    gradient = np.full_like(theta, np.nan)
    running = Pass(network, theta, state, gradient=gradient, rows=len(x))
    running.forward(x)
    running.backward(dy)
    return gradient, running.input_gradient()


@parametrize_with_checks(COMPONENTS)
def test_contract(check: Callable[[], None]):
    check()


def test_a_bump_is_one_at_its_centre_and_falls_by_its_width():
    network = Network([RBF(2)], (2,))
    theta, state = network.initialize(np.random.default_rng(0))
    views = network.parameters(theta)
    views["layers[0].C"][...] = [[1.0, -1.0], [2.0, 0.0]]
    views["layers[0].g"][...] = np.log([[0.5, 2.0]])
    y = network.predict(theta, state, np.array([[1.0, 2.0], [-1.0, 0.0]]))
    np.testing.assert_allclose(y, [[1.0, np.exp(-2.0 * 8)], [np.exp(-0.5 * 8), 1.0]], rtol=1e-12)


def test_bumps_start_with_the_width_and_spread_that_were_asked_for():
    network = Network([RBF(2000, width=0.25, spread=3.0)], (FEATURES,))
    views = network.parameters(network.initialize(np.random.default_rng(0))[0])
    np.testing.assert_allclose(np.exp(views["layers[0].g"]), 1 / (2 * 0.25**2 * FEATURES))
    assert abs(views["layers[0].C"].std() - 3.0) < 0.1


def test_a_bump_never_exceeds_one_where_rounding_makes_the_squared_distance_negative():
    network, theta, state, *_ = drawn(RBF(1), np.float32)
    views = network.parameters(theta)
    views["layers[0].g"][...] = 5
    shifts = np.random.default_rng(0).normal(0, 1e4, (200, FEATURES)).astype(np.float32)
    for shift in shifts:
        views["layers[0].C"][:, 0] = shift
        assert network.predict(theta, state, shift[np.newaxis])[0, 0] <= 1


def test_rbf_far_from_every_centre_is_zero_with_a_gradient_that_is_finite():
    network, theta, state, x, dy = drawn(RBF(4))
    far = x + 1e6
    assert not network.predict(theta, state, far).any()
    assert all(np.isfinite(each).all() for each in gradients(network, theta, state, far, dy))


def test_snake_is_the_formula_and_never_falls():
    z = np.linspace(-10, 10, 2001)
    a = Snake(3.0).f(z)
    np.testing.assert_allclose(a, z + np.sin(3 * z) ** 2 / 3, rtol=1e-14)
    assert (np.diff(a) >= 0).all()


@pytest.mark.parametrize("bad", [0, -1.0, float("inf"), float("nan"), "wide", True])
def test_hyper_parameters_are_positive_numbers(bad: object):
    with pytest.raises(InvalidSpecError, match="RBF: width: "):
        RBF(4, width=bad)
    with pytest.raises(InvalidSpecError, match="Snake: alpha: "):
        Snake(bad)


def test_rbf_takes_rows_with_an_axis_of_features():
    assert Network([RBF(4)], (8, 3)).output_shape == (8, 4)
    with pytest.raises(ShapeError, match=r"layers\[0\] \(RBF\): expected rows with an axis of features"):
        Network([RBF(4)], ())

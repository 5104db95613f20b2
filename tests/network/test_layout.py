"""The layout of θ: views and not copies, regularized parameters in front, one dtype from the start."""

import numpy as np
import pytest

from modnet import Initializer, Layout, Parameter
from modnet.errors import ContractError
from modnet.initializers import GlorotUniform, Zeros
from modnet.layers import Dense, Residual
from modnet.network import Network


@pytest.fixture
def network():
    return Network([Dense(4, "tanh"), Residual([Dense(4)]), Dense(2, use_bias=False)], input_shape=(3,))


def test_parameters_are_views_of_theta(network):
    theta, _ = network.initialize(np.random.default_rng(0))
    parameters = network.parameters(theta)
    assert all(np.shares_memory(each, theta) for each in parameters.values())
    parameters["layers[0].W"][1, 2] = 7.0
    theta *= 2
    assert parameters["layers[0].W"][1, 2] == 14.0


def test_every_number_of_theta_belongs_to_exactly_one_parameter(network):
    theta = np.zeros(network.layout.size)
    for view in network.parameters(theta).values():
        view += 1
    np.testing.assert_array_equal(theta, 1)


def test_names_are_paths_and_decayed_parameters_lie_in_front(network):
    regularized = ["layers[0].W", "layers[1].body[0].W", "layers[2].W"]
    assert list(network.layout.places) == [*regularized, "layers[0].b", "layers[1].body[0].b"]
    assert network.layout.regularized == 3 * 4 + 4 * 4 + 4 * 2
    assert network.layout.size == network.layout.regularized + 4 + 4


def test_links_see_the_same_places_under_their_own_names(network):
    for link in network.walk():
        for name, place in link.places.items():
            assert network.layout.places[f"{link.path}.{name}"] == place


def test_a_leading_axis_of_members_stays_in_front(network):
    thetas = np.arange(2 * network.layout.size, dtype=float).reshape(2, -1)
    views = network.layout.views(thetas)
    assert views["layers[0].b"].shape == (2, 1, 4)
    assert np.shares_memory(views["layers[0].b"], thetas)
    np.testing.assert_array_equal(views["layers[0].W"][1], network.parameters(thetas[1])["layers[0].W"])


def test_same_seed_starts_float32_where_float64_starts(network):
    single, _ = network.initialize(np.random.default_rng(0), np.float32)
    double, _ = network.initialize(np.random.default_rng(0), np.float64)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_first_values_come_from_each_parameters_initializer():
    class Sevens(Initializer):
        def sample(self, rng, shape):
            return np.full(shape, 7.0)

    layout = Layout([("W", Parameter((3, 2), GlorotUniform())), ("b", Parameter((1, 2), Sevens(), regularized=False))])
    theta = layout.sample(np.random.default_rng(0), np.dtype(np.float64))
    np.testing.assert_array_equal(theta[6:], 7.0)
    assert len(set(theta[:6])) == 6
    assert abs(theta[:6]).max() <= np.sqrt(6 / 5)


def test_first_values_do_not_depend_on_the_order_of_parameters():
    W, V = (Parameter((3, 2), GlorotUniform()) for _ in range(2))
    one, other = (
        layout.views(layout.sample(np.random.default_rng(0), np.dtype(np.float64)))
        for layout in (Layout([("W", W), ("V", V)]), Layout([("V", V), ("b", W), ("W", W)]))
    )
    assert not np.array_equal(one["W"], one["V"])
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_another_layer_leaves_the_first_values_of_the_others_alone(network):
    more = Network([Dense(4, "tanh"), Residual([Dense(4), Dense(4)]), Dense(2, use_bias=False), Dense(5)], (3,))
    mine, theirs = (each.parameters(each.initialize(np.random.default_rng(0))[0]) for each in (network, more))
    assert mine.keys() < theirs.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name])


def test_first_values_depend_on_the_seed(network):
    thetas = [network.initialize(np.random.default_rng(seed))[0] for seed in (0, 1)]
    assert not (thetas[0] == thetas[1])[: network.layout.regularized].any()


def test_two_parameters_of_one_name_are_refused():
    with pytest.raises(ContractError, match=r"two parameters are called 'W'"):
        Layout([("W", Parameter((2, 2), Zeros())), ("W", Parameter((2, 2), Zeros()))])


def test_nothing_to_place_is_an_empty_vector():
    layout = Layout([])
    assert layout.size == layout.regularized == 0
    assert layout.sample(np.random.default_rng(0), np.dtype(np.float32)).shape == (0,)


def test_a_scalar_parameter_has_one_place():
    layout = Layout([("gain", Parameter((), Zeros())), ("W", Parameter((2, 2), Zeros()))])
    theta = np.arange(5.0)
    assert layout.views(theta)["gain"].shape == ()
    assert layout.views(theta)["gain"] == 0.0
    np.testing.assert_array_equal(layout.views(theta)["W"], [[1, 2], [3, 4]])

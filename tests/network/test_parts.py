"""What a network promises about its parts: the output of any of its layers, and what follows from there."""

import numpy as np
import pytest

from modnet import Network, errors
from modnet.layers import Dense, Residual

X = np.random.default_rng(0).normal(size=(7, 4))


def test_a_network_runs_in_two_parts_as_in_one() -> None:
    network = Network([Dense(6, "tanh"), Residual([Dense(2), Dense(6)]), Dense(3)], (4,))
    theta, state = network.initialize(np.random.default_rng(0))
    for path in ("layers[0]", "layers[1]"):
        link = network.layer(path)
        code = network.outputs_of(link, theta, state, X)
        whole = network.predict(theta, state, X)
        np.testing.assert_allclose(network.behind(link).predict(theta, state, code), whole, rtol=1e-12)


@pytest.mark.parametrize("path", ["layers[1].body[0]", "layers[2]"])
def test_there_is_nothing_to_run_behind_the_last_layer_or_one_inside_another(path: str) -> None:
    network = Network([Dense(6), Residual([Dense(2), Dense(6)]), Dense(3)], (4,))
    with pytest.raises(errors.ShapeError, match="nothing can be run from there on"):
        network.behind(network.layer(path))


def test_a_path_that_leads_to_no_layer_is_an_error_that_lists_the_paths() -> None:
    with pytest.raises(errors.ShapeError, match=r"no such layer; there are layers\[0\], layers\[0\].activation"):
        Network([Dense(6, "tanh")], (4,)).layer("layers[1]")

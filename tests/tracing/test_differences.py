"""`Trace.check`: central differences agree for every layer, and a wrong derivative anywhere is named."""

import numpy as np
import pytest

from modnet import Network, trace
from modnet.layers import Dense, Embedding, Parallel, Residual, Sequential
from modnet.testing import registered_examples

MODULES = [each for each in registered_examples("modnet-layers") if each.kind in ("layer", "activation")]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("module", MODULES, ids=repr)
def test_gradients_of_every_layer_agree_with_differences(module, training):
    x = module.example_rows(np.random.default_rng(0), 5)
    network = Network(
        [module, Dense(2, "tanh")] if len(module.output_shape(x.shape[1:])) == 1 else [module], x.shape[1:]
    )
    y = np.random.default_rng(1).normal(size=(5, *network.output_shape))
    check = trace(network, x, y, training=training).check(elements=4)
    assert check.wrong == (), check


class WrongWeights(Dense):
    """∂J/∂W is a hundredth too large."""

    def grad_params(self, ctx, dy):
        super().grad_params(ctx, dy)
        ctx.g.W *= 1.01


class WrongInput(Dense):
    """∂J/∂x lacks a column."""

    def grad_input(self, ctx, dy):
        dx = super().grad_input(ctx, dy)
        dx[:, 0] = 0
        return dx


@pytest.mark.parametrize(
    "around", [lambda m: m, lambda m: Residual([Dense(4), m]), lambda m: Parallel([Sequential([m])])]
)
@pytest.mark.parametrize(("wrong", "name"), [(WrongWeights, "W"), (WrongInput, "x")])
def test_a_wrong_derivative_is_named_where_it_is(around, wrong, name):
    t = trace(Network([Dense(4, "tanh"), around(wrong(4)), Dense(2)], (4,)), X, RNG.normal(size=(5, 2)))
    (path,) = (link.path for link in t.network.walk() if isinstance(link.module, wrong))
    found = {t.paths[each] for each in t.check().wrong}
    if name == "W":
        assert found == {f"{path}.W"}
    else:  # all in front of it is wrong, nothing behind it
        assert {"x", "layers[0].W", "layers[0].activation"} <= found
        assert not found & {path, f"{path}.W", "layers[2].W"}


def test_at_a_kink_there_is_no_derivative_and_nothing_is_wrong():
    network = Network([Dense(3, "relu"), Dense(1)], (4,))
    x = np.vstack([X, np.zeros((1, 4))])  # b = 0: z = 0 in the last row
    check = trace(network, x, np.arange(6.0)).check()
    assert check.wrong == ()
    assert np.isnan(check.numeric["z1"][-1]).all()
    assert np.isfinite(check.numeric["z1"][:-1]).all()


def test_between_codes_there_is_no_derivative():
    network = Network([Embedding(2, categories=3), Dense(1)], (2,))
    check = trace(network, [[0.0, 2.0], [1.0, 1.0]], [0.0, 1.0]).check()
    assert check.wrong == ()
    assert np.isnan(check.numeric["x"]).all()
    assert "no derivative" in str(check)


def test_gradients_that_have_vanished_are_compared_all_the_same():
    t = trace(Network([Dense(6, "sigmoid")] * 8 + [Dense(1)], (4,)), X, np.arange(5.0))
    assert np.abs(t.d["W1"]).max() < 1e-5
    assert t.check(10).wrong == ()


def test_large_arrays_are_looked_at_in_part_and_it_is_said():
    t = trace(Network([Dense(50, "tanh"), Dense(1)], (4,)), X, np.arange(5.0))
    check = t.check(elements=8)
    assert np.isfinite(check.numeric["W1"]).sum() == 8
    assert "8 of 200" in str(check)
    largest = np.unravel_index(np.abs(t.d["W1"]).argmax(), t.d["W1"].shape)
    assert np.isfinite(check.numeric["W1"][largest])
    with pytest.raises(ValueError, match="elements: should be at least 1, got 0"):
        t.check(0)
    for wrong in ("3", 2.5, True):
        with pytest.raises(ValueError, match=f"elements: should be a whole number, got {wrong!r}"):
            t.check(wrong)


def test_what_cannot_be_compared_does_not_agree():
    t = trace(Network([Dense(2)], (4,)), X * np.nan, np.zeros((5, 2)))
    assert t.check(1).wrong

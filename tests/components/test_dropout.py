"""Dropout's noise: what share it drops, what it keeps on average, and that backward sees the mask of forward."""

import numpy as np
import pytest

from modnet import Network
from modnet.errors import InvalidSpecError
from modnet.layers import Dropout
from modnet.network import Pass

X = np.ones((200, 500))


def prepared(rate, *, training=True, dtype=np.float64, seed=0):
    network = Network([Dropout(rate)], X.shape[1:])
    none = np.empty(0, dtype)
    rng = np.random.default_rng(seed)
    return Pass(network, none, none, gradient=none, rows=len(X), training=training, rng=rng)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.0, False), (0.5, False)])
def test_identity_without_a_rate_or_without_training(rate, training):
    running, dy = prepared(rate, training=training), X.copy()
    assert running.forward(X) is X
    running.backward(dy)
    assert running.input_gradient() is dy


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_dropped_is_the_rate_and_the_mean_is_kept(rate, dtype):
    y = prepared(rate, dtype=dtype).forward(X.astype(dtype))
    # 100 000 draws: five standard deviations of the share are below 0.008.
    assert np.mean(y == 0) == pytest.approx(rate, abs=0.008)
    assert y.mean(dtype=np.float64) == pytest.approx(1, abs=0.008 / (1 - rate))
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_backward_uses_the_mask_of_forward():
    running = prepared(0.3)
    y = running.forward(X)
    running.backward(X)
    np.testing.assert_array_equal(running.input_gradient(), y)


def test_every_batch_has_a_mask_of_its_own():
    running = prepared(0.5)
    first = running.forward(X).copy()
    assert not np.array_equal(running.forward(X), first)


def test_same_seed_drops_the_same_elements():
    np.testing.assert_array_equal(prepared(0.5, seed=3).forward(X), prepared(0.5, seed=3).forward(X))
    assert not np.array_equal(prepared(0.5, seed=3).forward(X), prepared(0.5, seed=4).forward(X))


@pytest.mark.parametrize("bad", [-0.1, 1.0, float("nan"), True])
def test_rates_are_probabilities_below_one(bad):
    with pytest.raises(InvalidSpecError, match="rate"):
        Dropout(bad)

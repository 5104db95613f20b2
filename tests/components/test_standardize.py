"""Standardize against scikit-learn's StandardScaler: in blocks, with weights, in float32, and before any data."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from support.single import Single

from modnet import Context, Network
from modnet.layers import Dense, Parallel, Sequential, Standardize
from modnet.network.trial import adapt
from modnet.testing import check_network

RNG = np.random.default_rng(0)
X = RNG.normal(loc=[-5.0, 0.0, 300.0], scale=[0.1, 1.0, 50.0], size=(200, 3))


def adapted(x, *, stops=(), weight=None, dtype=np.float64):
    """Return a standardizing layer that has seen x, cut into blocks at `stops`."""
    single = Single(Standardize(), x.shape[1:], dtype=dtype)
    ctx = Context(p=single.p, g=single.g, s=single.s, rng=single.rng)
    parts = [slice(*bounds) for bounds in pairwise(sorted({0, *stops, len(x)}))]
    blocks = ((x[part].astype(dtype), None if weight is None else weight[part]) for part in parts)
    Standardize().adapt(ctx, blocks)
    return single


@pytest.mark.parametrize("stops", [(), (1,), (1, 2, 3), (0, 50, 50, 117), tuple(range(1, 200))], ids=len)
def test_blocks_of_any_size_add_up_to_scikit_learns_scaler(stops):
    np.testing.assert_allclose(adapted(X, stops=stops).forward(X), StandardScaler().fit_transform(X), atol=1e-10)


@pytest.mark.parametrize("stops", [(), (1, 50, 117)], ids=len)
def test_weights_count_as_repeated_rows(stops):
    weight = RNG.integers(1, 5, len(X))
    single = adapted(X, stops=stops, weight=weight.astype(float))
    repeated = StandardScaler().fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(single.forward(X), repeated.transform(X), atol=1e-10)


@pytest.mark.parametrize("block", [7, 200, 20_000])
@pytest.mark.parametrize("arranged", [np.asarray, lambda x: np.sort(x, axis=0)], ids=["mixed", "sorted"])
def test_float32_standardizes_what_lies_far_from_zero(block, arranged):
    x = arranged(np.random.default_rng(1).normal(1e4, 1, (20_000, 1))).astype(np.float32)
    single = adapted(x, stops=range(block, len(x), block), dtype=np.float32)
    # A float32 near 10 000 is known to 0.0005, and so is the mean.
    exact = StandardScaler().fit_transform(x.astype(np.float64))
    np.testing.assert_allclose(single.forward(x), exact, atol=6e-4)
    assert 1 / single.s.factor[0, 0] == pytest.approx(x.std(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e8 / 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_becomes_zero_and_keeps_its_unit(value, dtype):
    x = np.full((1000, 1), value)
    single = adapted(x, stops=range(13, 1000, 13), dtype=dtype)
    np.testing.assert_allclose(single.forward(x), 0, atol=1e-7)
    assert single.s.factor == 1


def test_a_column_that_was_constant_in_the_first_block_only_is_standardized():
    x = np.array([[2.0], [2.0], [4.0], [4.0]])
    np.testing.assert_allclose(adapted(x, stops=(2,)).forward(x), [[-1], [-1], [1], [1]])


def test_before_any_data_it_is_the_identity():
    np.testing.assert_array_equal(Single(Standardize(), (3,)).forward(X), X)


@pytest.mark.parametrize("training", [True, False])
def test_training_leaves_the_statistics_alone(training):
    single = adapted(X)
    before = single.state.copy()
    single.training = training
    single.forward(100 * X)
    np.testing.assert_array_equal(single.state, before)


def test_gradients_are_divided_by_the_deviation():
    single = adapted(X)
    single.forward(X)
    np.testing.assert_allclose(single.backward(np.ones_like(X)), np.ones_like(X) / X.std(axis=0), rtol=1e-12)
    check_network(Standardize(), (3,))


def test_inside_a_branch_it_sees_what_the_branch_sees():
    inner = Sequential([Dense(2, use_bias=False), Standardize()])
    network = Network([Parallel([inner, Dense(1)])], (3,))
    theta, state = network.initialize(np.random.default_rng(0))
    adapt(network, theta, state, X)
    y = network.predict(theta, state, X)[:, :2]
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-12)

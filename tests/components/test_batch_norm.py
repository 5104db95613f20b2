"""BatchNorm: what it makes of a batch, what it remembers, and batches too small to have a variance."""

import numpy as np
import pytest
from support.single import Single

from modnet.errors import InvalidSpecError
from modnet.layers import BatchNorm
from modnet.testing import check_network

X = np.random.default_rng(0).normal(loc=[-3.0, 0.0, 100.0], scale=[0.5, 1.0, 20.0], size=(64, 3))


def test_a_batch_comes_out_with_mean_beta_and_deviation_gamma():
    gamma, beta = [2.0, 0.5, 1.0], [1.0, -1.0, 0.0]
    y = Single(BatchNorm(epsilon=1e-12), (3,), gamma=gamma, beta=beta).forward(X)
    np.testing.assert_allclose(y.mean(axis=0), beta, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), gamma, rtol=1e-9)


def test_shift_and_scale_of_a_feature_do_not_matter():
    y = Single(BatchNorm(epsilon=1e-12), (3,)).forward(X)
    moved = Single(BatchNorm(epsilon=1e-12), (3,)).forward(7 * X - 5)
    np.testing.assert_allclose(moved, y, rtol=1e-9)


def test_prediction_goes_by_the_running_statistics():
    mean, variance = np.array([1.0, 2.0, 3.0]), np.array([4.0, 9.0, 1.0])
    single = Single(BatchNorm(), (3,), training=False, mean=mean, variance=variance)
    np.testing.assert_allclose(single.forward(X), (X - mean) / np.sqrt(variance + 1e-5), rtol=1e-12)
    np.testing.assert_array_equal(single.s.mean, [mean])
    np.testing.assert_array_equal(single.s.variance, [variance])


def test_running_statistics_move_by_momentum_with_the_unbiased_variance():
    single = Single(BatchNorm(momentum=0.25), (3,))
    single.forward(X)
    np.testing.assert_allclose(single.s.mean[0], 0.25 * X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(single.s.variance[0], 0.75 + 0.25 * X.var(axis=0, ddof=1), rtol=1e-12)


def test_running_statistics_of_equal_batches_converge_to_theirs():
    single = Single(BatchNorm(), (3,))
    for _ in range(400):
        single.forward(X)
    np.testing.assert_allclose(single.s.mean[0], X.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(single.s.variance[0], X.var(axis=0, ddof=1), rtol=1e-10)


def test_a_batch_of_one_row_is_normalized_by_the_running_statistics_and_leaves_them_alone():
    values = {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 9.0, 1.0]}
    training = Single(BatchNorm(), (3,), **values)
    prediction = Single(BatchNorm(), (3,), training=False, **values)
    np.testing.assert_array_equal(training.forward(X[:1]), prediction.forward(X[:1]))
    dy = np.ones((1, 3))
    np.testing.assert_array_equal(training.backward(dy), prediction.backward(dy))
    np.testing.assert_array_equal(training.s.mean, [values["mean"]])
    np.testing.assert_array_equal(training.s.variance, [values["variance"]])


def test_no_rows_leave_the_running_statistics_alone():
    single = Single(BatchNorm(), (3,))
    assert single.forward(np.empty((0, 3))).shape == (0, 3)
    assert not single.s.mean.any()
    assert (single.s.variance == 1).all()


def test_a_feature_that_is_constant_in_the_batch_becomes_beta():
    y = Single(BatchNorm(), (2,), beta=[0.5, -0.5]).forward(np.full((4, 2), 1e4))
    np.testing.assert_allclose(y, [[0.5, -0.5]] * 4)


def test_gradients_in_a_batch_add_up_to_nothing_along_shift_and_scale():
    # y does not change when all x move together, or away from their mean together (epsilon aside).
    single = Single(BatchNorm(epsilon=1e-14), (3,))
    single.forward(X)
    dx = single.backward(np.random.default_rng(1).normal(size=X.shape))
    np.testing.assert_allclose(dx.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose((dx * (X - X.mean(axis=0))).sum(axis=0), 0, atol=1e-10)


@pytest.mark.parametrize("rows", [1, 2])
def test_gradients_go_through_mean_and_variance_of_the_smallest_batches(rows):
    for layer in BatchNorm.examples():
        check_network(layer, (3,), rows=rows, training=True)


def test_float32_keeps_large_means_apart():
    x = (1000 + np.random.default_rng(0).normal(size=(256, 2))).astype(np.float32)
    y = Single(BatchNorm(), (2,), dtype=np.float32).forward(x)
    exact = Single(BatchNorm(), (2,)).forward(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, exact, atol=1e-3)


def test_gains_and_biases_are_not_regularized_and_can_be_left_out():
    parameters = BatchNorm().parameters((3,))
    assert not any(each.regularized for each in parameters.values())
    assert set(BatchNorm(use_scale=False, use_bias=False).parameters((3,))) == {"mean", "variance"}


@pytest.mark.parametrize("bad", [{"momentum": 1.1}, {"momentum": -0.1}, {"epsilon": 0.0}, {"epsilon": float("inf")}])
def test_hyper_parameters_out_of_range_are_refused(bad):
    with pytest.raises(InvalidSpecError, match=next(iter(bad))):
        BatchNorm(**bad)

"""Gaussian noise, added and multiplied: its mean and variance, and what backward knows of it."""

import numpy as np
import pytest
from support.single import Single

from modnet.errors import InvalidSpecError
from modnet.layers import GaussianDropout, GaussianNoise

X = np.random.default_rng(0).normal(loc=3, size=(500, 200))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stddev", [0.01, 2.0])
def test_added_noise_has_mean_zero_and_the_deviation_asked_for(stddev, dtype):
    x = X.astype(dtype)
    noise = Single(GaussianNoise(stddev), (200,), dtype=dtype).forward(x).astype(np.float64) - x
    # 100 000 draws: five standard errors of the mean are 0.016 σ, of σ 0.011 σ.
    assert noise.mean() == pytest.approx(0, abs=0.016 * stddev)
    assert noise.std() == pytest.approx(stddev, rel=0.012)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_multiplied_noise_has_mean_one_and_the_variance_of_dropout(rate):
    factor = Single(GaussianDropout(rate), (200,)).forward(X) / X
    assert factor.mean() == pytest.approx(1, abs=0.016 * np.sqrt(rate / (1 - rate)))
    assert factor.var() == pytest.approx(rate / (1 - rate), rel=0.025)


def test_added_noise_lets_gradients_through():
    single = Single(GaussianNoise(), (200,))
    single.forward(X)
    np.testing.assert_array_equal(single.backward(X), X)


def test_multiplied_noise_multiplies_gradients():
    single = Single(GaussianDropout(), (200,))
    y = single.forward(X).copy()
    np.testing.assert_array_equal(single.backward(X), y)


@pytest.mark.parametrize("layer", [GaussianNoise(), GaussianDropout()], ids=repr)
def test_every_batch_has_noise_of_its_own_and_prediction_none(layer):
    single = Single(layer, (200,))
    first = single.forward(X).copy()
    assert not np.array_equal(single.forward(X), first)
    np.testing.assert_array_equal(Single(layer, (200,)).forward(X), first)  # the same seed
    np.testing.assert_array_equal(Single(layer, (200,), training=False).forward(X), X)


@pytest.mark.parametrize("layer", [GaussianNoise(0.0), GaussianDropout(0.0)], ids=repr)
def test_no_noise_is_the_identity(layer):
    np.testing.assert_array_equal(Single(layer, (200,)).forward(X), X)


def test_hyper_parameters_out_of_range_are_refused():
    for bad in (-0.1, float("inf"), float("nan")):
        with pytest.raises(InvalidSpecError, match="stddev"):
            GaussianNoise(bad)
    for bad in (-0.1, 1.0):
        with pytest.raises(InvalidSpecError, match="rate"):
            GaussianDropout(bad)

"""Initializers: the distributions that their docstrings promise."""

import math

import numpy as np
import pytest
import scipy.stats

from modnet.initializers import GlorotNormal, GlorotUniform, HeNormal, HeUniform, Zeros

FAN_IN, FAN_OUT = 300, 100
BOTH = FAN_IN + FAN_OUT


def sample(initializer, shape=(FAN_IN, FAN_OUT), seed=0):
    return initializer.sample(np.random.default_rng(seed), shape)


def uniform(r):
    return scipy.stats.uniform(-r, 2 * r)


@pytest.mark.parametrize(
    ("chosen", "promised"),
    [
        (GlorotUniform(), uniform(math.sqrt(6 / BOTH))),
        (GlorotUniform(2.0), uniform(2 * math.sqrt(6 / BOTH))),
        (GlorotNormal(), scipy.stats.norm(0, math.sqrt(2 / BOTH))),
        (GlorotNormal(0.5), scipy.stats.norm(0, 0.5 * math.sqrt(2 / BOTH))),
        (HeUniform(), uniform(math.sqrt(6 / FAN_IN))),
        (HeNormal(), scipy.stats.norm(0, math.sqrt(2 / FAN_IN))),
    ],
    ids=lambda value: repr(value) if hasattr(value, "sample") else "",
)
def test_samples_follow_the_distribution_promised(chosen, promised):
    values = sample(chosen).ravel()
    # The seed is fixed, so this is no lottery; a scale that is wrong by 2 % has p < 1e-3.
    assert scipy.stats.kstest(values, promised.cdf).pvalue > 0.01
    assert values.var() == pytest.approx(promised.var(), rel=0.02)  # 5 standard deviations are 1.4 % to 2 %
    low, high = promised.support()
    assert low <= values.min() <= values.max() <= high


def test_zeros_are_zeros_and_draw_nothing():
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    assert np.all(Zeros().sample(rng, (3, 4)) == 0)
    assert rng.random() == twin.random()

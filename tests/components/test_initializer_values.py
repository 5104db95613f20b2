"""Initializers: the distributions and matrices that their docstrings promise, and what "auto" stands for."""

import inspect
import math

import numpy as np
import pytest
import scipy.stats

import modnet.initializers
from modnet import Activation, Initializer
from modnet.activations import ReLU, Tanh
from modnet.component import Component
from modnet.errors import InvalidSpecError
from modnet.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Normal,
    Ones,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    Zeros,
)
from modnet_standard.initializers.fans import KernelInitializer, chosen

FAN_IN, FAN_OUT = 300, 100
BOTH = FAN_IN + FAN_OUT
CLASSES = [cls for _, cls in inspect.getmembers(modnet.initializers, inspect.isclass) if issubclass(cls, Initializer)]
EXAMPLES = [example for cls in CLASSES for example in cls.examples()]


def sample(initializer, shape=(FAN_IN, FAN_OUT), seed=0):
    return initializer.sample(np.random.default_rng(seed), shape)


def uniform(r):
    return scipy.stats.uniform(-r, 2 * r)


# Distributions


@pytest.mark.parametrize(
    ("ours", "promised"),
    [
        (GlorotUniform(), uniform(math.sqrt(6 / BOTH))),
        (GlorotUniform(2.0), uniform(2 * math.sqrt(6 / BOTH))),
        (GlorotNormal(), scipy.stats.norm(0, math.sqrt(2 / BOTH))),
        (GlorotNormal(0.5), scipy.stats.norm(0, 0.5 * math.sqrt(2 / BOTH))),
        (HeUniform(), uniform(math.sqrt(6 / FAN_IN))),
        (HeNormal(), scipy.stats.norm(0, math.sqrt(2 / FAN_IN))),
        (LecunUniform(), uniform(math.sqrt(3 / FAN_IN))),
        (LecunNormal(), scipy.stats.norm(0, math.sqrt(1 / FAN_IN))),
        (Uniform(), uniform(0.05)),
        (Uniform(1.0, 3.0), scipy.stats.uniform(1, 2)),
        (Normal(), scipy.stats.norm(0, 0.05)),
        (Normal(1.0, 0.2), scipy.stats.norm(1, 0.2)),
        (TruncatedNormal(), scipy.stats.truncnorm(-2, 2, 0, 0.05)),
        (TruncatedNormal(1.0, 0.2), scipy.stats.truncnorm(-2, 2, 1, 0.2)),
    ],
    ids=lambda value: repr(value) if isinstance(value, Initializer) else "",
)
def test_samples_follow_the_distribution_promised(ours, promised):
    values = sample(ours).ravel()
    # The seed is fixed, so this is no lottery; a scale that is wrong by 2 % has p < 1e-3.
    assert scipy.stats.kstest(values, promised.cdf).pvalue > 0.01
    assert values.var() == pytest.approx(promised.var(), rel=0.02)  # 5 standard deviations are 1.4 % to 2 %
    low, high = promised.support()
    assert low <= values.min() <= values.max() <= high


@pytest.mark.parametrize(
    ("ours", "variance"), [(HeNormal, 2 / 400), (HeUniform, 2 / 400), (LecunNormal, 1 / 400), (LecunUniform, 1 / 400)]
)
def test_the_variance_goes_by_the_inputs_of_a_unit(ours, variance):
    for shape in ((400, 300), (2, 400, 150)):
        assert sample(ours(), shape).var() == pytest.approx(variance, rel=0.02)


def test_signals_keep_their_variance_through_the_layers_that_recommend_them():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 400))
    linear = rectified = x
    for _ in range(6):
        linear = linear @ LecunNormal().sample(rng, (400, 400))
        rectified = np.maximum(rectified, 0) @ HeNormal().sample(rng, (400, 400))
    assert linear.var() == pytest.approx(1, rel=0.15)
    assert 0.5 < rectified.var() < 2  # all rows share a direction, so it varies more; half the variance of W: 1/256


# Matrices


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("shape", [(20, 20), (30, 7), (7, 30), (1, 5), (5, 1), (3, 4, 8)])
def test_an_orthogonal_matrix_keeps_lengths_on_its_shorter_side(shape, gain):
    W = sample(Orthogonal(gain), shape)
    product = W.mT @ W if shape[-2] >= shape[-1] else W @ W.mT
    expected = np.broadcast_to(gain**2 * np.eye(min(shape[-2:])), product.shape)
    np.testing.assert_allclose(product, expected, rtol=0, atol=1e-14)


def test_the_orthogonal_matrices_of_a_stack_differ():
    W = sample(Orthogonal(), (2, 5, 5))
    assert not np.allclose(W[0], W[1])


def test_orthogonal_matrices_favour_no_sign_and_no_direction():
    # Without the correction of signs, LAPACK's Q has a diagonal that is negative more often than not.
    W = sample(Orthogonal(), (4000, 4, 4))
    standard_error = math.sqrt(1 / 4 / 4000)
    assert abs(W.mean(axis=0)).max() < 4 * standard_error
    np.testing.assert_allclose((W**2).mean(axis=0), 0.25, atol=0.02)
    assert np.linalg.det(W).mean() == pytest.approx(0, abs=4 / math.sqrt(4000))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 5, 3)])
def test_identity_passes_on_what_it_can(shape):
    x = np.random.default_rng(0).normal(size=(6, shape[-2]))
    y, both = x @ sample(Identity(2.0), shape), min(shape[-2:])
    np.testing.assert_array_equal(y[..., :both], np.broadcast_to(2 * x[:, :both], (*shape[:-2], 6, both)))
    assert not y[..., both:].any()


@pytest.mark.parametrize(("ours", "value"), [(Ones(), 1), (Zeros(), 0), (Constant(), 0), (Constant(-0.3), -0.3)])
def test_one_value_is_everywhere(ours, value):
    assert np.all(sample(ours, (3, 4)) == value)


# Randomness


@pytest.mark.parametrize("ours", EXAMPLES, ids=repr)
def test_what_is_random_draws_numbers_and_what_is_not_leaves_them(ours):
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    same = np.array_equal(ours.sample(rng, (3, 4)), ours.sample(rng, (3, 4)))
    assert same == (rng.random() == twin.random())
    assert same or not isinstance(ours, Constant | Identity | Ones | Zeros)


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (Uniform, {"low": 1.0, "high": 1.0}),
        (Uniform, {"high": -1.0}),
        (Uniform, {"low": -math.inf}),
        (Normal, {"stddev": 0.0}),
        (Normal, {"mean": math.nan}),
        (TruncatedNormal, {"stddev": -1.0}),
        (Orthogonal, {"gain": 0.0}),
        (Identity, {"gain": math.inf}),
        (Constant, {"value": math.nan}),
        (GlorotNormal, {"gain": math.inf}),
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused_on_construction(cls, fields):
    with pytest.raises(InvalidSpecError, match=list(fields)[-1]):
        cls(**fields)


# "auto"


class Recommending(Activation):
    """An activation that recommends LeCun's weights."""

    recommended_init = "lecun"
    f = Tanh.f
    df = Tanh.df


def test_auto_is_what_the_activation_recommends():
    assert chosen("auto", None) == GlorotUniform()
    assert chosen("auto", Tanh()) == GlorotUniform()
    assert chosen("auto", Recommending()) == LecunNormal()
    expected = {"glorot": GlorotUniform(), "he": HeUniform(), "lecun": LecunNormal()}
    assert chosen("auto", ReLU()) == expected[ReLU.recommended_init]


def test_an_initializer_of_ones_own_is_taken_as_it_is():
    assert all(chosen(Zeros(), behind) == Zeros() for behind in (None, Tanh(), ReLU(), Recommending()))


def test_the_slot_takes_auto_and_whatever_names_an_initializer():
    class Holder(Component):
        kernel_initializer: KernelInitializer = "auto"

    assert Holder().kernel_initializer == "auto"
    assert Holder("he_normal").kernel_initializer == HeNormal()
    assert Holder({"type": "orthogonal", "gain": 2.0}).kernel_initializer == Orthogonal(2.0)
    with pytest.raises(InvalidSpecError, match="unknown initializer 'automatic'"):
        Holder("automatic")


# PyTorch


@pytest.mark.parametrize("shape", [(400, 300), (300, 400)])
@pytest.mark.parametrize(
    ("ours", "name", "settings"),
    [
        (GlorotUniform(), "xavier_uniform_", {}),
        (GlorotNormal(2.0), "xavier_normal_", {"gain": 2.0}),
        (HeUniform(), "kaiming_uniform_", {"mode": "fan_out"}),
        (HeNormal(), "kaiming_normal_", {"mode": "fan_out"}),
        (LecunNormal(), "kaiming_normal_", {"mode": "fan_out", "nonlinearity": "linear"}),
        (LecunUniform(), "kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "linear"}),
        (TruncatedNormal(0.1, 0.5), "trunc_normal_", {"mean": 0.1, "std": 0.5, "a": -0.9, "b": 1.1}),
    ],
    ids=lambda value: str(value),
)
def test_distributions_are_those_of_pytorch(ours, name, settings, shape):
    torch = pytest.importorskip("torch")
    # PyTorch's weights are (n_out, n_in), so for a matrix of ours its fan_out is our fan_in.
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), generator=torch.Generator().manual_seed(0), **settings)
    assert scipy.stats.ks_2samp(sample(ours, shape).ravel(), theirs.numpy().ravel()).pvalue > 0.01

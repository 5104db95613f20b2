"""The values of the standard losses against the textbook, SciPy and scikit-learn, in the tails as well."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.metrics import log_loss, mean_squared_error

from modnet.losses import CrossEntropy, SquaredError

RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.1, 3, 40)

softmax_loss, sigmoid_loss = CrossEntropy(), CrossEntropy("sigmoid")


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_squared_error_is_half_the_squared_distance(weight):
    y, predicted = RNG.normal(size=(2, 40, 3))
    distances = [0.5 * np.linalg.norm(row) ** 2 for row in predicted - y]
    assert SquaredError().value(y, predicted, weight=weight) == pytest.approx(np.average(distances, weights=weight))


def test_squared_error_climbs_with_the_prediction():
    np.testing.assert_array_equal(SquaredError().gradient(np.array([[1.0]]), np.array([[3.0]])), [[2.0]])


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_squared_error_is_half_of_sklearns_summed_over_outputs(weight):
    y, predicted = RNG.normal(size=(2, 40, 3))
    theirs = mean_squared_error(y, predicted, sample_weight=weight, multioutput="raw_values")
    assert SquaredError().value(y, predicted, weight=weight) == pytest.approx(0.5 * theirs.sum(), rel=1e-13)


def test_squared_error_predicts_its_raw_output():
    raw = RNG.normal(size=(4, 2))
    np.testing.assert_array_equal(SquaredError().predict(raw), raw)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_cross_entropy_of_classes_is_sklearns_log_loss(weight):
    t, z = RNG.integers(4, size=40), RNG.normal(size=(40, 4))
    theirs = log_loss(t, softmax_loss.predict(z), labels=range(4), sample_weight=weight)
    assert softmax_loss.value(t, z, weight=weight) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_cross_entropy_of_two_classes_is_sklearns_log_loss(weight):
    t, z = RNG.integers(2, size=(40, 1)).astype(float), RNG.normal(size=(40, 1))
    theirs = log_loss(t[:, 0], sigmoid_loss.predict(z)[:, 0], sample_weight=weight)
    assert sigmoid_loss.value(t, z, weight=weight) == pytest.approx(theirs, rel=1e-12)


def test_cross_entropy_of_labels_is_summed_over_them():
    t, z = RNG.integers(2, size=(40, 3)).astype(float), RNG.normal(size=(40, 3))
    each = [sigmoid_loss.value(t[:, [k]], z[:, [k]]) for k in range(3)]
    assert sigmoid_loss.value(t, z) == pytest.approx(sum(each), rel=1e-13)


def test_two_classes_are_one_logit_or_the_difference_of_two():
    t, z = RNG.integers(2, size=40), RNG.normal(size=(40, 2))
    one = z[:, [1]] - z[:, [0]]
    assert softmax_loss.value(t, z) == pytest.approx(sigmoid_loss.value(t[:, np.newaxis], one), rel=1e-13)


@pytest.mark.parametrize("scale", [1.0, 40.0, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_cross_entropy_is_right_in_the_tails(scale, dtype):
    z = (scale * RNG.choice([-1.0, -0.5, 0.0, 1.0], size=(60, 4))).astype(dtype)
    t = RNG.integers(4, size=60)
    value, gradient = softmax_loss.value_and_gradient(t, z)
    expected = -log_softmax(z.astype(np.float64), axis=-1)[np.arange(60), t].mean()
    assert value == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-13)
    exact = (softmax(z.astype(np.float64), axis=-1) - np.eye(4)[t]) / 60
    np.testing.assert_allclose(gradient, exact, rtol=0, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize("scale", [1.0, 40.0, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cross_entropy_is_right_in_the_tails(scale, dtype):
    z = (scale * RNG.choice([-1.0, -0.5, 0.0, 1.0], size=(60, 2))).astype(dtype)
    t = RNG.integers(2, size=(60, 2)).astype(dtype)
    value, gradient = sigmoid_loss.value_and_gradient(t, z)
    exact = z.astype(np.float64)
    expected = -(t * log_expit(exact) + (1 - t) * log_expit(-exact)).sum(axis=-1).mean()
    assert value == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-13)
    np.testing.assert_allclose(gradient, (expit(exact) - t) / 60, rtol=0, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize(("t", "z"), [(0.0, -40.0), (1.0, 40.0)])
def test_cross_entropy_keeps_what_the_probability_of_a_sure_answer_rounds_off(t, z):
    assert sigmoid_loss.value(np.array([[t]]), np.array([[z]])) == pytest.approx(np.exp(-40), rel=1e-12, abs=0)


def test_links_are_the_softmax_and_the_sigmoid():
    z = RNG.normal(scale=5, size=(20, 3))
    np.testing.assert_allclose(softmax_loss.predict(z), softmax(z, axis=-1), rtol=1e-13)
    np.testing.assert_allclose(sigmoid_loss.predict(z), expit(z), rtol=0, atol=4e-16)

"""The ordinal losses by their formulas, what the order does to them, and logits of any size."""

import numpy as np
import pytest
from modnet_ordinal import SORD, RankedCrossEntropy, SquaredEMD

from modnet.errors import InvalidSpecError
from modnet.losses import CrossEntropy

RNG = np.random.default_rng(0)
N, K = 7, 5
t = RNG.integers(K, size=N)
z = 2 * RNG.normal(size=(N, K))
p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
BELOW = np.cumsum(p, axis=1)[:, :-1]
TRUTH = (np.arange(K - 1) >= t[:, np.newaxis]).astype(float)
LOSSES = [SquaredEMD(), SORD(), SORD("absolute", 0.5), RankedCrossEntropy()]


def test_squared_emd_is_the_distance_of_cumulated_probabilities():
    np.testing.assert_allclose(SquaredEMD().value(t, z), np.square(BELOW - TRUTH).sum(axis=1).mean())


def test_ranked_cross_entropy_is_that_of_each_question_whether_it_is_more():
    questions = -(TRUTH * np.log(BELOW) + (1 - TRUTH) * np.log(1 - BELOW))
    np.testing.assert_allclose(RankedCrossEntropy().value(t, z), questions.sum(axis=1).mean())


@pytest.mark.parametrize(("distance", "power"), [("absolute", 1), ("squared", 2)])
def test_sord_is_cross_entropy_against_soft_labels(distance, power):
    q = np.exp(-0.7 * np.abs(np.arange(K) - t[:, np.newaxis]) ** power)
    q /= q.sum(axis=1, keepdims=True)
    loss = SORD(distance, 0.7)
    np.testing.assert_allclose(loss.value(t, z), -(q * np.log(p)).sum(axis=1).mean())
    np.testing.assert_allclose(loss.gradient(t, np.log(q)), 0, atol=1e-16)


def test_hard_labels_make_cross_entropy_of_sord():
    np.testing.assert_allclose(SORD(scale=50.0).value(t, z), CrossEntropy().value(t, z))


def test_with_two_classes_ranked_cross_entropy_is_cross_entropy():
    codes, logits = RNG.integers(2, size=9), RNG.normal(size=(9, 2))
    np.testing.assert_allclose(RankedCrossEntropy().value(codes, logits), CrossEntropy().value(codes, logits))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_miss_costs_the_more_the_further_it_is(loss):
    sure = np.array([[6.0, 0.0, 0.0, 0.0, 0.0]])
    costs = [loss.value(np.array([truth]), sure) for truth in range(K)]
    assert (np.diff(costs) > 0).all()
    assert (np.diff([CrossEntropy().value(np.array([truth]), sure) for truth in range(1, K)]) == 0).all()


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_the_order_can_be_turned_round(loss):
    turned = loss.value_and_gradient(K - 1 - t, z[:, ::-1])
    value, draw = loss.value_and_gradient(t, z)
    np.testing.assert_allclose(turned[0], value)
    np.testing.assert_allclose(turned[1][:, ::-1], draw, atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_what_all_logits_have_in_common_changes_nothing(loss):
    np.testing.assert_allclose(loss.value(t, z + 1000), loss.value(t, z))
    np.testing.assert_allclose(loss.gradient(t, z).sum(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_logits_of_any_size_give_what_their_limits_are(loss, dtype):
    sure = np.full((K, K), -1e4, dtype)
    np.fill_diagonal(sure, 1e4)
    value, draw = loss.value_and_gradient(np.arange(K), sure)
    assert np.isfinite(draw).all()
    assert draw.dtype == dtype
    if not isinstance(loss, SORD):
        assert value == 0
        np.testing.assert_allclose(draw, 0, atol=1e-15)
    wrong = loss.value(np.zeros(1, int), sure[-1:])
    expected = {SquaredEMD: K - 1, RankedCrossEntropy: 2e4 * (K - 1)}.get(type(loss))
    assert np.isfinite(wrong)
    assert expected is None or wrong == pytest.approx(expected, rel=1e-4)


def test_ranked_cross_entropy_learns_from_what_is_sure_and_wrong_and_squared_emd_does_not():
    wrong = np.array([[0.0, 0.0, 40.0]])
    truth = np.zeros(1, int)
    assert np.abs(SquaredEMD().gradient(truth, wrong)).max() < 1e-15
    np.testing.assert_allclose(RankedCrossEntropy().gradient(truth, wrong), [[-1.5, -0.5, 2.0]])


def test_codes_are_whole_numbers_from_zero():
    with pytest.raises(ValueError, match=r"an ordinal loss needs class codes 0, 1, 2, …, got -1 in row 2"):
        SquaredEMD().check_truth(np.array([0, 1, -1]))


@pytest.mark.parametrize("bad", [{"scale": 0}, {"scale": float("inf")}, {"distance": "cubed"}])
def test_bad_hyper_parameters_fail_on_construction(bad):
    with pytest.raises(InvalidSpecError, match=f"SORD: {next(iter(bad))}: "):
        SORD(**bad)

"""Quantiles: predictions that never cross, and that the data lie below as often as they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from sklearn.metrics import mean_pinball_loss

from modnet import ModelSpec
from modnet.errors import InvalidSpecError
from modnet.losses import AbsoluteError, Quantile

RNG = np.random.default_rng(0)
LEVELS = (0.1, 0.5, 0.9)
WEIGHT = RNG.uniform(0.1, 3, 40)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_it_is_sklearns_pinball_loss_summed_over_levels_and_outputs(weight):
    t, raw = RNG.normal(size=(40, 2)), RNG.normal(size=(40, 6))
    predicted = Quantile(LEVELS).predict_quantiles(raw)
    theirs = [
        mean_pinball_loss(t[:, k], predicted[:, k, j], alpha=level, sample_weight=weight)
        for k in range(2)
        for j, level in enumerate(LEVELS)
    ]
    assert Quantile(LEVELS).value(t, raw, weight=weight) == pytest.approx(sum(theirs), rel=1e-12)


def test_the_median_alone_is_half_the_absolute_error():
    t, raw = RNG.normal(size=(2, 40, 3))
    value, gradient = AbsoluteError().value_and_gradient(t, raw)
    assert Quantile().value(t, raw) == pytest.approx(0.5 * value, rel=1e-14)
    np.testing.assert_allclose(Quantile().gradient(t, raw), 0.5 * gradient, rtol=1e-14)


SIZES = st.floats(-100, 100, width=32) | st.sampled_from([-1e4, 1e4])


@settings(max_examples=30)
@given(st.sampled_from([np.float32, np.float64]).flatmap(lambda dtype: arrays(dtype, (3, 8), elements=SIZES)))
def test_predicted_quantiles_never_cross(raw):
    found = Quantile((0.05, 0.3, 0.5, 0.95)).predict_quantiles(raw)
    assert found.shape == (3, 2, 4)
    assert found.dtype == raw.dtype
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=-1) >= 0).all()


def test_the_first_column_of_a_target_is_its_lowest_quantile_and_the_others_are_steps():
    raw = RNG.normal(size=(5, 6))
    first, second = Quantile(LEVELS).predict_quantiles(raw).swapaxes(0, 1)
    for found, z in ((first, raw[:, :3]), (second, raw[:, 3:])):
        np.testing.assert_array_equal(found[:, 0], z[:, 0])
        np.testing.assert_allclose(np.diff(found), np.log1p(np.exp(z[:, 1:])), rtol=1e-12)


def test_constants_that_minimize_it_are_the_empirical_quantiles():
    t, loss = RNG.gamma(2, size=(201, 1)), Quantile(LEVELS)
    J = lambda z: loss.value(t, np.broadcast_to(z, (201, 3)))  # noqa: E731
    best = minimize(J, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}).x
    found = loss.predict_quantiles(best[np.newaxis])[0, 0]
    np.testing.assert_allclose(found, np.quantile(t, LEVELS, method="inverted_cdf"), atol=1e-5)


@pytest.mark.parametrize(
    ("levels", "index"), [(LEVELS, 1), ((0.1, 0.45, 0.9), 1), ((0.25, 0.75), 0), ((0.8, 0.9), 0), ((0.2,), 0)]
)
def test_the_prediction_is_the_level_nearest_to_the_median(levels, index):
    loss, raw = Quantile(levels), RNG.normal(size=(5, 2 * len(levels)))
    np.testing.assert_array_equal(loss.predict(raw), loss.predict_quantiles(raw)[..., index])
    assert loss.predict(raw).shape == (5, 2)


@pytest.mark.parametrize("level", [0.2, 0.5])
def test_at_the_kink_the_derivative_is_minus_tau(level):
    assert Quantile(level).gradient(np.array([[2.0]]), np.array([[2.0]])) == -level


def test_each_level_of_each_target_has_a_column():
    assert Quantile(LEVELS).width(4) == 12
    assert Quantile().width(4) == 4


def test_one_level_may_be_a_bare_number():
    assert Quantile(0.9) == Quantile((0.9,)) == Quantile([np.float32(0.9).astype(float).round(6)])
    assert ModelSpec(loss={"type": "quantile", "quantiles": 0.9}) == ModelSpec(loss=Quantile(0.9))


def test_the_schema_of_spec_files_takes_one_level_and_several():
    validator = pytest.importorskip("jsonschema").Draft202012Validator(ModelSpec.json_schema())
    for levels, fits in ((0.9, True), (LEVELS, True), (1.5, False), ([], False), ("median", False)):
        levels = list(levels) if isinstance(levels, tuple) else levels
        assert validator.is_valid({"loss": {"type": "quantile", "quantiles": levels}}) == fits


@pytest.mark.parametrize(
    ("levels", "report"),
    [
        ((0.5, 0.1), "quantiles: levels should ascend, none of them twice"),
        ((0.5, 0.5), "quantiles: levels should ascend"),
        ((), "quantiles: "),
        ((0.0, 0.5), r"quantiles\[0\]: should be greater than 0"),
        (1.0, r"quantiles\[0\]: should be less than 1"),
        ((0.5, float("nan")), r"quantiles\[1\]"),
        (True, r"quantiles\[0\]: should be a number, got True"),
        ("half", "quantiles: "),
    ],
)
def test_levels_have_to_ascend_in_the_open_unit_interval(levels, report):
    with pytest.raises(InvalidSpecError, match=report):
        Quantile(levels)

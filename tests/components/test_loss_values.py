"""The values of the standard losses against the textbook, SciPy and scikit-learn."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax, logit, softmax
from scipy.stats import norm
from sklearn.metrics import (
    hinge_loss,
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_squared_error,
    mean_tweedie_deviance,
)

from modnet.losses import (
    AbsoluteError,
    CrossEntropy,
    Focal,
    Gamma,
    GaussianNLL,
    Hinge,
    Huber,
    LogCosh,
    PerOutput,
    Poisson,
    SquaredError,
    SquaredHinge,
    Tweedie,
)

RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.1, 3, 40)

softmax_loss, sigmoid_loss = CrossEntropy(), CrossEntropy("sigmoid")
weighted_or_not = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


def same_loss(one, other, t, raw, rtol=1e-12):
    """Two losses agree in value and gradient."""
    (value, gradient), (others_value, others_gradient) = (loss.value_and_gradient(t, raw) for loss in (one, other))
    assert value == pytest.approx(others_value, rel=rtol)
    np.testing.assert_allclose(gradient, others_gradient, rtol=rtol, atol=rtol)


class TestErrors:
    """Losses of ŷ − y."""

    y, predicted = RNG.normal(size=(2, 40, 3))

    @weighted_or_not
    def test_squared_error_is_half_the_squared_distance(self, weight):
        distances = [0.5 * np.linalg.norm(row) ** 2 for row in self.predicted - self.y]
        value = SquaredError().value(self.y, self.predicted, weight=weight)
        assert value == pytest.approx(np.average(distances, weights=weight))

    def test_squared_error_climbs_with_the_prediction(self):
        np.testing.assert_array_equal(SquaredError().gradient(np.array([[1.0]]), np.array([[3.0]])), [[2.0]])

    @weighted_or_not
    def test_squared_error_is_half_of_sklearns_summed_over_outputs(self, weight):
        theirs = mean_squared_error(self.y, self.predicted, sample_weight=weight, multioutput="raw_values")
        value = SquaredError().value(self.y, self.predicted, weight=weight)
        assert value == pytest.approx(0.5 * theirs.sum(), rel=1e-13)

    @weighted_or_not
    def test_absolute_error_is_sklearns_summed_over_outputs(self, weight):
        theirs = mean_absolute_error(self.y, self.predicted, sample_weight=weight, multioutput="raw_values")
        value = AbsoluteError().value(self.y, self.predicted, weight=weight)
        assert value == pytest.approx(theirs.sum(), rel=1e-13)

    @pytest.mark.parametrize("delta", [0.3, 1.0, 2.0])
    def test_huber_is_squared_up_to_delta_and_absolute_beyond(self, delta):
        size = np.abs(self.predicted - self.y)
        each = np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))
        assert Huber(delta).value(self.y, self.predicted) == pytest.approx(each.sum(axis=1).mean(), rel=1e-13)

    def test_huber_of_a_large_delta_is_squared_error(self):
        same_loss(Huber(100.0), SquaredError(), self.y, self.predicted)

    def test_log_cosh_is_the_logarithm_of_the_hyperbolic_cosine(self):
        e = self.predicted - self.y
        assert LogCosh().value(self.y, self.predicted) == pytest.approx(np.log(np.cosh(e)).sum(axis=1).mean())
        np.testing.assert_allclose(LogCosh().gradient(self.y, self.predicted), np.tanh(e) / 40, rtol=1e-13)

    @pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-4), (np.float64, 1e-12)])
    def test_log_cosh_of_a_small_error_is_half_its_square(self, dtype, rtol):
        e = dtype(1e-3)
        value = LogCosh().value(np.zeros((1, 1), dtype), np.full((1, 1), e))
        assert value == pytest.approx(0.5 * float(e) ** 2 - float(e) ** 4 / 12, rel=rtol)

    @pytest.mark.parametrize("measure", [SquaredError(), AbsoluteError(), Huber(), LogCosh()], ids=repr)
    def test_the_prediction_is_the_raw_output(self, measure):
        np.testing.assert_array_equal(measure.predict(self.predicted), self.predicted)
        assert measure.width(3) == 3

    def test_absolute_error_is_flat_at_its_kink(self):
        assert AbsoluteError().gradient(np.array([[2.0]]), np.array([[2.0]])) == 0


class TestDeviances:
    """Losses of log ŷ that are half a deviance."""

    counts, amounts, z = RNG.poisson(1.5, (40, 3)).astype(float), RNG.gamma(2, size=(40, 3)), RNG.normal(size=(40, 3))

    @weighted_or_not
    @pytest.mark.parametrize(
        ("measure", "deviance"),
        [
            (Poisson(), mean_poisson_deviance),
            (Gamma(), mean_gamma_deviance),
            *((Tweedie(p), lambda *args, p=p, **kwargs: mean_tweedie_deviance(*args, power=p, **kwargs))
              for p in (1.0, 1.2, 1.5, 1.9, 2.0)),
        ],
        ids=lambda measure: repr(measure) if hasattr(measure, "value") else "",
    )  # fmt: skip
    def test_it_is_half_of_sklearns_summed_over_outputs(self, measure, deviance, weight):
        positive = isinstance(measure, Gamma) or measure == Tweedie(2.0)
        t, predicted = self.amounts if positive else self.counts, measure.predict(self.z)
        theirs = [0.5 * deviance(t[:, k], predicted[:, k], sample_weight=weight) for k in range(3)]
        assert measure.value(t, self.z, weight=weight) == pytest.approx(sum(theirs), rel=1e-12)

    @pytest.mark.parametrize("measure", [Poisson(), Gamma(), *map(Tweedie, (1.0, 1.3, 1.7, 2.0))], ids=repr)
    def test_it_is_least_and_0_where_the_prediction_is_the_target(self, measure):
        value, gradient = measure.value_and_gradient(self.amounts, np.log(self.amounts))
        assert value == 0
        np.testing.assert_allclose(gradient, 0, atol=1e-16)

    @pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-8])
    def test_tweedie_becomes_poisson_and_gamma_at_its_ends(self, distance):
        same_loss(Tweedie(1 + distance), Poisson(), self.counts, self.z, rtol=1e-12 + 20 * distance)
        same_loss(Tweedie(2 - distance), Gamma(), self.amounts, self.z, rtol=1e-12 + 20 * distance)

    def test_gamma_does_not_depend_on_the_unit(self):
        in_cents = Gamma().value(100 * self.amounts, self.z + np.log(100))
        assert Gamma().value(self.amounts, self.z) == pytest.approx(in_cents, rel=1e-13)

    @pytest.mark.parametrize("measure", [Poisson(), Gamma(), Tweedie()], ids=repr)
    def test_a_constant_is_best_at_the_mean(self, measure):
        gradient = measure.gradient(self.amounts, np.log(np.broadcast_to(self.amounts.mean(axis=0), (40, 3))))
        np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-15)

    def test_poisson_in_float32_keeps_the_digits_of_large_counts(self):
        t, z = np.array([[10_000.0]]), np.log(np.array([[10_100.0]])).astype(np.float32)
        exact = Poisson().value(t, z.astype(np.float64))
        assert Poisson().value(t.astype(np.float32), z) == pytest.approx(exact, rel=1e-4)


class TestGaussian:
    t, raw, loss = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 6)), GaussianNLL()

    @weighted_or_not
    def test_it_is_the_negative_log_density_less_a_constant(self, weight):
        mu, std = self.loss.predict(self.raw), self.loss.predict_std(self.raw)
        each = -norm.logpdf(self.t, mu, std).sum(axis=1) - 1.5 * np.log(2 * np.pi)
        value = self.loss.value(self.t, self.raw, weight=weight)
        assert value == pytest.approx(np.average(each, weights=weight), rel=1e-12)

    def test_means_come_first_then_spreads(self):
        assert self.loss.width(3) == 6
        np.testing.assert_array_equal(self.loss.predict(self.raw), self.raw[:, :3])
        std = np.sqrt(np.log1p(np.exp(self.raw[:, 3:])) + 1e-6)
        np.testing.assert_allclose(self.loss.predict_std(self.raw), std, rtol=1e-14)

    def test_a_constant_is_best_at_mean_and_standard_deviation(self):
        mean, variance = self.t.mean(axis=0), self.t.var(axis=0)
        best = np.concatenate([mean, np.log(np.expm1(variance - 1e-6))])
        raw = np.broadcast_to(best, (40, 6))
        np.testing.assert_allclose(self.loss.gradient(self.t, raw).sum(axis=0), 0, atol=1e-15)
        np.testing.assert_allclose(self.loss.predict_std(raw)[0], self.t.std(axis=0), rtol=1e-14)
        for nudge in 0.01 * np.concatenate([np.eye(6), -np.eye(6)]):
            assert self.loss.value(self.t, raw + nudge) > self.loss.value(self.t, raw)


class TestCrossEntropy:
    codes, z = RNG.integers(4, size=40), RNG.normal(size=(40, 4))
    labels = RNG.integers(2, size=(40, 4)).astype(float)

    @weighted_or_not
    def test_of_classes_it_is_sklearns_log_loss(self, weight):
        theirs = log_loss(self.codes, softmax_loss.predict(self.z), labels=range(4), sample_weight=weight)
        assert softmax_loss.value(self.codes, self.z, weight=weight) == pytest.approx(theirs, rel=1e-12)

    @weighted_or_not
    def test_of_two_classes_it_is_sklearns_log_loss(self, weight):
        t, z = self.labels[:, [0]], self.z[:, [0]]
        theirs = log_loss(t[:, 0], sigmoid_loss.predict(z)[:, 0], sample_weight=weight)
        assert sigmoid_loss.value(t, z, weight=weight) == pytest.approx(theirs, rel=1e-12)

    def test_of_labels_it_is_summed_over_them(self):
        each = [sigmoid_loss.value(self.labels[:, [k]], self.z[:, [k]]) for k in range(4)]
        assert sigmoid_loss.value(self.labels, self.z) == pytest.approx(sum(each), rel=1e-13)

    def test_two_classes_are_one_logit_or_the_difference_of_two(self):
        t, z = self.codes % 2, self.z[:, :2]
        one = z[:, [1]] - z[:, [0]]
        assert softmax_loss.value(t, z) == pytest.approx(sigmoid_loss.value(t[:, np.newaxis], one), rel=1e-13)

    @weighted_or_not
    def test_smoothing_of_classes_mixes_in_the_log_loss_of_every_class(self, weight):
        def theirs(codes):
            return log_loss(codes, softmax_loss.predict(self.z), labels=range(4), sample_weight=weight)

        mixed = 0.8 * theirs(self.codes) + sum(0.05 * theirs(np.full(40, k)) for k in range(4))
        value = CrossEntropy("softmax", label_smoothing=0.2).value(self.codes, self.z, weight=weight)
        assert value == pytest.approx(mixed, rel=1e-12)

    def test_smoothing_of_labels_moves_them_towards_a_half(self):
        smooth = CrossEntropy("sigmoid", label_smoothing=0.2)
        value, gradient = sigmoid_loss.value_and_gradient(0.8 * self.labels + 0.1, self.z)
        assert smooth.value(self.labels, self.z) == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(smooth.gradient(self.labels, self.z), gradient, atol=1e-16)

    def test_the_best_prediction_of_a_smoothed_class_is_not_sure(self):
        z = np.log([[0.9 + 0.1 / 4, 0.1 / 4, 0.1 / 4, 0.1 / 4]])
        np.testing.assert_allclose(CrossEntropy(label_smoothing=0.1).gradient(np.array([0]), z), 0, atol=1e-15)

    @pytest.mark.parametrize("smoothing", [0.05, 0.1, 0.5])
    def test_predictions_are_without_the_smoothing(self, smoothing):
        p = RNG.dirichlet(np.ones(4), size=50)
        softened = CrossEntropy("softmax", smoothing), np.log((1 - smoothing) * p + smoothing / 4)
        halved = CrossEntropy("sigmoid", smoothing), logit((1 - smoothing) * p + smoothing / 2)
        for loss, z in (softened, halved):
            np.testing.assert_allclose(loss.predict(z), p, rtol=1e-9, atol=1e-14)
            np.testing.assert_allclose(loss.log_predict(z), np.log(p), rtol=1e-9, atol=1e-9)

    def test_what_no_smoothed_truth_asks_for_is_the_least_probability(self):
        smooth = CrossEntropy("softmax", 0.1), CrossEntropy("sigmoid", 0.1)
        p, alone = (loss.predict(np.array([[9.0, 3.0, -9.0], [0.0, 0.0, 0.0]])) for loss in smooth)
        eps = np.finfo(float).eps
        np.testing.assert_array_equal(alone, [[1 - eps, 1 - eps, eps], [0.5, 0.5, 0.5]])
        np.testing.assert_allclose(p[0], [1, eps, eps], rtol=0.1)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-15)
        np.testing.assert_allclose(smooth[0].log_predict(np.array([[9.0, -9.0]])), [[0, np.log(eps)]], atol=0.1)

    @pytest.mark.parametrize("name", ["softmax", "sigmoid"])
    def test_no_smoothing_is_not_there_at_all(self, name):
        t = self.codes if name == "softmax" else self.labels
        value, gradient = CrossEntropy(name, label_smoothing=0.0).value_and_gradient(t, self.z)
        assert value == CrossEntropy(name).value(t, self.z)
        np.testing.assert_array_equal(gradient, CrossEntropy(name).gradient(t, self.z))

    @pytest.mark.parametrize("scale", [1.0, 40.0, 1e4])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_softmax_is_right_in_the_tails(self, scale, dtype):
        z = (scale * RNG.choice([-1.0, -0.5, 0.0, 1.0], size=(60, 4))).astype(dtype)
        t = RNG.integers(4, size=60)
        value, gradient = softmax_loss.value_and_gradient(t, z)
        expected = -log_softmax(z.astype(np.float64), axis=-1)[np.arange(60), t].mean()
        assert value == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-13)
        exact = (softmax(z.astype(np.float64), axis=-1) - np.eye(4)[t]) / 60
        np.testing.assert_allclose(gradient, exact, rtol=0, atol=np.finfo(dtype).eps)

    @pytest.mark.parametrize("scale", [1.0, 40.0, 1e4])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_sigmoid_is_right_in_the_tails(self, scale, dtype):
        z = (scale * RNG.choice([-1.0, -0.5, 0.0, 1.0], size=(60, 2))).astype(dtype)
        t = RNG.integers(2, size=(60, 2)).astype(dtype)
        value, gradient = sigmoid_loss.value_and_gradient(t, z)
        exact = z.astype(np.float64)
        expected = -(t * log_expit(exact) + (1 - t) * log_expit(-exact)).sum(axis=-1).mean()
        assert value == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-13)
        np.testing.assert_allclose(gradient, (expit(exact) - t) / 60, rtol=0, atol=np.finfo(dtype).eps)

    @pytest.mark.parametrize(("t", "z"), [(0.0, -40.0), (1.0, 40.0)])
    def test_it_keeps_what_the_probability_of_a_sure_answer_rounds_off(self, t, z):
        assert sigmoid_loss.value(np.array([[t]]), np.array([[z]])) == pytest.approx(np.exp(-40), rel=1e-12, abs=0)

    @pytest.mark.parametrize("cls", [CrossEntropy, Focal])
    def test_links_are_the_softmax_and_the_sigmoid(self, cls):
        z = RNG.normal(scale=5, size=(20, 3))
        np.testing.assert_allclose(cls(link="softmax").predict(z), softmax(z, axis=-1), rtol=1e-13)
        np.testing.assert_allclose(cls(link="sigmoid").predict(z), expit(z), rtol=0, atol=4e-16)
        np.testing.assert_allclose(cls(link="softmax").log_predict(z), log_softmax(z, axis=-1), rtol=1e-13)
        np.testing.assert_allclose(cls(link="sigmoid").log_predict(z), log_expit(z), rtol=1e-13)


class TestFocal:
    codes, z = RNG.integers(4, size=40), RNG.normal(scale=2, size=(40, 4))
    labels = RNG.integers(2, size=(40, 4)).astype(float)

    def test_without_focus_it_is_cross_entropy(self):
        same_loss(Focal(0.0), sigmoid_loss, self.labels, self.z)
        same_loss(Focal(0.0, link="softmax"), softmax_loss, self.codes, self.z)

    @pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
    def test_it_is_the_papers_formula(self, gamma):
        p = softmax(self.z, axis=1)[np.arange(40), self.codes]
        each = -((1 - p) ** gamma) * np.log(p)
        assert Focal(gamma, link="softmax").value(self.codes, self.z) == pytest.approx(each.mean(), rel=1e-12)
        p = np.where(self.labels == 1, expit(self.z), expit(-self.z))
        each = np.where(self.labels == 1, 0.25, 0.75) * -((1 - p) ** gamma) * np.log(p)
        value = Focal(gamma, alpha=0.25).value(self.labels, self.z)
        assert value == pytest.approx(each.sum(axis=1).mean(), rel=1e-12)

    def test_two_classes_are_one_logit_or_the_difference_of_two(self):
        t, z = self.codes % 2, self.z[:, :2]
        one = Focal().value(t[:, np.newaxis], z[:, [1]] - z[:, [0]])
        assert Focal(link="softmax").value(t, z) == pytest.approx(one, rel=1e-12)

    def test_an_alpha_of_a_half_halves_it(self):
        assert Focal(alpha=0.5).value(self.labels, self.z) == pytest.approx(0.5 * Focal().value(self.labels, self.z))

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
    @pytest.mark.parametrize("name", ["sigmoid", "softmax"])
    def test_it_keeps_all_digits_where_the_answer_is_sure(self, gamma, name):
        t, z = (
            (np.array([[1.0]]), np.array([[40.0]])) if name == "sigmoid" else (np.array([1]), np.array([[0.0, 40.0]]))
        )
        value, gradient = Focal(gamma, link=name).value_and_gradient(t, z)
        # With p = 1 − ε: J = ε^γ ε and ∂J/∂m = −ε^γ (ε + γ ε).
        assert value == pytest.approx(np.exp(-40 * (1 + gamma)), rel=1e-12, abs=0)
        assert gradient[0, -1] == pytest.approx(-(1 + gamma) * np.exp(-40 * (1 + gamma)), rel=1e-12, abs=0)

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
    def test_where_the_answer_is_wrong_and_sure_it_is_cross_entropy(self, gamma):
        same_loss(Focal(gamma), sigmoid_loss, np.array([[1.0, 0.0]]), np.array([[-1e4, 1e4]]))
        same_loss(Focal(gamma, link="softmax"), softmax_loss, np.array([0]), np.array([[-1e4, 1e4, 0.0]]))


class TestMargins:
    codes, z = RNG.integers(4, size=40), RNG.normal(size=(40, 4))
    labels = RNG.integers(2, size=(40, 4)).astype(float)

    @weighted_or_not
    def test_hinge_of_two_classes_is_sklearns(self, weight):
        t, z = self.labels[:, [0]], self.z[:, [0]]
        theirs = hinge_loss(t[:, 0], z[:, 0], sample_weight=weight)
        assert Hinge().value(t, z, weight=weight) == pytest.approx(theirs, rel=1e-13)

    @pytest.mark.parametrize(("cls", "power"), [(Hinge, 1), (SquaredHinge, 2)])
    def test_labels_should_lie_beyond_1_on_their_side(self, cls, power):
        each = np.maximum(0, 1 - np.where(self.labels == 1, 1, -1) * self.z) ** power
        assert cls().value(self.labels, self.z) == pytest.approx(each.sum(axis=1).mean(), rel=1e-13)

    @pytest.mark.parametrize(("cls", "power"), [(Hinge, 1), (SquaredHinge, 2)])
    def test_the_true_class_should_lead_every_other_by_1(self, cls, power):
        each = [
            sum(max(0, 1 - z[t] + z[j]) ** power for j in range(4) if j != t)
            for t, z in zip(self.codes, self.z, strict=True)
        ]
        assert cls("exclusive").value(self.codes, self.z) == pytest.approx(np.mean(each), rel=1e-13)

    @pytest.mark.parametrize("cls", [Hinge, SquaredHinge])
    def test_two_classes_are_one_score_or_the_difference_of_two(self, cls):
        t, z = self.codes % 2, self.z[:, :2]
        one = cls().value(t[:, np.newaxis], z[:, [1]] - z[:, [0]])
        assert cls("exclusive").value(t, z) == pytest.approx(one, rel=1e-13)

    @pytest.mark.parametrize("cls", [Hinge, SquaredHinge])
    def test_predictions_are_scores_and_no_probabilities(self, cls):
        assert cls().predict(self.z) is self.z
        assert not cls.probabilistic

    def test_hinge_is_flat_at_its_kink(self):
        assert Hinge().gradient(np.array([[1.0]]), np.array([[1.0]])) == 0
        np.testing.assert_array_equal(Hinge("exclusive").gradient(np.array([0]), np.array([[1.0, 0.0, -5.0]])), 0)


class TestPerOutput:
    t, raw = np.stack([RNG.integers(3, size=40), RNG.integers(2, size=40)], axis=1), RNG.normal(size=(40, 4))

    def test_it_is_the_sum_of_its_losses(self):
        loss = PerOutput([CrossEntropy(), Focal()], [3, 1])
        each = CrossEntropy().value(self.t[:, 0], self.raw[:, :3]), Focal().value(self.t[:, [1]], self.raw[:, 3:])
        assert loss.value(self.t, self.raw) == pytest.approx(sum(each), rel=1e-14)

    def test_it_has_probabilities_if_all_its_losses_have(self):
        assert PerOutput([CrossEntropy(), Focal()], [3, 1]).probabilistic
        assert not PerOutput([CrossEntropy(), Hinge()], [3, 1]).probabilistic

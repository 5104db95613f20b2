"""Losses with one slip each, and the checks that find them."""

import numpy as np
import pytest

from modnet import DensityLoss, Loss, QuantileLoss
from modnet.losses import CrossEntropy, Poisson, SquaredError

GRADIENT = "the_gradient_agrees_with_central_differences"
LINKS = "links_says_whether_predictions_are_the_raw_output"
SCALE = "the_truth_may_be_changed_as_target_scale_says"
RISE = "predictions_rise_with_the_raw_output"
ONNX = "onnxruntime_predicts_the_same"  # where it is installed: the ONNX that is inherited knows nothing of the slip
WEIGHTS = {"a_weight_of_k_is_a_row_k_times", "a_weight_of_zero_is_a_row_left_out", "only_the_ratio_of_weights_counts"}


class Square(Loss):
    """J = ½ ‖ŷ − y‖², as it should be; others change a line."""

    def for_task(self, task, widths=()):
        return self if task == "regression" else None

    def value(self, t, raw, *, weight=None):
        return float(np.average(0.5 * np.square(raw - t).sum(axis=-1), weights=weight))

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = np.subtract(raw, t, out=out)
        draw *= 1 / len(raw) if weight is None else (weight / weight.sum())[:, np.newaxis]
        return draw

    def predict(self, raw):
        return raw


class SumInGradient(Square):
    """The gradient forgets the 1/n."""

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = np.subtract(raw, t, out=out)
        if weight is not None:
            draw *= (weight / weight.sum())[:, np.newaxis]
        return draw


class SumInBoth(Square):
    """Value and gradient forget the 1/n, without weights."""

    def value(self, t, raw, *, weight=None):
        return super().value(t, raw, weight=weight) * (len(raw) if weight is None else 1)

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = super().gradient(t, raw, weight=weight, out=out)
        draw *= len(raw) if weight is None else 1
        return draw


class UnweightedGradient(Square):
    """The gradient forgets the weights."""

    def gradient(self, t, raw, *, weight=None, out=None):
        return super().gradient(t, raw, out=out)


class Unweighted(UnweightedGradient):
    """Value and gradient forget the weights."""

    def value(self, t, raw, *, weight=None):
        return super().value(t, raw)


class WeightsAsTheyAre(Square):
    """Weights are not divided by their sum."""

    def value(self, t, raw, *, weight=None):
        return super().value(t, raw, weight=weight) * (1 if weight is None else float(weight.sum()))

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = super().gradient(t, raw, weight=weight, out=out)
        draw *= 1 if weight is None else weight.sum()
        return draw


class MeanOverOutputs(Square):
    """The value is averaged over outputs, the gradient is not: scikit-learn's issue 8349."""

    def value(self, t, raw, *, weight=None):
        return super().value(t, raw, weight=weight) / raw.shape[-1]


class WrongSign(Square):
    """The gradient climbs: y − ŷ."""

    def gradient(self, t, raw, *, weight=None, out=None):
        return np.negative(super().gradient(t, raw, weight=weight, out=out), out=out)


class OtherTogether(Square):
    """Value and gradient together are not those alone."""

    def value_and_gradient(self, t, raw, *, weight=None, out=None):
        return 2 * self.value(t, raw, weight=weight), self.gradient(t, raw, weight=weight, out=out)


class IgnoresOut(Square):
    """Returns a fresh gradient."""

    def gradient(self, t, raw, *, weight=None, out=None):
        return super().gradient(t, raw, weight=weight)


class WritesIntoRaw(Square):
    """Takes raw as scratch memory."""

    def gradient(self, t, raw, *, weight=None, out=None):
        raw -= t
        return super().gradient(0 * t, raw, weight=weight, out=out)


class Float64(Square):
    """The gradient is float64 whatever raw is."""

    def gradient(self, t, raw, *, weight=None, out=None):
        return super().gradient(np.asarray(t, np.float64), raw, weight=weight, out=out)


class NumpyFloat(Square):
    """The value is a number of NumPy's."""

    def value(self, t, raw, *, weight=None):
        return np.float64(super().value(t, raw, weight=weight))


class Logistic(Loss):
    """J = log(1 + e^−yz), as it is written, which overflows."""

    links = True

    def for_task(self, task, widths=()):
        return self if task == "binary" else None

    def value(self, t, raw, *, weight=None):
        return float(np.average(np.log(1 + np.exp((1 - 2 * t) * raw))[:, 0], weights=weight))

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = np.subtract(1 / (1 + np.exp(-raw)), t, out=out)
        draw *= 1 / len(raw) if weight is None else (weight / weight.sum())[:, np.newaxis]
        return draw

    def predict(self, raw):
        return 1 / (1 + np.exp(-raw))


class Calm(Logistic):
    """Logistic, without its overflow, and without a link: predictions are no probabilities."""

    def value(self, t, raw, *, weight=None):
        return float(np.average(np.logaddexp(0, (1 - 2 * t) * raw)[:, 0], weights=weight))

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = np.subtract(0.5 * (1 + np.tanh(0.5 * raw)), t, out=out)
        draw *= 1 / len(raw) if weight is None else (weight / weight.sum())[:, np.newaxis]
        return draw

    def predict(self, raw):
        return raw


class TurnedRound(Calm):
    """The probability of the other class."""

    def predict(self, raw):
        return 0.5 * (1 - np.tanh(0.5 * raw))


class Waves(Square):
    """A link that does not rise everywhere."""

    links = True

    def predict(self, raw):
        return raw + 2 * np.sin(raw)


class WrongWidth(Square):
    """Predicts a column too few."""

    def predict(self, raw):
        return raw[:, :-1]


class NoTasks(Square):
    """Serves nothing."""

    def for_task(self, task, widths=()):
        return None


class NoLoss(Square):
    """Returns fields in the place of a loss."""

    def for_task(self, task, widths=()):
        return {"link": "exp"} if task == "regression" else None


class Picky(Square):
    """Takes positive numbers only, and does not say which."""

    def check_truth(self, t):
        if (t < 0).any():
            raise ValueError("needs targets ≥ 0")


class Crossing(Square, QuantileLoss):
    """Two quantiles that may cross."""

    def predict_quantiles(self, raw):
        return np.stack([raw, -raw], axis=-1)


class NegativeSpread(Square, DensityLoss):
    """The logarithm of a standard deviation in its place."""

    def predict_std(self, raw):
        return raw - 10


class HiddenLink(Calm):
    """Predicts probabilities, and says that it has no link."""

    links = False

    def predict(self, raw):
        return 0.5 * (1 + np.tanh(0.5 * raw))


class HalfWay(CrossEntropy):
    """Looks for the largest logit, which two classes of equal probability may not share."""

    def codes(self, task, raw):
        return raw.argmax(axis=1) if task == "multiclass" else (raw > 0).astype(int)


class Relative(Square):
    """The larger the target, the less an error counts, and the target may be moved."""

    target_scale = "affine"

    def value(self, t, raw, *, weight=None):
        return super().value(t / (1 + abs(t)), raw / (1 + abs(t)), weight=weight)

    def gradient(self, t, raw, *, weight=None, out=None):
        draw = super().gradient(t, raw, weight=weight, out=out)
        draw /= np.square(1 + abs(t))
        return draw


class Logarithms(Square):
    """Learns log t, and lets numbers be centred that are positive, which it does not check."""

    links = True
    target_scale = "affine"

    def example_truth(self, task, rng, n):
        return rng.gamma(2.0, size=(n, 3)) + 9

    def value(self, t, raw, *, weight=None):
        return super().value(np.log(t), raw, weight=weight)

    def gradient(self, t, raw, *, weight=None, out=None):
        return super().gradient(np.log(t), raw, weight=weight, out=out)


class Counts(Poisson):
    """Takes no negative numbers, and lets them be centred."""

    target_scale = "affine"


class Rates(Square):
    """Predicts whatever comes, and says that it is positive."""

    target_scale = "scale"


class Stretched(Square):
    """Has a word of its own."""

    target_scale = "stretch"


BROKEN = [
    (SumInGradient(), {GRADIENT, "rows_are_averaged", "a_weight_of_k_is_a_row_k_times"}, set()),
    (SumInBoth(), {"rows_are_averaged", "a_weight_of_k_is_a_row_k_times"}, set()),
    (
        UnweightedGradient(),
        {GRADIENT, "a_weight_of_zero_is_a_row_left_out"},
        {*WEIGHTS, "the_loss_falls_along_its_negative_gradient"},
    ),
    (Unweighted(), {"a_weight_of_k_is_a_row_k_times", "a_weight_of_zero_is_a_row_left_out"}, set()),
    (WeightsAsTheyAre(), {"a_weight_of_k_is_a_row_k_times", "only_the_ratio_of_weights_counts"}, {*WEIGHTS}),
    (MeanOverOutputs(), {GRADIENT}, set()),
    (WrongSign(), {GRADIENT, "the_loss_falls_along_its_negative_gradient"}, {"out_is_written_and_returned"}),
    (OtherTogether(), {"value_and_gradient_are_value_and_gradient"}, {"float32_is_kept_and_agrees_with_float64"}),
    (IgnoresOut(), {"out_is_written_and_returned"}, set()),
    (WritesIntoRaw(), {"arguments_are_only_read"}, None),
    (Float64(), {"float32_is_kept_and_agrees_with_float64"}, set()),
    (NumpyFloat(), {"value_and_gradient_are_value_and_gradient"}, set()),
    (Logistic(), {"extreme_raw_output_gives_no_nan"}, set()),
    (Calm(), {"predictions_are_on_the_scale_of_the_truth"}, set()),
    (TurnedRound(), {RISE}, set()),
    (Waves(), {RISE}, set()),
    (WrongWidth(), {"predictions_are_on_the_scale_of_the_truth"}, {RISE, LINKS, ONNX}),
    (NoTasks(), {"it_serves_tasks_of_estimators"}, set()),
    (NoLoss(), {"it_serves_tasks_of_estimators"}, None),
    (Picky(), {"the_example_truth_is_accepted"}, set()),
    (Crossing(), {"quantiles_ascend"}, {ONNX}),
    (HiddenLink(), {LINKS}, {ONNX}),
    (HalfWay(), {"classes_are_read_off_predictions"}, set()),
    (Relative(), {SCALE}, set()),
    (Logarithms(), {"an_estimator_learns_numbers_in_any_units"}, set()),
    (Counts(), {SCALE}, set()),
    (Rates(), {SCALE}, set()),
    (Stretched(), {SCALE}, set()),
    (NegativeSpread(), {"standard_deviations_are_positive"}, {ONNX}),
]


@pytest.mark.parametrize(("loss", "by", "also"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, loss, by, also):
    found = set(failures(loss))
    assert by <= found
    if also is not None:
        assert found <= by | also


@pytest.mark.parametrize("loss", [Square(), SquaredError(), CrossEntropy()], ids=repr)
def test_what_is_right_passes(failures, loss):
    assert failures(loss) == {}


def test_the_task_is_named(failures):
    assert failures(MeanOverOutputs())[GRADIENT].example.startswith("task regression, MeanOverOutputs(), float64")

"""The contract of losses, in every task that they serve: gradient, weights, `out`, and arguments that are only read.

Then what they predict, in which dtype, and at the ends of the numbers.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np

from modnet.base import Array, DensityLoss, Loss, QuantileLoss, TargetScale, Task, served
from modnet.testing.comparing import CheckFailed, check_gradient, element, expect, expect_same, shown
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules, for_cases, guarded, nothing_kept

RULES = Rules()

ROWS = 6


@dataclasses.dataclass
class Measured:
    """A loss set up for a task, with a truth, a raw output and, perhaps, weights."""

    loss: Loss
    task: Task
    t: Array
    raw: Array
    weight: Array | None = None
    columns: int = 1

    @classmethod
    def of(cls, loss: Loss, task: Task, *, weighted: bool, rows: int = ROWS, dtype: Any = np.float64) -> "Measured":
        """Return a loss with numbers drawn for it."""
        loss = served(loss)[task]
        columns = prediction_columns(loss, task)
        rng = np.random.default_rng(0)
        t = loss.example_truth(task, rng, ROWS)[:rows]
        raw = rng.normal(scale=2, size=(ROWS, loss.width(columns)))[:rows]
        weight = rng.uniform(0.1, 3, ROWS)[:rows] if weighted else None
        return cls(loss, task, t, raw, weight, columns).astype(dtype)

    def arrays(self) -> dict[str, Any]:
        """Return all arrays by name."""
        return {"t": self.t, "raw": self.raw, **({} if self.weight is None else {"weight": self.weight})}

    def value(self) -> float:
        """Return J."""
        return self.loss.value(self.t, self.raw, weight=self.weight)

    def gradient(self, out: Array | None = None) -> Array:
        """Return ∂J/∂raw."""
        return self.loss.gradient(self.t, self.raw, weight=self.weight, out=out)

    def both(self, out: Array | None = None) -> tuple[float, Array]:
        """Return J and ∂J/∂raw."""
        return self.loss.value_and_gradient(self.t, self.raw, weight=self.weight, out=out)

    def rows(self, chosen: Any) -> "Measured":
        """Return the same with some of the rows."""
        return dataclasses.replace(self, **{name: each[chosen] for name, each in self.arrays().items()})

    def astype(self, dtype: Any) -> "Measured":
        """Return the same numbers in another dtype; codes of classes stay integers."""
        floats = {name: each.astype(dtype) for name, each in self.arrays().items() if each.dtype.kind == "f"}
        return dataclasses.replace(self, **floats)

    def example(self) -> str:
        """Return it as a failed check shows it."""
        return f"task {self.task}, {self.loss!r}, {self.raw.dtype}\n{shown(self.arrays())}"


def prediction_columns(loss: Loss, task: Task) -> int:
    """Return how many columns predictions have for the example truth of a task."""
    t = loss.example_truth(task, np.random.default_rng(0), 200)
    if task == "multioutput":
        classes = t.max(axis=0) + 1
        return int(np.where(classes == 2, 1, classes).sum())  # one column tells two classes apart
    return 3 if task == "multiclass" else t.shape[-1]


def for_tasks(**given: Sequence[Any]) -> Callable[[Callable[[Measured], None]], Callable[[Loss], None]]:
    """Make a check of a loss out of one of a loss in a task, with weights and without unless `given` says otherwise."""
    values = {"weighted": (False, True), **given}
    fewer = ({"rows": 1}, {"rows": 2})
    return for_cases(Measured.of, lambda loss: {"task": served(loss), **values}, lambda loss, case: fewer)


@RULES.add()
def it_serves_tasks_of_estimators(loss: Loss) -> None:
    """`for_task` returns the loss, set up, or None, for every task; asked again it returns the same; one is served.

    Usually: `for_task` returns None throughout, or something that is no loss
    """
    found = served(loss)
    expect(found, "for_task returns None for every task: no estimator could use it")
    for task, ready in found.items():
        expect(isinstance(ready, type(loss)), f"for_task({task!r}) returned {ready!r}, not a {type(loss).__name__}")
        expect(served(ready).get(task) == ready, f"for_task({task!r}) changes what it has returned: {ready!r}")


@RULES.add(for_tasks(weighted=(False,)))
def the_example_truth_is_accepted(measured: Measured) -> None:
    """`check_truth` accepts what `example_truth` returns, and leaves it as it is.

    Usually: check_truth is stricter than example_truth: define example_truth where not any truth of the task will do
    """
    n = len(measured.t)
    expect(n == len(measured.raw), f"example_truth should return {len(measured.raw)} rows, got {n}")
    with guarded(measured.t):
        measured.loss.check_truth(measured.t)


@RULES.add(for_tasks(rows=(ROWS, 1)))
def the_gradient_agrees_with_central_differences(measured: Measured) -> None:
    """`gradient` is the derivative of `value`, the average included, with weights and without, to 1e-6.

    Usually: a factor or a sign left out, forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ; or an average over
    outputs, where J is their sum
    """
    J = lambda raw: dataclasses.replace(measured, raw=raw).value()  # noqa: E731
    check_gradient(J, measured.raw, measured.gradient(), subject="∂J/∂raw")


@RULES.add(for_tasks())
def value_and_gradient_are_value_and_gradient(measured: Measured) -> None:
    """`value_and_gradient` returns what `value` and `gradient` return.

    Usually: value_and_gradient takes another path than value and gradient
    """
    for name, value in (("value_and_gradient", measured.both()[0]), ("value", measured.value())):
        expect(type(value) is float, f"{name} should return a float for J, got {type(value).__name__}")
    _same_cost(measured.both(), measured, "by value_and_gradient", "alone", rtol=1e-14)


@RULES.add(for_tasks(weighted=(False,)))
def rows_are_averaged(measured: Measured) -> None:
    """J is averaged over rows: twice the same rows cost what they cost once, and each counts half as much.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    twice = measured.rows(np.repeat(np.arange(len(measured.raw)), 2))
    _same_cost((twice.value(), 2 * twice.gradient()[::2]), measured, "with every row twice", "with each once")


@RULES.add(for_tasks(weighted=(False,)))
def a_weight_of_k_is_a_row_k_times(measured: Measured) -> None:
    """A row of weight k counts as much as k rows, in value and gradient.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    counts = np.resize([1, 3, 2], len(measured.raw))
    repeated = measured.rows(np.repeat(np.arange(len(counts)), counts))
    summed = np.add.reduceat(repeated.gradient(), np.cumsum(counts) - counts, axis=0)
    weighted = dataclasses.replace(measured, weight=counts.astype(float))
    _same_cost((repeated.value(), summed), weighted, "with rows repeated", "with weights")


@RULES.add(for_tasks(weighted=(False,)))
def a_weight_of_zero_is_a_row_left_out(measured: Measured) -> None:
    """A row of weight zero counts as absent.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    weight = np.resize([1.0, 0.0, 2.0, 0.5], len(measured.raw))
    weighted = dataclasses.replace(measured, weight=weight)
    gradient = weighted.gradient()
    kept = weighted.rows(weight > 0)
    _same_cost((weighted.value(), gradient[weight > 0]), kept, "beside a row of weight 0", "without the row")
    expect_same("∂J/∂raw", gradient[weight == 0], 0 * gradient[weight == 0], "in rows of weight 0", "should be")


@RULES.add(for_tasks(weighted=(True,)))
def only_the_ratio_of_weights_counts(measured: Measured) -> None:
    """Weights times a number are the same weights.

    Usually: forgot the 1/n, or the weights: J = Σᵢ wᵢ Jᵢ / Σᵢ wᵢ
    """
    assert measured.weight is not None
    for scale in (1e-6, 1e6):
        scaled = dataclasses.replace(measured, weight=scale * measured.weight)
        _same_cost((scaled.value(), scaled.gradient()), measured, f"with {scale:g} · weights", "with weights")


@RULES.add(for_tasks())
def out_is_written_and_returned(measured: Measured) -> None:
    """As in NumPy, the gradient is written into `out`, whatever it holds, and `out` returned.

    Usually: `out` not passed on to the last step, or a product into a fresh array behind it
    """
    expected = measured.gradient()
    for name, call in (("gradient", measured.gradient), ("value_and_gradient", lambda out: measured.both(out)[1])):
        out = np.full_like(measured.raw, np.nan)
        expect(call(out) is out, f"{name}(…, out=out) returned another array than out")
        expect_same(f"what {name} returns", out, expected, "with out", "without", rtol=1e-14)


@RULES.add(for_tasks())
def arguments_are_only_read(measured: Measured) -> None:
    """t, raw and weights are only read, and nothing is kept of them.

    Usually: raw or t taken as scratch memory: raw -= …, out=raw
    """
    with guarded(measured.t, measured.raw, measured.weight), nothing_kept(measured.loss):
        measured.value()
        measured.gradient()
        measured.both()
        measured.loss.predict(measured.raw)


def _same_cost(found: tuple[float, Array], measured: Measured, here: str, there: str, *, rtol: float = 1e-12) -> None:
    """Compare J and ∂J/∂raw with those of a measured loss."""
    expect_same("J", found[0], measured.value(), here, there, rtol=rtol)
    expect_same("∂J/∂raw", found[1], measured.gradient(), here, there, rtol=rtol, atol=1e-15)


# Predictions


@RULES.add(for_tasks(dtype=(np.float32,)))
def float32_is_kept_and_agrees_with_float64(measured: Measured) -> None:
    """In float32 gradient and predictions are float32, and J and they are those of float64, to 1e-5 and 1e-3.

    Usually: a np.float64 among float32 arrays; or numbers that cancel: log1p and expm1 keep the digits that log and exp
    lose
    """
    value, gradient = measured.both()
    for name, array in {"the gradient": gradient, **_predicted(measured)}.items():
        expect(array.dtype == np.float32, f"{name} has dtype {array.dtype}, raw has float32")
    exact = measured.astype(np.float64)
    expect_same("J", value, exact.value(), "in float32", "in float64", rtol=1e-5, atol=1e-7)
    expect_same("∂J/∂raw", gradient, exact.gradient(), "in float32", "in float64", rtol=1e-3, atol=1e-6)


@RULES.add(for_tasks())
def the_loss_falls_along_its_negative_gradient(measured: Measured) -> None:
    """A short step against the gradient lowers J.

    Usually: the sign of the gradient: ∂J/∂ŷ = ŷ − y, not y − ŷ
    """
    before, gradient = measured.value(), measured.gradient()
    longest = np.abs(gradient).max()
    if longest == 0:  # as of a hinge whose margins are kept
        return
    measured.raw = measured.raw - 1e-5 / longest * gradient
    after = measured.value()
    expect(after < before, f"J is {before:.9g}, and {after:.9g} after a step of 1e-5 against the gradient")


@RULES.add(for_tasks(weighted=(False,), rows=(6, 1)))
def predictions_are_on_the_scale_of_the_truth(measured: Measured) -> None:
    """`predict` has a column per target or class, which for classes holds probabilities if `probabilistic` says so.

    Usually: the inverse link left out, or applied along the wrong axis: classes are columns, axis −1
    """
    predicted = measured.loss.predict(measured.raw)
    _expect_shape("predict", predicted, measured)
    if measured.loss.probabilistic and measured.task != "regression":
        text = f"probabilities should be in [0, 1], got {predicted.min():.9g} to {predicted.max():.9g}"
        expect(np.all((predicted >= 0) & (predicted <= 1)), text)
        logs = measured.loss.log_predict(measured.raw)
        expect_same("a probability", np.exp(logs), predicted, "by log_predict", "by predict", rtol=1e-9, atol=1e-12)
        if measured.task == "multiclass":
            total = predicted.sum(axis=-1)
            expect_same("a row's sum of probabilities", total, np.ones_like(total), "", "should be", rtol=1e-9)


@RULES.add(for_tasks(weighted=(False,)))
def links_says_whether_predictions_are_the_raw_output(measured: Measured) -> None:
    """Without `links`, `predict` returns the raw output as it is, column by column.

    Usually: `links = True` left out of a loss that predicts probabilities, e^z or one of several columns
    """
    if not measured.loss.links:
        predicted = measured.loss.predict(measured.raw)
        same = predicted.shape == measured.raw.shape and np.array_equal(predicted, measured.raw)
        expect(
            same, "links is False, and predict(raw) is not raw: estimators would put output_activation before a link"
        )


@RULES.add(for_tasks(weighted=(False,), dtype=FLOATS))
def classes_are_read_off_predictions(measured: Measured) -> None:
    """`codes` has the shape of the truth, and names what `predict` finds most likely, of equal classes the first.

    Usually: codes read off the raw output, which has other columns, or ties where the prediction has none
    """
    loss, task, raw = measured.loss, measured.task, measured.raw
    if task not in ("binary", "multiclass", "multilabel"):
        return
    eps = np.finfo(raw.dtype).eps
    for measured.raw in (raw, np.zeros_like(raw), raw * eps / 4, 1 + np.round(raw) * eps):  # or equal when rounded
        codes = loss.codes(task, measured.raw)
        expect(codes.shape == measured.t.shape, f"codes should have shape {measured.t.shape}, got {codes.shape}")
        expect_same("codes", codes, Loss.codes(loss, task, measured.raw), "by codes", "by predict")


@RULES.add(for_tasks(weighted=(False,)))
def the_truth_may_be_changed_as_target_scale_says(measured: Measured) -> None:
    """With "affine" or "scale" changed numbers are taken and predicted; without a link "affine" sees ŷ − t alone.

    Usually: "affine" on a loss of positive numbers, or on one that weighs errors by how large the target is
    """
    loss, raw, kind = measured.loss, measured.raw, measured.loss.target_scale
    expect(kind in get_args(TargetScale), f"target_scale should be one of {get_args(TargetScale)}, got {kind!r}")
    if kind == "none":
        return
    expect(measured.task == "regression", f"target_scale is {kind!r}, and a {measured.task} target has no scale")
    for shift, factor in ((3.0, 1e3), (-3.0, 1e-3)) if kind == "affine" else ((0, 1e3), (0, 1e-3)):
        t = measured.t / factor - shift
        try:
            loss.check_truth(t)
        except ValueError as error:
            raise CheckFailed(f"target_scale is {kind!r}, and t / {factor:g} - {shift:g} is refused: {error}") from None
        if kind == "affine" and not loss.links:
            shifted = loss.gradient(measured.t - shift, raw - shift)
            expect_same("∂J/∂raw", shifted, measured.gradient(), "with t and ŷ shifted", "before", rtol=1e-6, atol=1e-9)
    low, high = (float(loss.predict(np.full_like(raw, each)).min()) for each in (-20, 20))
    fits = low < -1 < 1 < high if kind == "affine" else low > 0
    expect(fits, f"with target_scale {kind!r} predictions should not end at {low:g} and {high:g}")


@RULES.add(for_tasks(weighted=(False,)))
def predictions_rise_with_the_raw_output(measured: Measured) -> None:
    """More raw output means more: where each column of it is one of the prediction, that never falls as it rises.

    Usually: a link that turns round: the inverse link has to be a function that rises
    """
    if measured.raw.shape[-1] != measured.columns:
        return
    for column in range(measured.columns):
        raw = np.repeat(measured.raw[:1], 81, axis=0)
        raw[:, column] = np.linspace(-20, 20, 81)
        predicted = measured.loss.predict(raw)[:, column]
        falls = np.flatnonzero(np.diff(predicted) < -1e-12 * np.abs(predicted[1:]))
        if falls.size:
            at = int(falls[0])
            measured.raw = raw[at : at + 2]
            raise CheckFailed(
                f"predict(raw)[:, {column}] falls from {predicted[at]:.9g} to {predicted[at + 1]:.9g} while the raw "
                f"column rises from {raw[at, column]:g} to {raw[at + 1, column]:g}",
            )


@RULES.add(for_tasks(weighted=(False,)), applies=lambda loss: isinstance(loss, QuantileLoss))
def quantiles_ascend(measured: Measured) -> None:
    """`predict_quantiles` returns shape (n, k, q), ascending along q.

    Usually: quantiles made independently of each other, which can cross
    """
    assert isinstance(measured.loss, QuantileLoss)
    quantiles = measured.loss.predict_quantiles(measured.raw)
    _expect_shape("predict_quantiles", quantiles[..., 0], measured, " for each quantile")
    expect(np.all(np.diff(quantiles, axis=-1) >= 0), f"quantiles fall along the last axis: {quantiles[0].tolist()}")


@RULES.add(for_tasks(weighted=(False,)), applies=lambda loss: isinstance(loss, DensityLoss))
def standard_deviations_are_positive(measured: Measured) -> None:
    """`predict_std` returns positive numbers in the shape of `predict`.

    Usually: a logarithm or a variance returned for the standard deviation
    """
    assert isinstance(measured.loss, DensityLoss)
    std = measured.loss.predict_std(measured.raw)
    _expect_shape("predict_std", std, measured)
    expect(np.all(std > 0), f"the smallest standard deviation is {std.min()}")


@RULES.add(for_tasks(dtype=FLOATS))
def extreme_raw_output_gives_no_nan(measured: Measured) -> None:
    """For raw output up to ±1e4 nothing is NaN, and there are no warnings; what is too large for a float is inf.

    Usually: exp of a large logit, log of a probability that rounds to 0, or inf − inf: work with logits and log-sum-exp
    """
    extremes = [1e4, -1e4, 0.0, 700.0, -89.0, -1e4, 30.0, -700.0]
    for pattern in ([1e4], [-1e4], extremes, extremes[1:], [-1e4, 1e4, -1e4]):
        measured.raw = np.resize(pattern, measured.raw.shape).astype(measured.raw.dtype)
        value, gradient = measured.both()
        for name, array in {"J": np.array(value), "∂J/∂raw": gradient, **_predicted(measured)}.items():
            wrong = np.argwhere(np.isnan(array))
            expect(not len(wrong), f"{element(name, tuple(*wrong[:1]))} is NaN")


def _expect_shape(method: str, found: Array, measured: Measured, each: str = "") -> None:
    shape = (len(measured.raw), measured.columns)
    expect(found.shape == shape, f"{method} should return shape {shape}{each}, got {found.shape}")


def _predicted(measured: Measured) -> dict[str, Array]:
    """Return all kinds of predictions that the loss has."""
    loss, raw = measured.loss, measured.raw
    found = {"predict": loss.predict(raw)}
    if isinstance(loss, QuantileLoss):
        found["predict_quantiles"] = loss.predict_quantiles(raw)
    if isinstance(loss, DensityLoss):
        found["predict_std"] = loss.predict_std(raw)
    return found

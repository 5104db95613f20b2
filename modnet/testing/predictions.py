"""The contract of losses: what they predict, in which dtype, and at the ends of the numbers."""

import numpy as np

from modnet.base import Array, DensityLoss, QuantileLoss
from modnet.testing.failure import CheckFailed, element, expect, expect_same
from modnet.testing.losses import Measured, for_tasks
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules

RULES = Rules()
_CLASSES = ("binary", "multiclass", "multilabel", "multioutput")


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
    if measured.loss.probabilistic and measured.task in _CLASSES:
        expect(
            np.all((predicted >= 0) & (predicted <= 1)),
            f"probabilities should be in [0, 1], got {predicted.min():.9g} to {predicted.max():.9g}",
        )
        logs = measured.loss.log_predict(measured.raw)
        expect_same("a probability", np.exp(logs), predicted, "by log_predict", "by predict", rtol=1e-9, atol=1e-12)
        if measured.task == "multiclass":
            total = predicted.sum(axis=-1)
            expect_same("a row's sum of probabilities", total, np.ones_like(total), "", "should be", rtol=1e-9)


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
        _expect_numbers(measured)


def _expect_shape(method: str, found: Array, measured: Measured, each: str = "") -> None:
    shape = (len(measured.raw), measured.columns)
    expect(found.shape == shape, f"{method} should return shape {shape}{each}, got {found.shape}")


def _expect_numbers(measured: Measured) -> None:
    value, gradient = measured.both()
    found = {"J": np.array(value), "∂J/∂raw": gradient, **_predicted(measured)}
    for name, array in found.items():
        wrong = np.argwhere(np.isnan(array))
        expect(not len(wrong), f"{element(name, tuple(*wrong[:1]))} is NaN")


def _predicted(measured: Measured) -> dict[str, Array]:
    """Return all kinds of predictions that the loss has."""
    loss, raw = measured.loss, measured.raw
    found = {"predict": loss.predict(raw)}
    if isinstance(loss, QuantileLoss):
        found["predict_quantiles"] = loss.predict_quantiles(raw)
    if isinstance(loss, DensityLoss):
        found["predict_std"] = loss.predict_std(raw)
    return found

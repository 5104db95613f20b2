"""What holds for every loss in every task it serves: gradient, weights, `out`, dtypes and untouched arguments."""

import numpy as np
import pytest
from support.gradients import check_gradient

N, K = 6, 3


def problem(task, *, n=N, dtype=np.float64, seed=0):
    """Return a truth in the form of the task, and a raw output for it."""
    rng = np.random.default_rng(seed)
    truths = {
        "regression": rng.normal(size=(n, K)),
        "binary": rng.integers(2, size=(n, 1)).astype(float),
        "multiclass": rng.integers(K, size=n),
        "multilabel": rng.integers(2, size=(n, K)).astype(float),
        "multioutput": np.stack([rng.integers(3, size=n), rng.integers(2, size=n)], axis=1),
        "counts": rng.poisson(2, size=(n, K)).astype(float),
    }
    t = truths[task]
    columns = {"binary": 1, "multioutput": 4}.get(task, K)  # three logits for the first output, one for the second
    raw = rng.normal(scale=2, size=(n, columns)).astype(dtype)
    return (t if t.dtype.kind == "i" else t.astype(dtype)), raw


def weights(n=N, dtype=np.float64):
    return np.random.default_rng(9).uniform(0.1, 3, n).astype(dtype)


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weighted"])
def test_gradient_agrees_with_central_differences(loss, task, weight):
    t, raw = problem(task)
    gradient = loss.gradient(t, raw, weight=weight)
    check_gradient(lambda raw: loss.value(t, raw, weight=weight), raw, gradient)


def test_gradient_of_a_single_output_agrees_with_central_differences(loss, task):
    t, raw = problem(task, n=1)
    check_gradient(lambda raw: loss.value(t, raw), raw, loss.gradient(t, raw))


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weighted"])
def test_value_and_gradient_are_value_and_gradient(loss, task, weight):
    t, raw = problem(task)
    value, gradient = loss.value_and_gradient(t, raw, weight=weight)
    assert value == loss.value(t, raw, weight=weight)
    np.testing.assert_array_equal(gradient, loss.gradient(t, raw, weight=weight))


def test_a_weight_of_k_is_a_row_k_times(loss, task):
    t, raw = problem(task)
    counts = np.array([1, 3, 2, 1, 5, 2])
    assert loss.value(t, raw, weight=counts.astype(float)) == pytest.approx(
        loss.value(t.repeat(counts, axis=0), raw.repeat(counts, axis=0)), rel=1e-13
    )


def test_a_weight_of_zero_is_a_row_left_out(loss, task):
    t, raw = problem(task)
    weight = np.array([1.0, 0.0, 2.0, 1.0, 0.0, 0.5])
    kept = weight > 0
    value, gradient = loss.value_and_gradient(t, raw, weight=weight)
    value_kept, gradient_kept = loss.value_and_gradient(t[kept], raw[kept], weight=weight[kept])
    assert value == pytest.approx(value_kept, rel=1e-13)
    np.testing.assert_allclose(gradient[kept], gradient_kept, rtol=1e-13)
    assert np.all(gradient[~kept] == 0)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_only_the_ratio_of_weights_counts(loss, task, scale):
    t, raw = problem(task)
    assert loss.value(t, raw, weight=np.full(N, scale)) == pytest.approx(loss.value(t, raw), rel=1e-13)


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weighted"])
@pytest.mark.parametrize("method", ["gradient", "value_and_gradient"])
def test_out_is_written_and_returned(loss, task, weight, method):
    t, raw = problem(task)
    out = np.full_like(raw, np.nan)
    result = getattr(loss, method)(t, raw, weight=weight, out=out)
    assert (result if method == "gradient" else result[1]) is out
    np.testing.assert_array_equal(out, loss.gradient(t, raw, weight=weight))


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weighted"])
def test_arguments_are_only_read(loss, task, weight):
    t, raw = problem(task)
    t, raw = t.copy(), raw.copy()
    weight = None if weight is None else weight.copy()
    for array in (t, raw, weight):
        if array is not None:
            array.flags.writeable = False
    value = loss.value(t, raw, weight=weight)
    assert loss.value_and_gradient(t, raw, weight=weight)[0] == value
    assert loss.gradient(t, raw, weight=weight).shape == raw.shape
    assert loss.predict(raw).shape == raw.shape


@pytest.mark.parametrize("weighted", [False, True])
def test_float32_is_kept_and_agrees_with_float64(loss, task, weighted):
    t, raw = problem(task, dtype=np.float32)
    weight = weights(dtype=np.float32) if weighted else None
    value, gradient = loss.value_and_gradient(t, raw, weight=weight)
    assert type(value) is float
    assert gradient.dtype == loss.predict(raw).dtype == np.float32
    double = None if weight is None else weight.astype(np.float64)
    value_64, gradient_64 = loss.value_and_gradient(t, raw.astype(np.float64), weight=double)
    assert value == pytest.approx(value_64, rel=1e-5)
    np.testing.assert_allclose(gradient, gradient_64, rtol=1e-3, atol=1e-6)


def test_a_loss_falls_along_its_negative_gradient(loss, task):
    t, raw = problem(task)
    assert loss.value(t, raw - 0.01 * loss.gradient(t, raw)) < loss.value(t, raw)


def test_predictions_of_classes_are_probabilities(loss, task):
    _, raw = problem(task, n=50)
    predicted = loss.predict(raw)
    if task not in ("regression", "counts"):
        assert np.all((predicted >= 0) & (predicted <= 1))
    if task == "multiclass":
        np.testing.assert_allclose(predicted.sum(axis=-1), 1, rtol=1e-14)

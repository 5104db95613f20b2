"""Compiled loops: an accelerator's own loop makes training steps if it agrees with single ones, and only then."""

from typing import Any, ClassVar

import numpy as np
import pytest
import scipy.sparse
from support.optimizers import ScheduleFreeAdamW

from modnet import Accelerator, CompiledLoop, ModNetClassifier, ModNetRegressor, TrainingStep
from modnet.acceleration import MIN_STEPS
from modnet.errors import NonFiniteError
from modnet.layers import BatchNorm, Dense, Dropout, Residual
from modnet.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(70, 3))
Y = X @ [1.0, -2.0, 0.5] + 1
SETTINGS: dict[str, Any] = {"max_iter": 30, "batch_size": 8, "tol": 0, "n_iter_no_change": 1000, "random_state": 0}


@pytest.fixture(autouse=True)
def _nothing_run_yet() -> None:
    Looping.runs.clear()


class Loop(CompiledLoop):
    """A loop in Python, a few steps at a time, with a slip if one is asked for."""

    max_steps = 5

    def __init__(self, step: TrainingStep, slip: str) -> None:
        self._step, self._slip = step, slip

    def run(self, order, rates):
        step, total, weights = self._step, 0.0, 0.0
        if self._slip == "raises":
            raise RuntimeError("no compiler found")
        Looping.runs.append(len(rates))
        for index, rate in enumerate(rates):
            rows = order[index * step.rows : (index + 1) * step.rows]
            weight = None if step.weight is None else step.weight[rows]
            value, draw = step.loss.value_and_gradient(step.t[rows], step.forward(step.x[rows]), weight=weight)
            if not np.isfinite(value):
                return index, total, weights
            step.backward(draw)
            w = step.rows if weight is None else weight.sum()
            value += step.penalize(step.gradient, w)
            if self._slip == "gradient":
                step.gradient[0] *= 1.01
            state = step.optimizer_state
            count, state.learning_rate = state.step, rate if self._slip != "rate" else 1.01 * rate
            step.optimizer.clip(step.gradient)
            step.optimizer.update(step.theta, step.gradient.copy(), state, rule=step.rule)
            state.step = count + (index < len(rates) - 1)
            total, weights = total + value * w * (2 if self._slip == "loss" else 1), weights + w
        self._step.optimizer_state.step -= len(rates) - 1
        return len(rates), total, weights


class Looping(Accelerator):
    """Makes steps by a loop of its own."""

    slip: str = ""
    test: str = ""

    runs: ClassVar[list[int]] = []

    def compile(self, step):
        if self.slip == "offer":
            raise RuntimeError("no compiler found")
        return Loop(step, self.slip)


def fitted(accelerator: Accelerator | None, layers: Any = (5,), weight: Any = None, **params: Any) -> ModNetRegressor:
    return ModNetRegressor(layers, "tanh", accelerator=accelerator, **{**SETTINGS, **params}).fit(X, Y, weight)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"optimizer": SGD(0.01, momentum=0.9, schedule="cosine")},
        {"optimizer": Adam(0.01, weight_decay=0.1, clip_norm=0.5, clip_value=0.2)},
        {"optimizer": Adam(0.01, swa=0.5)},
        {"optimizer": ScheduleFreeAdamW(0.01), "layers": (5, BatchNorm(), 4)},
        {"alpha": 0.1, "l1_ratio": 0.5},
        {"shuffle": False, "batch_size": 7},
        {"weight": np.linspace(0.5, 2, 70)},
        {"layers": (5, BatchNorm(), Dropout(0.3), 4)},
        {"early_stopping": True, "max_iter": 40},
    ],
    ids=lambda params: ", ".join(params) or "defaults",
)
def test_a_compiled_loop_leads_to_where_single_steps_lead(params: dict[str, Any]):
    many, single = fitted(Looping(), **params), fitted(None, **params)
    assert Looping.runs, "no loop was run"
    np.testing.assert_allclose(many.theta_, single.theta_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(many.loss_curve_, single.loss_curve_, rtol=1e-10)
    np.testing.assert_allclose(many.state_, single.state_, rtol=1e-10)
    assert many.optimizer_state_.step == single.optimizer_state_.step
    assert many.optimizer_state_.learning_rate == single.optimizer_state_.learning_rate


def test_a_loop_is_compared_once_whatever_the_schedule():
    accelerator = Looping(test="once")
    for params in ({"early_stopping": True}, {"optimizer": Adam(schedule="coslog")}, {}):
        fitted(accelerator, **{"optimizer": Adam(), **params})
    assert Looping.runs.count(1) == 1


def test_no_more_steps_are_asked_for_than_a_loop_makes():
    fitted(Looping(test="counts"))
    comparison, *runs = Looping.runs
    assert comparison == 1
    assert runs == [5, 3] * 30  # and the last batch, which is smaller, is a step by itself


@pytest.mark.parametrize("slip", ["gradient", "rate", "loss", "raises", "offer"])
def test_a_loop_that_differs_is_not_run_with_one_warning(slip: str):
    single = fitted(None)
    reason = rf"modnet runs the training loop of Dense.* itself, because what Looping\(slip='{slip}'\)"
    with pytest.warns(RuntimeWarning, match=reason):
        model = fitted(Looping(slip))
    fitted(Looping(slip))  # would fail, if it warned again
    np.testing.assert_array_equal(model.theta_, single.theta_)


@pytest.mark.parametrize(
    "params",
    [
        {"max_iter": 1, "batch_size": 70 // MIN_STEPS + 1},
        {"optimizer": Adam(ema=0.9)},
        {"optimizer": Adam(groups=[{"layers": "layers[0]", "factor": 0.1}])},
        {"layers": (Dense(5, kernel_constraint="max_norm"),)},
        {"layers": (Residual([Dense(3)]),)},
    ],
    ids=lambda params: next(iter(params)),
)
def test_steps_are_made_singly_where_there_is_more_to_do_or_little_to_gain(params: dict[str, Any]):
    fitted(Looping(), **params)
    assert not Looping.runs


def test_sparse_rows_are_taken_singly():
    ModNetRegressor((5,), accelerator=Looping(), **SETTINGS).fit(scipy.sparse.csr_array(X), Y)
    assert not Looping.runs


def test_divergence_is_explained_as_in_single_steps():
    reasons = []
    for accelerator in (Looping(), None):
        with pytest.raises(NonFiniteError) as raised:
            fitted(accelerator, optimizer=SGD(1e8))
        reasons.append(str(raised.value))
    assert reasons[0] == reasons[1]
    assert Looping.runs


def test_each_data_set_has_a_loop_of_its_own():
    model = ModNetClassifier((5,), accelerator=Looping(), warm_start=True, **SETTINGS)
    again = ModNetClassifier((5,), accelerator=None, warm_start=True, **SETTINGS)
    for rows in (X, X[:40] + 1):
        for each in (model, again):
            each.fit(rows, rows[:, 0] > rows[:, 0].mean())
    np.testing.assert_allclose(model.theta_, again.theta_, rtol=1e-9)

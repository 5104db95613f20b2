"""Compiled loops: an accelerator's own loop makes training steps if it agrees with single ones, and only then."""

from typing import Any, ClassVar

import numpy as np
import pytest
import scipy.sparse
from support.optimizers import ScheduleFreeAdamW

from modnet import Accelerator, CompiledLoop, ModNetClassifier, ModNetRegressor, TrainingStep
from modnet.acceleration import MIN_STEPS
from modnet.callbacks import EpochCallback
from modnet.errors import NonFiniteError
from modnet.layers import BatchNorm, Dense, Dropout, Residual
from modnet.losses import SquaredError
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

    max_steps = 23

    def __init__(self, step: TrainingStep, slip: str) -> None:
        self._step, self._slip = step, slip

    def run(self, order, rates, epochs):
        if self._slip == "raises":
            raise RuntimeError("no compiler found")
        Looping.runs.append(len(rates))
        state, taken = self._step.optimizer_state, 0
        before = state.step, state.averaged
        try:
            for index, rate in enumerate(rates):
                step = self._step
                if step.rest is not None and epochs.position == epochs.steps - 1:
                    step = step.rest
                if not self._made(step, order[taken : taken + step.rows], rate, epochs):
                    return index
                taken, epochs.position = taken + step.rows, epochs.position + 1
                if epochs.position == epochs.steps and self._ends(epochs):
                    return index + 1
            return len(rates)
        finally:
            state.step, state.averaged = before

    def _made(self, step, rows, rate, epochs):
        weight = None if step.weight is None else step.weight[rows]
        value, draw = step.loss.value_and_gradient(step.t[rows], step.forward(step.x[rows]), weight=weight)
        if not np.isfinite(value):
            return False
        step.backward(draw)
        w = step.rows if weight is None else weight.sum()
        value += step.penalize(step.gradient, w)
        if self._slip == "gradient":
            step.gradient[0] *= 1.01
        state = step.optimizer_state
        state.learning_rate = rate if self._slip != "rate" else 1.01 * rate
        state.layout.freeze(step.gradient)
        step.optimizer.clip(step.gradient)
        step.optimizer.update(step.theta, step.gradient.copy(), state, rule=step.rule)
        for W, constraint in step.constrained:
            constraint.project(W)
        if step.optimizer.ema is not None:
            share = 1 - step.optimizer.ema if state.averaged else 1
            state.averaged += 1
            state.average += share * (step.theta - state.average)
        epochs.sums += value * w * (2 if self._slip == "loss" else 1), w
        return True

    def _ends(self, epochs):
        step, slip = self._step, 1.01 if self._slip == "watched" else 1
        watched = np.nan
        if step.watched:
            losses = [step.loss.value(each.t, each.forward(each.x), weight=each.weight) for each in step.watched]
            watched = slip * np.average(losses, weights=[len(each.x) for each in step.watched])
        loss = epochs.sums[0] / epochs.sums[1]
        epochs.losses[epochs.ended] = loss, watched
        epochs.ended, epochs.position, epochs.sums[:] = epochs.ended + 1, 0, 0
        if epochs.patience.update(watched if epochs.by_watched else loss) and epochs.best is not None:
            epochs.best[0][:], epochs.best[1][:] = step.theta, step.state
        return epochs.patience.exhausted


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
        {"early_stopping": True, "n_iter_no_change": 2, "tol": 1e-2},
        {"n_iter_no_change": 2, "tol": 1e-2},
        {"optimizer": SGD(0.01, schedule="plateau"), "early_stopping": True},
        {"optimizer": SGD(0.01, schedule="adaptive"), "n_iter_no_change": 2, "tol": 1e-2},
        {"optimizer": SGD(0.01, schedule="inverse_scaling")},
        {"optimizer": Adam(0.01, ema=0.9), "layers": (5, BatchNorm(), 4)},
        {"optimizer": Adam(groups=[{"layers": "layers[0]", "factor": 0.1}], clip_norm=0.1)},
        {"optimizer": Adam(groups=[{"layers": "layers[0]", "factor": 0}])},
        {"layers": (Dense(5, kernel_constraint="max_norm"),), "optimizer": SGD(0.5)},
        {"batch_size": 70},
    ],
    ids=lambda params: ", ".join(params) or "defaults",
)
def test_a_compiled_loop_leads_to_where_single_steps_lead(params: dict[str, Any]):
    many, single = fitted(Looping(), **params), fitted(None, **params)
    assert Looping.runs, "no loop was run"
    np.testing.assert_allclose(many.theta_, single.theta_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(many.loss_curve_, single.loss_curve_, rtol=1e-10)
    assert many.learning_rate_curve_ == single.learning_rate_curve_
    np.testing.assert_allclose(many.state_, single.state_, rtol=1e-10)
    assert many.optimizer_state_.step == single.optimizer_state_.step
    assert many.optimizer_state_.learning_rate == single.optimizer_state_.learning_rate


def test_a_loop_is_compared_once_whatever_the_schedule():
    accelerator = Looping(test="once")
    for params in ({"optimizer": Adam(schedule="cosine")}, {"optimizer": Adam(schedule="coslog")}, {}):
        fitted(accelerator, **{"optimizer": Adam(), **params})
    assert Looping.runs.count(1) == 2  # a step on a full batch and one on the last


def test_as_many_epochs_are_asked_for_at_once_as_a_loop_makes():
    fitted(Looping(test="counts"))
    assert Looping.runs[2:] == [18] * 15  # two epochs of nine steps are fewer than 23


def test_an_epoch_longer_than_a_loop_makes_is_divided():
    fitted(Looping(test="divided"), batch_size=2, max_iter=2)
    assert Looping.runs[1:] == [23, 12] * 2


@pytest.mark.parametrize(
    "asks", [{"verbose": True}, {"callbacks": True}, {"early_stopping": True, "scoring": "r2"}], ids=str
)
def test_an_epoch_at_a_time_is_asked_for_where_somebody_looks_at_each(asks: dict[str, Any]):
    model = ModNetRegressor((5,), accelerator=Looping(test=str(asks)), **SETTINGS)
    if asks.pop("callbacks", False):
        model.set_callbacks(EpochCallback())
    model.set_params(**asks).fit(X, Y)
    scout = 2 + getattr(model, "cooldown_start_", model.n_iter_)
    assert set(Looping.runs[2:scout]) == {8 if "scoring" in asks else 9}


@pytest.mark.parametrize("slip", ["gradient", "rate", "loss", "raises", "offer", "watched"])
def test_a_loop_that_differs_is_not_run_with_one_warning(slip: str):
    params = {"early_stopping": slip == "watched"}
    single = fitted(None, **params)
    reason = rf"modnet runs the training loop of Dense.* itself, because what Looping\(slip='{slip}'\)"
    with pytest.warns(RuntimeWarning, match=reason):
        model = fitted(Looping(slip), **params)
    fitted(Looping(slip), **params)  # would fail, if it warned again
    np.testing.assert_array_equal(model.theta_, single.theta_)


@pytest.mark.parametrize(
    "params",
    [
        {"max_iter": 1, "batch_size": 70 // MIN_STEPS + 1},
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


class Seen(SquaredError):
    """The same, which remembers how many rows it was given."""

    rows: ClassVar[list[int]] = []

    def value_and_gradient(self, t, raw, *, weight=None, out=None):
        self.rows.append(len(raw))
        return super().value_and_gradient(t, raw, weight=weight, out=out)


class WithLoss(Accelerator):
    """Offers a loss, and nothing else."""

    def loss(self, loss):
        return Seen()


@pytest.mark.parametrize(("fit", "optimizer"), [("fit", "adam"), ("partial_fit", "adam"), ("fit", "lbfgs")])
def test_the_loss_that_is_offered_is_the_one_that_runs(fit: str, optimizer: str):
    model = ModNetRegressor((5,), accelerator=WithLoss(), optimizer=optimizer, **{**SETTINGS, "max_iter": 2})
    Seen.rows.clear()
    getattr(model, fit)(X, Y)
    assert (70 if optimizer == "lbfgs" else 8) in Seen.rows

"""Training for so many seconds: when it stops, what is kept, and who says so."""

import time
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from modnet import ModelSpec, ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.errors import InvalidSpecError
from modnet.neural_network import MLPRegressor
from modnet.optimizers import LBFGS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
y = X[:, 0] + np.sin(3 * X[:, 1])
LONG: dict[str, Any] = {"max_iter": 100_000, "n_iter_no_change": 50_000, "tol": 0, "random_state": 0}
STOPPED = "training stopped at max_time, after [0-9,]+ epochs?, before the loss stopped improving; raise max_time"


@pytest.mark.parametrize(("optimizer", "seconds"), [("auto", 0.2), (LBFGS(), 0.01)])
def test_training_stops_after_the_epoch_in_which_the_time_is_over(optimizer: Any, seconds: float):
    model = ModNetRegressor((64,), max_time=seconds, early_stopping=False, optimizer=optimizer, **LONG)
    begun = time.perf_counter()
    with pytest.warns(ConvergenceWarning, match=STOPPED):
        model.fit(X, y)
    assert seconds <= time.perf_counter() - begun < 5
    assert model.timed_out_ == model.n_iter_ < 100_000


@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor, ModNetTransformer])
def test_at_least_one_epoch_is_made(cls: Any):
    target = () if cls is ModNetTransformer else (y > 0,)
    with pytest.warns(ConvergenceWarning, match="after 1 epoch, before"):
        model = cls((8,), max_time=1e-9, random_state=0).fit(X, *target)
    assert model.n_iter_ == model.timed_out_ == 1


def test_a_scout_has_its_share_of_the_time_and_the_cool_down_runs_to_its_end(capsys: pytest.CaptureFixture[str]):
    # So slow that the last epoch of a scout is its best: at the usual rate a fast machine comes to where that is past.
    slow = {"type": "adam", "learning_rate": 6e-5}
    for _ in range(5):  # a plan for a machine that becomes busy by more than the tenth in reserve cannot be kept
        model = ModNetRegressor((8,), max_time=0.6, optimizer=slow, verbose=True, **LONG)
        capsys.readouterr()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            model.fit(X, y)
        if not warned:  # the rate has fallen to 0, as planned
            break
    assert not warned
    assert model.timed_out_ == model.cooldown_start_ < model.n_iter_
    assert model.learning_rate_curve_[-1] < 0.1 * model.learning_rate_curve_[model.cooldown_start_ - 1]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.endswith("max_time is over")]
    assert [line.split()[:2] for line in lines] == [["epoch", str(model.timed_out_)]]


def test_the_best_weights_are_kept():
    model = ModNetRegressor((8,), max_time=0.2, early_stopping=True, cooldown=0, **LONG)
    with pytest.warns(ConvergenceWarning, match=STOPPED):
        model.fit(X, y, X_val=X[:50], y_val=-y[:50])  # the longer it learns, the worse it gets
    t = (y[:50] + y.mean()) / y.std()
    found = 0.5 * np.mean(((model.predict(X[:50]) - y.mean()) / y.std() + t) ** 2)
    assert model.validation_loss_curve_[-1] > min(model.validation_loss_curve_)
    assert found == pytest.approx(min(model.validation_loss_curve_), rel=0.3)


def test_time_that_is_not_over_changes_nothing():
    settings = {"max_iter": 6, "random_state": 0, "accelerator": None}
    whole, limited = (ModNetRegressor((8,), max_time=limit, **settings).fit(X, y) for limit in (None, 1000))
    np.testing.assert_array_equal(whole.theta_, limited.theta_)
    assert not hasattr(limited, "timed_out_")


def test_another_fit_forgets_that_the_time_was_over():
    model = ModNetRegressor((8,), max_time=1e-9, max_iter=4, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert not hasattr(model.set_params(max_time=None).fit(X, y), "timed_out_")


def test_a_stream_takes_no_notice():
    model = ModNetRegressor((8,), max_time=1e-9, batch_size=10, random_state=0)
    for _ in range(3):
        model.partial_fit(X, y)
    assert model.n_iter_ == 3


@pytest.mark.parametrize("value", [0, -1, float("nan"), "5", True])
def test_what_is_no_number_of_seconds_is_refused(value: Any):
    with pytest.raises(InvalidSpecError, match="max_time: should be "):
        ModNetRegressor(max_time=value).fit(X, y)


def test_a_spec_has_it_and_scikit_learns_drop_ins_have_not():
    spec = ModelSpec.from_json(ModelSpec(training={"max_time": np.float32(2)}).to_json())
    assert spec.training.max_time == 2.0
    assert ModNetRegressor.from_spec(spec).max_time == 2.0
    with pytest.raises(InvalidSpecError, match="max_time: no parameter of scikit-learn"):
        MLPRegressor.from_spec({"inputs": None, "optimizer": "adam", "training": {"max_time": 2, "cooldown": 0}})

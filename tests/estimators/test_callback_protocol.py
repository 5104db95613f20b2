"""scikit-learn's callback protocol: epochs as tasks, its own callbacks, stopping on request, and snapshots."""

import warnings
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.classic import CLASSIC

from modnet import ModNetClassifier, ModNetRegressor
from modnet.errors import NonFiniteError
from modnet.neural_network import MLPClassifier, MLPRegressor
from modnet.optimizers import LBFGS, SGD

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CODES = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
y = np.array(["setosa", "versicolor", "virginica"])[CODES]
SHORT = {**CLASSIC, "max_iter": 4, "random_state": 0}
NET = ModNetClassifier((8,), **{**SHORT, "batch_size": 50})


class Diary:
    """A callback that writes down what it is told."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.calls: list[tuple[str, str, int]] = []
        self.epochs: list[dict[str, Any]] = []

    def setup(self, estimator: Any, context: Any) -> None:
        self.calls.append(("setup", context.task_name, context.task_id))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.calls.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, y: Any, metadata: Any, fitted_estimator: Any
    ) -> bool:
        self.calls.append(("end", context.task_name, context.task_id))
        if context.task_name != "epoch":
            return False
        self.epochs.append({"X": X, "y": y, "metadata": metadata, "model": fitted_estimator})
        return len(self.epochs) == self.stop_after

    def teardown(self, estimator: Any, context: Any) -> None:
        self.calls.append(("teardown", context.task_name, context.task_id))


MODELS = {
    "classifier": (NET, y),
    "regressor": (ModNetRegressor((8,), **SHORT), X[:, 0]),
    "lbfgs": (ModNetRegressor((8,), **{**SHORT, "optimizer": LBFGS()}), X[:, 0]),
    "early stopping": (clone(NET).set_params(early_stopping=True, cooldown=1.0), y),
    "MLPClassifier": (MLPClassifier((8,), max_iter=4, random_state=0), y),
    "MLPRegressor": (MLPRegressor(hidden_layer_sizes=(8,), max_iter=4, solver="lbfgs", random_state=0), X[:, 0]),
}
every = pytest.mark.parametrize("name", MODELS)


# Tasks


@quiet
@every
def test_every_epoch_is_a_task_of_its_own_below_the_fit(name: str):
    model, target = MODELS[name]
    diary = Diary()
    model = clone(model).set_callbacks(diary).fit(X, target)
    epochs = [(hook, "epoch", epoch) for epoch in range(model.n_iter_) for hook in ("begin", "end")]
    around = ("setup", "fit", 0), ("begin", "fit", 0), ("end", "fit", 0), ("teardown", "fit", 0)
    assert model.n_iter_ == 4
    assert diary.calls == [*around[:2], *epochs, *around[2:]]


@quiet
def test_tasks_say_how_many_there_may_be():
    seen = []

    class Planned(Diary):
        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            parent = context.parent.task_name if context.parent else None
            seen.append((context.task_name, context.max_subtasks, parent, context.estimator_name))

    clone(NET).set_params(max_iter=2).set_callbacks(Planned()).fit(X, y)
    assert seen[0] == ("fit", 2, None, "ModNetClassifier")
    assert seen[1:] == [("epoch", 0, "fit", "ModNetClassifier")] * 2


@quiet
def test_callbacks_are_told_the_data_as_the_user_gave_it():
    frame, weight = pd.DataFrame(X, columns=list("abcd")), np.linspace(1, 2, 150)
    diary = Diary()
    clone(NET).set_callbacks(diary).fit(frame, y, weight, X_val=frame[:20], y_val=y[:20])
    for told in diary.epochs:
        assert told["X"] is frame
        assert told["y"] is y
        assert told["metadata"]["sample_weight"] is weight
        assert told["metadata"]["X_val"].equals(frame[:20])
        assert (told["metadata"]["y_val"] == y[:20]).all()
    clone(NET).set_callbacks(diary).fit(X, y)
    assert "X_val" not in diary.epochs[-1]["metadata"]


@quiet
def test_callbacks_change_nothing_about_the_fit():
    plain, watched = clone(NET).fit(X, y), clone(NET).set_callbacks(Diary()).fit(X, y)
    assert watched.theta_.tobytes() == plain.theta_.tobytes()
    assert set(vars(watched)) - set(vars(plain)) == {"_skl_callbacks"}


# Snapshots


@quiet
@every
def test_a_snapshot_is_the_estimator_as_if_fit_had_stopped_there(name: str):
    model, target = MODELS[name]
    diary = Diary()
    clone(model).set_callbacks(diary).fit(X, target)
    for epoch, told in enumerate(diary.epochs, 1):
        until = clone(model).set_params(max_iter=epoch).fit(X, target)
        snapshot = told["model"]
        assert len(snapshot.loss_curve_) == snapshot.n_iter_ == epoch
        if not getattr(model, "early_stopping", False):  # else `until` has gone back to its best epoch
            np.testing.assert_array_equal(snapshot.predict(X), until.predict(X))


@quiet
@every
def test_later_epochs_do_not_change_a_snapshot(name: str):
    model, target = MODELS[name]

    class Hashing(Diary):
        def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> None:
            if context.task_name == "epoch":
                self.epochs.append({"model": fitted_estimator, "hash": learned_hash(fitted_estimator)})

    def learned_hash(model: Any) -> str:
        return str(joblib.hash({key: value for key, value in vars(model).items() if key.endswith("_")}))

    diary = Hashing()
    clone(model).set_callbacks(diary).fit(X, target)
    assert len({told["hash"] for told in diary.epochs}) == 4
    assert [learned_hash(told["model"]) for told in diary.epochs] == [told["hash"] for told in diary.epochs]


@quiet
def test_a_stream_goes_on_from_a_snapshot_as_from_a_fit():
    diary = Diary()
    clone(NET).set_callbacks(diary).fit(X, y)
    snapshot, until = diary.epochs[1]["model"], clone(NET).set_params(max_iter=2).fit(X, y)
    for model in (snapshot, until):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(snapshot.theta_, until.theta_)


# Stopping


@pytest.mark.parametrize("name", ["classifier", "regressor", "lbfgs", "MLPClassifier", "MLPRegressor"])
def test_a_callback_that_returns_true_stops_after_that_epoch_without_a_warning(name: str):
    model, target = MODELS[name]
    diary = Diary(stop_after=3)
    stopped = clone(model).set_params(max_iter=100).set_callbacks(diary).fit(X, target)
    assert stopped.n_iter_ == len(stopped.loss_curve_) == 3
    assert diary.calls[-3:] == [("end", "epoch", 2), ("end", "fit", 0), ("teardown", "fit", 0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        until = clone(model).set_params(max_iter=3).fit(X, target)
    np.testing.assert_array_equal(stopped.theta_, until.theta_)


def test_early_stopping_keeps_the_best_weights_when_a_callback_stops():
    noise = np.random.default_rng(0).permutation(y)
    settings: dict[str, Any] = {"early_stopping": True, "cooldown": 0, "max_iter": 100, "n_iter_no_change": 100}
    model = clone(NET).set_params(**settings, layers=(64,), optimizer={"type": "adam", "learning_rate": 0.05})
    model.set_callbacks(Diary(stop_after=60)).fit(X, noise)
    best = int(np.argmin(model.validation_loss_curve_))
    assert best < 59 == model.n_iter_ - 1
    until = clone(model).set_callbacks(Diary(stop_after=best + 1)).fit(X, noise)
    np.testing.assert_array_equal(model.theta_, until.theta_)


# Failing


def test_teardown_is_called_when_fit_fails_and_the_estimator_is_as_it_was():
    diary = Diary()
    model = ModNetRegressor((8,), optimizer=SGD(1e200), alpha=1.0, random_state=0).set_callbacks(diary)
    before = dict(vars(model))
    with pytest.raises(NonFiniteError):
        model.fit(X, X[:, 0])
    assert vars(model) == before
    assert diary.calls[-1] == ("teardown", "fit", 0)
    assert [call for call in diary.calls if call[0] == "teardown"] == [("teardown", "fit", 0)]


@every
def test_an_error_in_a_callback_ends_the_fit(name: str):
    class Broken(Diary):
        def on_fit_task_end(self, estimator: Any, context: Any) -> None:
            raise OSError("the disk is full")

    model, target = MODELS[name]
    broken = Broken()
    model = clone(model).set_callbacks(broken)
    with pytest.raises(OSError, match="the disk is full"):
        model.fit(X, target)
    assert not hasattr(model, "theta_")
    assert broken.calls[-1][0] == "teardown"


# scikit-learn's own callbacks


@quiet
@pytest.mark.parametrize("validation", [{}, {"X_val": X[::3], "y_val": y[::3]}], ids=["alone", "with validation set"])
@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, 150)], ids=["unweighted", "weighted"])
def test_a_scoring_monitor_logs_the_training_score_of_every_epoch(validation: dict[str, Any], weight: Any):
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    model = clone(NET).set_callbacks(monitor).fit(X, y, weight, **validation)
    log = monitor.get_logs()
    rows = [row for row in log.data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in rows] == [0, 1, 2, 3]
    assert rows[-1]["accuracy"] == pytest.approx(accuracy_score(y, model.predict(X), sample_weight=weight))
    assert rows[0]["neg_log_loss"] < rows[-1]["neg_log_loss"]
    assert log.data_as_pandas.shape[0] == 5  # and the fit as a whole


@quiet
def test_a_monitor_that_was_used_before_serves_again():
    monitor = ScoringMonitor(scoring="accuracy")
    model = clone(NET).set_callbacks(monitor)
    model.fit(X, y).fit(X, y)
    assert len(monitor.get_logs("all")) == 2


@quiet
def test_a_scoring_monitor_works_in_a_pipeline():
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler(), clone(NET).set_callbacks(monitor)).fit(X, y)
    log = monitor.get_logs(include_lineage=True)
    assert log.estimator_name == "Pipeline"
    scores = [row["accuracy"] for row in log.data if row["task_name"] == "epoch"]
    assert len(scores) == 4
    assert scores[-1] == pipeline.score(X, y)


@quiet
def test_a_scoring_monitor_collects_from_worker_processes():
    monitor = ScoringMonitor(scoring="accuracy")
    grid = {"alpha": [0.0, 0.1]}
    search = GridSearchCV(clone(NET).set_callbacks(monitor), grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    rows = monitor.get_logs().data_as_pandas
    epochs = rows[rows["task_name"] == "epoch"].groupby("parent_task_id_path")["accuracy"].count()
    assert epochs.tolist() == [4] * 5  # two candidates, two folds, and the refit
    refit = rows[(rows["task_name"] == "epoch") & (rows["parent_task_id_path"].map(len) == 2)]
    assert refit["accuracy"].iloc[-1] == search.score(X, y)


@quiet
@every
def test_a_progress_bar_counts_to_the_end(name: str, capsys: pytest.CaptureFixture[str]):
    model, target = MODELS[name]
    clone(model).set_callbacks(ProgressBar()).fit(X, target)
    shown = capsys.readouterr().out
    assert f"{type(model).__name__} - fit" in shown
    assert "100%" in shown


@quiet
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_progress_bar_reaches_through_a_grid_over_a_pipeline(n_jobs: int, capsys: pytest.CaptureFixture[str]):
    pipeline = make_pipeline(StandardScaler(), clone(NET))
    grid = {"modnetclassifier__alpha": [0.0, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    shown = capsys.readouterr().out
    assert shown.count("ModNetClassifier - fit") == 5
    assert "ModNetClassifier - fit" in shown.splitlines()[-1]


def test_what_is_no_callback_is_refused():
    for nonsense in (print, Diary, 3):
        with pytest.raises(TypeError, match="callbacks must be instances following the FitCallback protocol"):
            clone(NET).set_callbacks(nonsense)

"""Callbacks on scikit-learn's protocol: they act on epochs, on a bare estimator, in a pipeline, in worker processes."""

import gc
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import FitCallback, ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.distributions import run_python

from modnet import ModNetClassifier, ModNetRegressor
from modnet.callbacks import Checkpoint, EarlyStopping, LearningRateMonitor
from modnet.errors import InvalidSpecError
from modnet.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = X[:, 0] - X[:, 1]
ENDLESS = {"tol": 0.0, "n_iter_no_change": 10**6}
DECAYING = {"type": "sgd", "learning_rate": 0.01, "schedule": "inverse_scaling"}


def net(**params: Any) -> ModNetRegressor:
    return ModNetRegressor(**{"layers": (4,), "max_iter": 5, "random_state": 0, **ENDLESS, **params})


class Scores:
    """A scorer that has made up its mind beforehand."""

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)

    def __call__(self, *_: Any, **__: Any) -> float:
        return self.scores.pop(0)


def load(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


@pytest.mark.parametrize("callback", [EarlyStopping(), Checkpoint("model.pkl"), LearningRateMonitor()])
def test_callbacks_follow_the_protocol_of_scikit_learn(callback: Any) -> None:
    assert isinstance(callback, FitCallback)
    model = net().set_callbacks(callback)
    assert clone(model)._skl_callbacks[0] is callback


def test_importing_them_does_not_import_scikit_learn() -> None:
    assert run_python("import sys, modnet.callbacks; print('sklearn' in sys.modules)") == "False"


def test_other_estimators_are_left_alone(tmp_path: Path) -> None:
    callbacks = [EarlyStopping("score"), Checkpoint(tmp_path / "model.pkl"), monitor := LearningRateMonitor()]
    LogisticRegression().set_callbacks(*callbacks).fit(X, y > 0)
    assert monitor.rates == []
    assert list(tmp_path.iterdir()) == []


class TestEarlyStopping:
    def fitted(self, *callbacks: EarlyStopping, **params: Any) -> Any:
        return net(max_iter=300, **params).set_callbacks(*callbacks).fit(X, y)

    def test_stops_after_patience_epochs_without_progress(self) -> None:
        model = self.fitted(EarlyStopping(patience=7), optimizer={"type": "sgd", "learning_rate": 0.5})
        *before, last = np.minimum.accumulate(model.loss_curve_)
        assert model.n_iter_ < 300
        assert before[-7] == last
        assert before[-7] < before[-8]

    def test_min_delta_is_what_an_epoch_has_to_gain(self) -> None:
        model = self.fitted(EarlyStopping(patience=3, min_delta=1e9))
        assert model.n_iter_ == 4

    def test_slow_progress_counts_if_it_adds_up(self) -> None:
        falls = -np.diff(self.fitted().loss_curve_)
        typical = float(np.median(falls[:50]))
        impatient, patient = (self.fitted(EarlyStopping(patience=p, min_delta=3 * typical)) for p in (1, 20))
        assert impatient.n_iter_ < patient.n_iter_

    @pytest.mark.parametrize("monitor", ["validation_loss", "score"])
    def test_a_validation_set_can_be_watched(self, monitor: Any) -> None:
        model = net(max_iter=300, scoring="r2", optimizer={"type": "adam", "learning_rate": 0.05})
        noise = rng.normal(size=60)
        model.set_callbacks(EarlyStopping(monitor, patience=4)).fit(X, noise, X_val=-X, y_val=noise)
        curve = model.validation_loss_curve_ if monitor == "validation_loss" else np.negative(model.validation_scores_)
        assert model.n_iter_ < 300
        assert np.argmin(curve) == len(curve) - 5

    @pytest.mark.parametrize("monitor", ["validation_loss", "score"])
    def test_watching_a_validation_set_that_is_not_there_is_an_error(self, monitor: Any) -> None:
        with pytest.raises(ValueError, match=r"X_val and y_val .* early_stopping=True"):
            self.fitted(EarlyStopping(monitor))

    def test_a_score_of_nan_is_no_progress_and_hides_none(self) -> None:
        scores = Scores(np.nan, 1.0, *[np.nan] * 48)
        model = net(max_iter=50, scoring=scores).set_callbacks(EarlyStopping("score", patience=4))
        assert model.fit(X, y, X_val=X, y_val=y).n_iter_ == 6

    def test_a_warm_start_is_a_fit_of_its_own(self) -> None:
        model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0, warm_start=True, **ENDLESS).fit(X, y)
        model.set_callbacks(EarlyStopping(patience=3, min_delta=1e9)).fit(X, y)
        assert len(model.loss_curve_) == 5 + 4

    def test_a_stop_on_request_is_not_reported_as_a_failure_to_converge(self, recwarn: pytest.WarningsRecorder) -> None:
        self.fitted(EarlyStopping(patience=1, min_delta=1e9))
        assert not recwarn

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"monitor": "accuracy"}, "monitor: should be 'loss', 'validation_loss' or 'score'"),
            ({"patience": 0}, "patience: should be greater than or equal to 1"),
            ({"min_delta": -0.1}, "min_delta: should be greater than or equal to 0"),
        ],
    )
    def test_bad_arguments_are_refused_at_once(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidSpecError, match=message):
            EarlyStopping(**arguments)


class TestCheckpoint:
    @pytest.mark.parametrize("model", [net(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, **ENDLESS)])
    def test_a_checkpoint_predicts_as_if_fit_had_stopped_there(self, model: Any, tmp_path: Path) -> None:
        model.set_params(random_state=0).set_callbacks(Checkpoint(tmp_path / "{epoch}.pkl")).fit(X, y)
        assert sorted(path.name for path in tmp_path.iterdir()) == [f"{epoch}.pkl" for epoch in range(1, 6)]
        stopped = clone(model).set_callbacks().set_params(max_iter=3).fit(X, y)
        saved = load(tmp_path / "3.pkl")
        np.testing.assert_array_equal(saved.predict(X), stopped.predict(X))
        assert saved.loss_curve_ == stopped.loss_curve_

    @pytest.mark.parametrize("optimizer", ["adam", DECAYING])
    def test_training_goes_on_from_a_checkpoint(self, optimizer: Any, tmp_path: Path) -> None:
        net(optimizer=optimizer).set_callbacks(Checkpoint(tmp_path / "{epoch}.pkl")).fit(X, y)
        resumed = load(tmp_path / "4.pkl").partial_fit(X, y)
        np.testing.assert_array_equal(resumed.theta_, load(tmp_path / "5.pkl").theta_)

    def test_every_selects_epochs(self, tmp_path: Path) -> None:
        net(max_iter=7).set_callbacks(Checkpoint(tmp_path / "{epoch:02d}.pkl", every=3)).fit(X, y)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["03.pkl", "06.pkl"]

    def test_without_a_number_the_last_checkpoint_replaces_the_others(self, tmp_path: Path) -> None:
        net().set_callbacks(Checkpoint(tmp_path / "model.pkl")).fit(X, y)
        assert load(tmp_path / "model.pkl").n_iter_ == 5
        assert [path.name for path in tmp_path.iterdir()] == ["model.pkl"]

    def test_who_reads_the_last_checkpoint_is_not_disturbed_by_the_next(self, tmp_path: Path) -> None:
        model = net(max_iter=1).set_callbacks(Checkpoint(tmp_path / "model.pkl")).fit(X, y)
        with open(tmp_path / "model.pkl", "rb") as file:
            model.set_params(max_iter=2).fit(X, y)
            assert pickle.load(file).n_iter_ == 1
        assert load(tmp_path / "model.pkl").n_iter_ == 2

    @pytest.mark.parametrize("monitor", ["loss", "validation_loss", "score", None])
    def test_best_only_keeps_the_best_epoch(self, monitor: Any, tmp_path: Path) -> None:
        model = net(scoring=Scores(np.nan, 3.0, 1.0, np.nan, 1.0), optimizer={"type": "sgd", "learning_rate": 0.7})
        model.set_callbacks(Checkpoint(tmp_path / "model.pkl", best_only=True, monitor=monitor))
        model.fit(X, y, X_val=-X, y_val=y)
        curve = {"loss": model.loss_curve_, "validation_loss": model.validation_loss_curve_}.get(
            monitor, np.negative(model.validation_scores_)
        )
        assert load(tmp_path / "model.pkl").n_iter_ == np.nanargmin(curve) + 1

    def test_best_only_compares_the_epochs_that_every_selects(self, tmp_path: Path) -> None:
        model = net(max_iter=6, scoring=Scores(9.0, 1.0, 9.0, 2.0, 9.0, 1.0))
        model.set_callbacks(Checkpoint(tmp_path / "{epoch}.pkl", every=2, best_only=True))
        model.fit(X, y, X_val=X, y_val=y)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["2.pkl", "4.pkl"]

    def test_callbacks_are_not_in_it(self, tmp_path: Path) -> None:
        class Local(LearningRateMonitor):
            """What no pickle could hold."""

        net().set_callbacks(Local(), Checkpoint(tmp_path / "model.pkl")).fit(X, y)
        assert not any("callback" in name for name in vars(load(tmp_path / "model.pkl")))

    def test_a_failure_to_write_leaves_the_last_checkpoint_whole(self, tmp_path: Path) -> None:
        class Unwilling(Scores):
            def __reduce__(self) -> Any:
                if len(self.scores) < 3:
                    raise pickle.PicklingError("enough")
                return Scores, ()

        model = net(scoring=Unwilling(*range(5))).set_callbacks(Checkpoint(tmp_path / "model.pkl"))
        with pytest.raises(pickle.PicklingError, match="enough") as caught:
            model.fit(X, y, X_val=X, y_val=y)
        assert "Checkpoint" in caught.value.__notes__[0]
        assert load(tmp_path / "model.pkl").n_iter_ == 2
        assert [path.name for path in tmp_path.iterdir()] == ["model.pkl"]

    @pytest.mark.parametrize("path", ["{step}.pkl", "{}.pkl", "{epoch", "{epoch.x}", "{epoch:s}"])
    def test_a_path_with_other_braces_is_refused(self, path: str) -> None:
        with pytest.raises(InvalidSpecError, match=r"only \{epoch\} and \{fit\}"):
            Checkpoint(path)


class TestLearningRateMonitor:
    def test_there_is_a_list_per_fit(self) -> None:
        model = net(optimizer=DECAYING).set_callbacks(monitor := LearningRateMonitor())
        curves = [model.set_params(max_iter=n).fit(X, y).learning_rate_curve_ for n in (3, 2)]
        assert monitor.rates == curves
        assert curves[0] == sorted(set(curves[0]), reverse=True)

    def test_a_fit_with_a_solver_has_no_rates(self) -> None:
        net(optimizer="lbfgs").set_callbacks(monitor := LearningRateMonitor()).fit(X, y)
        assert monitor.rates == [[]]

    def test_a_fit_that_fails_keeps_the_rates_until_then(self) -> None:
        with pytest.raises(ValueError, match="no validation_scores_"):
            net().set_callbacks(monitor := LearningRateMonitor(), EarlyStopping("score")).fit(X, y)
        assert monitor.rates == [[0.001]]

    def test_nothing_is_left_of_it_when_the_process_ends(self) -> None:
        directory = run_python(
            "import numpy, modnet.callbacks\n"
            "model = modnet.ModNetRegressor().set_callbacks(monitor := modnet.callbacks.LearningRateMonitor())\n"
            "model.set_params(tol=1e9).fit(numpy.eye(9), range(9))\n"
            "assert monitor.rates\n"
            "print(monitor._home())"
        )
        assert not Path(directory).exists()

    def test_a_copy_outlives_the_original(self) -> None:
        copied = pickle.loads(pickle.dumps(LearningRateMonitor()))
        gc.collect()
        net().set_callbacks(copied).fit(X, y)
        assert [len(rates) for rates in copied.rates] == [5]


@pytest.mark.parametrize("estimator", [ModNetClassifier, MLPClassifier])
def test_they_work_on_the_final_step_of_a_pipeline_in_a_grid_with_workers(estimator: Any, tmp_path: Path) -> None:
    monitor = LearningRateMonitor()
    final = estimator((4,), max_iter=50, random_state=0, **ENDLESS).set_callbacks(
        EarlyStopping(patience=2, min_delta=1e9),
        Checkpoint(tmp_path / "{fit}" / "{epoch}.pkl", every=3),
        monitor,
        ScoringMonitor(scoring="accuracy"),
    )
    grid = {f"{estimator.__name__.lower()}__alpha": [0.0, 1.0]}
    search = GridSearchCV(make_pipeline(StandardScaler(), final), grid, cv=2, n_jobs=2).fit(X, y > 0)
    assert search.best_estimator_[-1].n_iter_ == 3
    assert monitor.rates == [[0.001] * 3] * 5
    fits = ["0-0-0-1", "0-0-1-1", "0-0-2-1", "0-0-3-1", "0-1-1"]
    assert sorted(tmp_path.glob("*/*")) == [tmp_path / fit / "3.pkl" for fit in fits]

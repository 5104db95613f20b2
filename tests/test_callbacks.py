"""Callbacks on scikit-learn's protocol: checkpoints of a bare estimator, in a pipeline, in worker processes."""

from pathlib import Path
from types import SimpleNamespace
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

from modnet import ModNetClassifier, ModNetRegressor, load
from modnet.callbacks import Checkpoint, EpochCallback
from modnet.errors import InvalidSpecError
from modnet.estimators.persistence import ModelFileError
from modnet.neural_network import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = X[:, 0] - X[:, 1]
ENDLESS = {"tol": 0.0, "n_iter_no_change": 10**6}
DECAYING = {"type": "sgd", "learning_rate": 0.01, "schedule": "inverse_scaling"}


def net(**params: Any) -> ModNetRegressor:
    settings = {"early_stopping": False, "batch_size": 20, "max_iter": 5, "random_state": 0, **ENDLESS}
    return ModNetRegressor(**{"layers": (4,), **settings, **params})


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("callback", [EpochCallback(), Checkpoint("model.npz")])
def test_callbacks_follow_the_protocol_of_scikit_learn(callback: Any) -> None:
    assert isinstance(callback, FitCallback)


def test_importing_them_does_not_import_scikit_learn() -> None:
    assert run_python("import sys, modnet.callbacks; print('sklearn' in sys.modules)") == "False"


def test_other_estimators_are_left_alone(tmp_path: Path) -> None:
    LogisticRegression().set_callbacks(Checkpoint(tmp_path / "model.npz")).fit(X, y > 0)
    assert names(tmp_path) == []


def test_a_callback_of_ones_own_defines_the_hooks_that_it_needs() -> None:
    class StopsAfterThree(EpochCallback):
        def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
            return bool(context.task_name == "epoch" and context.task_id == 2)

    assert net().set_callbacks(StopsAfterThree()).fit(X, y).n_iter_ == 3


# What is written


@pytest.mark.parametrize("model", [net(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, **ENDLESS)])
def test_a_checkpoint_predicts_as_if_fit_had_stopped_there(model: Any, tmp_path: Path) -> None:
    model.set_params(random_state=0).set_callbacks(Checkpoint(tmp_path / "{epoch}.npz")).fit(X, y)
    assert names(tmp_path) == [f"{epoch}.npz" for epoch in range(1, 6)]
    stopped = clone(model).set_callbacks().set_params(max_iter=3).fit(X, y)
    saved = load(tmp_path / "3.npz")
    assert type(saved) is type(model)
    np.testing.assert_array_equal(saved.predict(X), stopped.predict(X))
    assert saved.loss_curve_ == stopped.loss_curve_


@pytest.mark.parametrize("optimizer", ["adam", DECAYING])
def test_training_goes_on_from_a_checkpoint(optimizer: Any, tmp_path: Path) -> None:
    net(optimizer=optimizer).set_callbacks(Checkpoint(tmp_path / "{epoch}.npz")).fit(X, y)
    resumed = load(tmp_path / "4.npz").partial_fit(X, y)
    np.testing.assert_array_equal(resumed.theta_, load(tmp_path / "5.npz").theta_)


def test_a_checkpoint_is_a_warm_start(tmp_path: Path) -> None:
    net().set_callbacks(Checkpoint(tmp_path / "model.npz")).fit(X, y)
    saved = load(tmp_path / "model.npz").set_params(warm_start=True)
    before = saved.loss_curve_[-1]
    assert saved.fit(X, y).loss_curve_[0] < before


def test_a_failure_to_write_leaves_the_last_checkpoint_whole(tmp_path: Path) -> None:
    model = net(max_iter=2).set_callbacks(Checkpoint(tmp_path / "model.npz")).fit(X, y)
    model.set_params(scoring=lambda estimator, X, y: 0.0)  # which a model file cannot hold
    with pytest.raises(ModelFileError, match="scoring") as caught:
        model.fit(X, y, X_val=X, y_val=y)
    assert caught.value.__notes__ == [
        f"Checkpoint was about to write the estimator, after epoch 1, to {tmp_path / 'model.npz'}"
    ]
    assert load(tmp_path / "model.npz").n_iter_ == 2
    assert names(tmp_path) == ["model.npz"]


# Which epochs


def test_every_selects_epochs(tmp_path: Path) -> None:
    net(max_iter=7).set_callbacks(Checkpoint(tmp_path / "{epoch:02d}.npz", every=3)).fit(X, y)
    assert names(tmp_path) == ["03.npz", "06.npz"]


def test_without_a_number_the_last_checkpoint_replaces_the_others(tmp_path: Path) -> None:
    net().set_callbacks(Checkpoint(tmp_path / "model.npz")).fit(X, y)
    assert load(tmp_path / "model.npz").n_iter_ == 5
    assert names(tmp_path) == ["model.npz"]


@pytest.mark.parametrize("monitor", ["loss", "validation_loss", "score", None])
def test_best_only_keeps_the_best_epoch(monitor: Any, tmp_path: Path) -> None:
    model = net(max_iter=8, scoring="r2", optimizer={"type": "sgd", "learning_rate": 0.7})
    model.set_callbacks(Checkpoint(tmp_path / "model.npz", best_only=True, monitor=monitor))
    model.fit(X, y, X_val=-X, y_val=y)
    curves = {"loss": model.loss_curve_, "validation_loss": model.validation_loss_curve_}
    curve = curves.get(monitor, np.negative(model.validation_scores_))
    assert load(tmp_path / "model.npz").n_iter_ == np.argmin(curve) + 1


def after_each(scores: list[float], checkpoint: Checkpoint) -> None:
    """Call a checkpoint as a fit would whose epochs have these scores."""
    fitted = net(max_iter=1).fit(X, y)
    for epoch in range(len(scores)):
        estimator = SimpleNamespace(validation_scores_=scores[: epoch + 1])
        context = SimpleNamespace(task_name="epoch", task_id=epoch, parent=None)
        checkpoint.on_fit_task_end(estimator, context, fitted_estimator=fitted)


def test_a_score_of_nan_is_never_the_best_and_hides_none(tmp_path: Path) -> None:
    after_each([np.nan, 1.0, np.nan, 3.0, 1.0], Checkpoint(tmp_path / "{epoch}.npz", best_only=True))
    assert names(tmp_path) == ["1.npz", "2.npz", "4.npz"]


def test_best_only_compares_the_epochs_that_every_selects(tmp_path: Path) -> None:
    scores = [9.0, 1.0, 9.0, 2.0, 9.0, 1.0]
    after_each(scores, Checkpoint(tmp_path / "{epoch}.npz", every=2, best_only=True))
    assert names(tmp_path) == ["2.npz", "4.npz"]


def test_a_warm_start_is_a_fit_of_its_own(tmp_path: Path) -> None:
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0, warm_start=True, **ENDLESS).fit(X, y)
    # On targets that are harder to learn every loss is above those of the first fit.
    model.set_callbacks(Checkpoint(tmp_path / "{epoch}.npz", best_only=True)).fit(X, y + 100)
    assert min(model.loss_curve_[5:]) > max(model.loss_curve_[:5])
    assert "1.npz" in names(tmp_path)


@pytest.mark.parametrize("monitor", ["validation_loss", "score"])
def test_watching_a_validation_set_that_is_not_there_is_an_error(monitor: Any, tmp_path: Path) -> None:
    model = net().set_callbacks(Checkpoint(tmp_path / "model.npz", best_only=True, monitor=monitor))
    with pytest.raises(ValueError, match=r"X_val and y_val .* early_stopping=True"):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"monitor": "accuracy"}, "monitor: should be 'loss', 'validation_loss' or 'score'"),
        ({"every": 0}, "every: should be greater than or equal to 1"),
        *[
            ({"path": path}, r"only \{epoch\} and \{fit\}")
            for path in ("{step}", "{}", "{epoch", "{epoch.x}", "{epoch:s}")
        ],
    ],
)
def test_bad_arguments_are_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpecError, match=message):
        Checkpoint(**{"path": "model.npz", **arguments})


# Where


@pytest.mark.parametrize(("estimator", "n_jobs"), [(ModNetClassifier, 2), (MLPClassifier, 1)])
def test_in_a_grid_over_pipelines_each_fit_writes_its_final_step(estimator: Any, n_jobs: int, tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "{fit}" / "{epoch}.npz", every=3)
    final = estimator((4,), max_iter=3, random_state=0, **ENDLESS)
    pipeline = make_pipeline(StandardScaler(), final.set_callbacks(checkpoint, ScoringMonitor(scoring="accuracy")))
    grid = {f"{estimator.__name__.lower()}__alpha": [0.0, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs).fit(X, y > 0)
    fits = ["0-0-0-1", "0-0-1-1", "0-0-2-1", "0-0-3-1", "0-1-1"]
    assert sorted(tmp_path.glob("*/*")) == [tmp_path / fit / "3.npz" for fit in fits]
    saved = load(tmp_path / "0-1-1" / "3.npz")
    assert type(saved) is estimator
    scaled = search.best_estimator_[:-1].transform(X)
    np.testing.assert_array_equal(saved.predict(scaled), search.predict(X))

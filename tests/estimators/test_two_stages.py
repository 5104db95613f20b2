"""Two stages in the estimators: what is held out, learnt from, watched and kept, and what "auto" comes to."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from support.optimizers import ScheduleFreeAdamW

from modnet import ModNetClassifier, ModNetRegressor, ModNetTransformer, load, save
from modnet.callbacks import Checkpoint
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.schedules import Cosine, Step

X, y = load_diabetes(return_X_y=True)
X, y = StandardScaler().fit_transform(X), StandardScaler().fit_transform(y[:, np.newaxis])[:, 0]
FLOWERS, CODES = load_iris(return_X_y=True)
FLOWERS = StandardScaler().fit_transform(FLOWERS)
SETTINGS: dict[str, Any] = {"optimizer": Adam(0.01), "max_iter": 40, "random_state": 0, "accelerator": None}


def net(**params: Any) -> ModNetRegressor:
    return ModNetRegressor((16,), **{**SETTINGS, "early_stopping": True, **params})


def constant(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    """A score that does not look at the rows held out."""
    return 0.5


class Noted:
    """A constant score that notes which rows it was asked for."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        self.rows.append(X)
        return 0.5


def held_out(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The places of the rows that a fit holds out."""
    noted = Noted()
    net(scoring=noted, max_iter=2).fit(X, y)
    return np.flatnonzero((X[:, None] == noted.rows[0]).all(axis=2).any(axis=1))


@pytest.mark.parametrize("cooldown", [0, 1])
def test_held_out_rows_are_learnt_from_in_the_cool_down_and_only_there(cooldown: float):
    other = y.copy()
    rows = held_out(X, y)
    assert len(rows) == 67  # 15 % of 442
    other[rows] *= -3
    # The scale of a target is that of all rows that are learnt from in the end.
    one, two = (net(scoring=constant, cooldown=cooldown, scale_target=False).fit(X, t) for t in (y, other))
    scout = len(one.validation_scores_)
    assert one.loss_curve_[:scout] == two.loss_curve_[:scout]
    assert np.array_equal(one.theta_, two.theta_) == (cooldown == 0)


@pytest.mark.parametrize("given", [False, True])
def test_what_adapts_adapts_to_the_rows_that_training_ends_on(given: bool):
    data = (X[:300], y[:300]) if given else (X, y)
    watched = {"X_val": X[300:], "y_val": y[300:]} if given else {}
    cooled, plain = (
        net(inputs="standardize", cooldown=cooldown, n_iter_no_change=2).fit(*data, **watched) for cooldown in (1, 0)
    )
    mean = cooled.network_.state_layout.places["inputs.mean"].view(cooled.state_)
    np.testing.assert_allclose(mean.ravel(), data[0].mean(axis=0), atol=1e-12)
    assert np.array_equal(cooled.state_, plain.state_) == given


@pytest.mark.parametrize("budget", [2**28, 0])
def test_the_same_numbers_twice(budget: int):
    one, two = (net(inputs="standardize", inputs_budget=budget).fit(X, y, np.arange(len(y)) % 3) for _ in range(2))
    assert one.theta_.tobytes() == two.theta_.tobytes()
    assert one.loss_curve_ == two.loss_curve_


def test_curves_show_both_stages_one_after_the_other():
    model = net().fit(X, y)
    scout, n = len(model.validation_loss_curve_), model.n_iter_
    assert len(model.loss_curve_) == len(model.learning_rate_curve_) == n <= 40
    assert n == scout + int(np.argmin(model.validation_loss_curve_)) + 1
    assert model.cooldown_start_ == scout
    assert not hasattr(net(cooldown=0, n_iter_no_change=2).fit(X, y), "cooldown_start_")
    assert model.learning_rate_curve_[2:scout] == [0.01] * (scout - 2)
    assert np.all(np.diff(model.learning_rate_curve_[scout:]) < 0)
    given = net().fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    assert len(given.validation_loss_curve_) == given.n_iter_


@pytest.mark.parametrize("max_iter", [2, 5, 400])
def test_two_stages_that_ran_to_their_end_warn_of_nothing(max_iter: int):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        assert net(max_iter=max_iter).fit(X, y).n_iter_ <= max_iter
    with pytest.warns(ConvergenceWarning):
        assert net(max_iter=1).fit(X, y).n_iter_ == 1


@pytest.mark.parametrize("optimizer", [Adam(0.01, schedule=Step(5)), Adam(0.01, schedule=Cosine()), LBFGS()], ids=repr)
def test_a_schedule_of_the_users_own_and_a_solver_stay_as_they_are(optimizer: Any):
    for early_stopping in (True, "auto"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            cooled, plain = (
                net(optimizer=optimizer, early_stopping=early_stopping, cooldown=cooldown).fit(X, y)
                for cooldown in (1, 0)
            )
        assert cooled.theta_.tobytes() == plain.theta_.tobytes()


def test_a_schedule_that_ends_is_run_to_max_iter_and_the_best_weights_are_kept():
    model = net(optimizer=Adam(0.05, schedule="flat_cosine"), n_iter_no_change=1).fit(X, y)
    curve = model.validation_loss_curve_
    assert len(curve) == model.n_iter_ == 40
    assert np.argmin(curve) < 20
    plain = net(optimizer=SGD(0.01, schedule="coslog"), tol=1e3, n_iter_no_change=1, early_stopping=False).fit(X, y)
    assert plain.n_iter_ == 40


# "auto"


@pytest.mark.parametrize(
    ("rows", "optimizer", "expected"),
    [
        (slice(0, 200), Adam(0.01), True),
        (slice(0, 199), Adam(0.01), False),
        (slice(0, 300), Adam(0.01, schedule=Step(5)), True),
        (slice(0, 300), Adam(0.01, schedule=Cosine()), False),
        (slice(0, 300), LBFGS(), False),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_auto_goes_by_rows_and_optimizer(rows: slice, optimizer: Any, expected: bool):
    auto, chosen = (net(early_stopping=each, optimizer=optimizer) for each in ("auto", expected))
    if not expected and optimizer == Adam(0.01):
        chosen.set_params(optimizer=Adam(0.01, schedule=Cosine(unit="step")))
    auto.fit(X[rows], y[rows])
    assert auto.theta_.tobytes() == chosen.fit(X[rows], y[rows]).theta_.tobytes()
    assert auto.spec_.training == chosen.spec_.training
    assert auto.early_stopping == "auto"
    again = ModNetRegressor.from_spec(auto.spec_, random_state=0, accelerator=None).fit(X[rows], y[rows])
    assert again.theta_.tobytes() == auto.theta_.tobytes()


def test_rows_of_weight_zero_do_not_count_for_auto():
    weight = (np.arange(300) < 199).astype(float)
    assert not net(early_stopping="auto", max_iter=2).fit(X[:300], y[:300], weight).spec_.training.early_stopping
    assert net(early_stopping="auto", max_iter=2).fit(X[:300], y[:300]).spec_.training.early_stopping


def test_few_rows_are_all_trained_on_along_one_cosine():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = net(early_stopping="auto", tol=10, n_iter_no_change=1).fit(X[:150], y[:150])
    assert model.n_iter_ == 40
    assert not hasattr(model, "validation_loss_curve_")
    assert np.all(np.diff(model.learning_rate_curve_) < 0)
    stays = net(early_stopping="auto", cooldown=0, tol=10, n_iter_no_change=1).fit(X[:150], y[:150])
    assert set(stays.learning_rate_curve_) == {0.01}
    assert stays.n_iter_ < 40


def test_few_rows_with_a_validation_set_stop_early():
    model = net(early_stopping="auto").fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert model.spec_.training.early_stopping is True
    assert max(model.learning_rate_curve_) == 0.01 > model.learning_rate_curve_[-1]


def test_a_stream_holds_nothing_out_and_keeps_its_rate():
    auto, plain = net(early_stopping="auto"), net(early_stopping=False)
    for _ in range(3):
        assert auto.partial_fit(X, y).theta_.tobytes() == plain.partial_fit(X, y).theta_.tobytes()
    assert auto.learning_rate_curve_ == [0.01] * 3
    assert auto.spec_.training.early_stopping is False


# What comes after


@pytest.mark.parametrize("rows", [150, 442])
def test_partial_fit_and_warm_starts_go_on(rows: int):
    model = net(early_stopping="auto", warm_start=True).fit(X[:rows], y[:rows])
    score = model.score(X[:rows], y[:rows])
    n = model.n_iter_
    model.partial_fit(X[:rows], y[:rows])
    assert model.n_iter_ == n + 1
    assert model.score(X[:rows], y[:rows]) > score - 0.02
    assert model.fit(X[:rows], y[:rows]).score(X[:rows], y[:rows]) > score - 0.02


def test_files_and_pickles_keep_what_was_chosen(tmp_path: Any):
    model = net(early_stopping="auto", max_iter=6).fit(X, y)
    save(model, tmp_path / "model.npz")
    for copied in (load(tmp_path / "model.npz"), pickle.loads(pickle.dumps(model))):
        assert (copied.early_stopping, copied.spec_, copied.cooldown_start_) == ("auto", model.spec_, 3)
        assert copied.partial_fit(X, y).theta_.tobytes() == clone_of(model).partial_fit(X, y).theta_.tobytes()


def clone_of(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


def test_the_best_checkpoint_is_of_the_scout_where_nothing_is_watched_later(tmp_path: Any):
    path = tmp_path / "model.npz"
    model = net().set_callbacks(Checkpoint(path, best_only=True)).fit(X, y)
    assert load(path).n_iter_ == np.argmin(model.validation_loss_curve_) + 1 < model.n_iter_


def test_an_autoencoder_cools_down_too():
    encoder = ModNetTransformer((8, 2, 8), **SETTINGS, early_stopping=True).fit(FLOWERS)
    assert len(encoder.validation_loss_curve_) < encoder.n_iter_ <= 40
    assert encoder.learning_rate_curve_[-1] < 0.001


# Weights and classes


def test_weights_count_in_both_stages():
    weight = np.where(CODES == 2, 1e-9, 1.0)
    model = ModNetClassifier((8,), **SETTINGS, early_stopping=True, batch_size=16).fit(FLOWERS, CODES, weight)
    assert set(model.predict(FLOWERS)) == {0, 1}
    by_class = ModNetClassifier(
        (8,), **SETTINGS, early_stopping=True, batch_size=16, class_weight={0: 1, 1: 1, 2: 1e-9}
    ).fit(FLOWERS, CODES)
    np.testing.assert_allclose(model.theta_, by_class.theta_, rtol=1e-6, atol=1e-9)


def test_the_only_row_of_a_class_is_learnt_in_both():
    labels = np.array(["a", "b", "c"])[CODES].astype(object)
    labels[7] = "alone"
    model = ModNetClassifier((8,), **SETTINGS, early_stopping=True).fit(FLOWERS, labels)
    assert "alone" in model.classes_


@pytest.mark.parametrize("value", ["yes", 1, None, 0.5])
def test_what_early_stopping_may_be_is_said(value: Any):
    with pytest.raises(ValueError, match="early_stopping: should be True or False, or 'auto', got"):
        clone(net()).set_params(early_stopping=value).fit(X, y)
    with pytest.raises(ValueError, match="cooldown: should be greater than or equal to 0"):
        net(cooldown=-1).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs do
@pytest.mark.parametrize("n", [100, 400])
def test_a_rule_that_does_without_a_schedule_gets_none(n: int):
    model = net(optimizer=ScheduleFreeAdamW(0.01), early_stopping="auto", max_iter=12).fit(X[:n], y[:n])
    assert model.spec_.optimizer == ScheduleFreeAdamW(0.01)
    assert len(set(model.learning_rate_curve_)) == 1
    assert not hasattr(model, "cooldown_start_")


# What was held out


def test_what_is_kept_of_rows_held_out_was_said_before_the_cool_down_learnt_them():
    model = net(scale_target=False).fit(X, y)
    told, truth = model.held_out_prediction_, y[model.held_out_rows_]
    assert np.mean((told - truth) ** 2) / 2 == pytest.approx(min(model.validation_loss_curve_))
    assert not np.allclose(told, model.predict(X[model.held_out_rows_]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_said_of_a_validation_set_is_kept_as_predict_proba_has_it():
    model = ModNetClassifier((8,), **{**SETTINGS, "early_stopping": True, "cooldown": 0})
    model.fit(FLOWERS[::2], CODES[::2], X_val=FLOWERS[1::2], y_val=CODES[1::2])
    np.testing.assert_allclose(model.held_out_prediction_, model.predict_proba(FLOWERS[1::2]))
    assert not hasattr(model, "held_out_rows_")

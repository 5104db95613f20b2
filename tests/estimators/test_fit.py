"""Fitting: what it learns, what it draws, what it keeps of the data's type and weights, and when it stops."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from modnet import ModNetClassifier, ModNetRegressor
from modnet.layers import Dense, Dropout

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_it_learns(case):
    assert case.fitted(max_iter=150).score(case.X, case.y) > 0.85


def test_a_second_fit_starts_anew(case):
    once = case.fitted(max_iter=10)
    with pytest.warns(ConvergenceWarning):
        twice = case.fitted(layers=(3,), max_iter=10).set_params(layers=(16,)).fit(case.X, case.y)
    np.testing.assert_array_equal(once.theta_, twice.theta_)
    assert twice.loss_curve_ == once.loss_curve_


def test_learned_attributes_describe_the_network(multiclass):
    model = multiclass.fitted()
    assert [link.title for link in model.network_.links] == [
        "layers[0] (Dense)",
        "layers[0].activation (ReLU)",
        "output (Dense)",
    ]
    assert model.theta_.shape == (4 * 16 + 16 + 16 * 3 + 3,)
    assert model.n_iter_ == len(model.loss_curve_) == 40
    assert model.n_features_in_ == 4
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.spec_.loss.link == "softmax"
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_parameters_are_left_as_they_were_given(case):
    layers = [8, {"type": "dropout", "rate": 0.1}, "tanh", Dense(4)]
    model = case.fitted(layers=layers)
    assert model.layers is layers
    assert layers == [8, {"type": "dropout", "rate": 0.1}, "tanh", Dense(4)]
    assert set(vars(model)) - set(vars(type(model)())) == {
        name for name in vars(model) if name.endswith("_") or name.startswith("_")
    }


# Types


@pytest.mark.parametrize(
    ("given", "kept"), [("f4", "f4"), ("f8", "f8"), ("f2", "f8"), ("i4", "f8"), ("u1", "f8"), ("?", "f8")]
)
def test_float32_stays_and_anything_else_becomes_float64(case, given: str, kept: str):
    X, y = (case.X * 3).astype(given), case.y.astype(kept) if case.y.dtype == float else case.y
    model = clone(case.model).set_params(max_iter=2)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert model.theta_.dtype == model.state_.dtype == kept
    assert all(vector.dtype == kept for vector in model.optimizer_state_.vectors.values())
    methods = {"predict_proba", "predict_log_proba", "decision_function"} & set(dir(model)) or {"predict"}
    for method in methods:
        assert getattr(model, method)(X).dtype == kept
        assert getattr(model, method)(X.astype("f8")).dtype == kept
    assert all(type(loss) is float for loss in model.loss_curve_)


@quiet
def test_float32_learns_what_float64_learns(regression):
    wide = regression.fitted(max_iter=5)
    narrow = clone(wide).fit(regression.X.astype("f4"), regression.y)
    np.testing.assert_allclose(narrow.theta_, wide.theta_, rtol=1e-3, atol=1e-4)


@quiet
def test_the_layout_of_memory_does_not_matter(case):
    model = case.fitted()
    strided = np.repeat(np.asfortranarray(case.X), 2, axis=0)[::2]
    strided.flags.writeable = False
    again = clone(model).fit(strided, case.y)
    np.testing.assert_allclose(again.theta_, model.theta_, rtol=1e-9)


# Randomness


@quiet
@pytest.mark.parametrize("layers", [(16,), (16, Dropout(0.2))])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_int_gives_bit_identical_weights_every_time(multiclass, layers, early_stopping: bool):
    first, second = (multiclass.fitted(layers=layers, early_stopping=early_stopping, random_state=7) for _ in range(2))
    assert first.theta_.tobytes() == second.theta_.tobytes()
    other = multiclass.fitted(layers=layers, early_stopping=early_stopping, random_state=8)
    assert first.theta_.tobytes() != other.theta_.tobytes()


def test_without_a_seed_numpys_global_one_decides(multiclass):
    thetas = []
    for seed in (3, 3, 4):
        np.random.seed(seed)  # noqa: NPY002
        thetas.append(multiclass.fitted(random_state=None).theta_.tobytes())
    assert thetas[0] == thetas[1] != thetas[2]
    assert multiclass.fitted(random_state=None).theta_.tobytes() != thetas[2]


def test_a_random_state_object_moves_on_with_every_fit(multiclass):
    rng = np.random.RandomState(3)
    first, second = (multiclass.fitted(random_state=rng).theta_ for _ in range(2))
    again = multiclass.fitted(random_state=np.random.RandomState(3)).theta_
    assert first.tobytes() == again.tobytes() != second.tobytes()


def test_an_int_leaves_numpys_global_seed_alone(multiclass):
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    multiclass.fitted(layers=(16, "dropout"), early_stopping=True)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_shuffling_changes_the_batches_and_nothing_else(regression):
    shuffled, ordered = (regression.fitted(shuffle=shuffle).theta_ for shuffle in (True, False))
    assert shuffled.tobytes() != ordered.tobytes()
    shuffled, ordered = (regression.fitted(shuffle=shuffle, batch_size=150).theta_ for shuffle in (True, False))
    assert shuffled.tobytes() == ordered.tobytes()


def test_dropout_does_not_disturb_the_other_draws(multiclass):
    plain, noisy = (multiclass.fitted(layers=(16, Dropout(rate)), max_iter=1).loss_curve_ for rate in (0.0, 1e-12))
    np.testing.assert_allclose(plain, noisy, rtol=1e-6)


# Stopping


def test_training_that_runs_out_of_epochs_warns(multiclass):
    model = clone(multiclass.model).set_params(max_iter=3)
    with pytest.warns(
        ConvergenceWarning, match=r"training stopped at max_iter epochs before .*; raise max_iter"
    ) as caught:
        model.fit(multiclass.X, multiclass.y)
    assert caught[0].filename == __file__
    assert model.n_iter_ == 3


def test_training_stops_when_progress_does(multiclass):
    model = clone(multiclass.model).set_params(tol=0.1, n_iter_no_change=4, max_iter=100)
    model.fit(multiclass.X, multiclass.y)
    best_before = np.minimum.accumulate([np.inf, *model.loss_curve_])[:-1]
    progress = np.array(model.loss_curve_) <= best_before - 0.1
    assert progress[-6:].tolist() == [True, False, False, False, False, False]
    assert "f" * 5 not in "".join("t" if each else "f" for each in progress[:-1])


@quiet
@pytest.mark.parametrize("task", ["multiclass", "regression", "multilabel"])
def test_early_stopping_keeps_the_weights_of_the_best_epoch(request, task: str):
    case = request.getfixturevalue(task)
    noise = np.random.default_rng(0).permutation(case.y)  # nothing to learn: the validation loss soon rises
    settings = {"early_stopping": True, "cooldown": 0, "validation_fraction": 0.3, "n_iter_no_change": 15}
    model = clone(case.model).set_params(layers=(64,), max_iter=100, **settings).fit(case.X, noise)
    curve = model.validation_loss_curve_
    assert len(curve) == len(model.loss_curve_) == model.n_iter_
    best = int(np.argmin(curve))
    assert best < len(curve) - 1
    until = clone(model).set_params(max_iter=best + 1, n_iter_no_change=100).fit(case.X, noise)
    np.testing.assert_array_equal(model.theta_, until.theta_)
    assert until.validation_loss_curve_ == curve[: best + 1]


@quiet
def test_a_fit_without_early_stopping_leaves_no_curve_of_an_earlier_one(multiclass):
    model = multiclass.fitted(early_stopping=True, cooldown=0)
    assert len(model.validation_loss_curve_) == model.n_iter_
    model.set_params(early_stopping=False).fit(multiclass.X, multiclass.y)
    assert not hasattr(model, "validation_loss_curve_")
    assert set(vars(model)) == set(vars(multiclass.fitted()))


@quiet
def test_the_validation_set_is_stratified_by_class():
    # One constant feature and a bias: the loss on the validation set tells the share of the rare class in it.
    y = np.repeat([0, 1], [80, 20])
    curves = {
        ModNetClassifier(
            (), optimizer="sgd", early_stopping=True, validation_fraction=0.2, max_iter=1, random_state=seed
        )
        .set_params(shuffle=False, batch_size=100, optimizer__learning_rate=0.1)
        .fit(np.zeros((100, 1)), y)
        .validation_loss_curve_[0]
        for seed in range(5)
    }
    assert max(curves) - min(curves) < 1e-12


@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_a_line_per_epoch(multiclass, early_stopping: bool, capsys):
    multiclass.fitted(verbose=True, max_iter=4 if early_stopping else 3, early_stopping=early_stopping, cooldown=1.0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + early_stopping
    for epoch, line in enumerate(lines, 1):
        # What was held out is learnt from in the cool-down, and no longer watched.
        watched = r"  validation loss \d+\.\d{6}" if early_stopping and epoch <= 2 else ""
        assert re.fullmatch(rf"epoch +{epoch}  loss \d+\.\d{{6}}{watched}  \d+\.\d{{3}} s", line)


def test_nothing_is_printed_unless_it_is_asked_for(multiclass, capsys):
    multiclass.fitted(max_iter=3)
    assert capsys.readouterr() == ("", "")


# Sizes


@quiet
@pytest.mark.parametrize("cls", [ModNetClassifier, ModNetRegressor])
def test_one_feature_and_a_handful_of_rows_are_enough(cls: type):
    model = cls(layers=(3,), max_iter=2).fit([[0.0], [1.0]], [0, 1])
    assert model.predict([[0.5]]).shape == (1,)


@quiet
def test_batches_larger_than_the_data_are_the_data_and_say_so(regression):
    whole = regression.fitted(batch_size=150)
    with pytest.warns(UserWarning, match="larger than sample size. It is going to be clipped"):
        larger = regression.fitted(batch_size=10_000)
    assert larger.theta_.tobytes() == whole.theta_.tobytes()


@quiet
@pytest.mark.parametrize(("rows", "size"), [(9, 32), (1800, 32), (1820, 64), (3000, 64), (8000, 256), (30_000, 256)])
def test_batches_are_a_fortieth_of_the_rows_as_a_power_of_two_within_bounds(recwarn, rows: int, size: int):
    x = np.linspace(-1, 1, rows)
    sizes = "auto", min(size, rows)
    auto, said = (
        ModNetRegressor((2,), batch_size=each, max_iter=2, random_state=0).fit(x[:, None], x) for each in sizes
    )
    assert auto.theta_.tobytes() == said.theta_.tobytes()
    assert not [each for each in recwarn if "batch_size" in str(each.message)]


@quiet
def test_the_last_batch_may_be_smaller(regression):
    assert np.isfinite(regression.fitted(batch_size=149).theta_).all()


@quiet
def test_no_hidden_layer_is_linear_regression(regression):
    model = regression.fitted(
        layers=(),
        alpha=0,
        max_iter=3000,
        tol=0,
        n_iter_no_change=3000,
        batch_size=150,
        optimizer={"type": "sgd", "learning_rate": 0.6},
        scale_target=False,
    )
    X1 = np.column_stack([regression.X, np.ones(len(regression.X))])
    np.testing.assert_allclose(model.theta_, np.linalg.lstsq(X1, regression.y, rcond=None)[0], atol=1e-6)


@pytest.mark.parametrize(
    "schedule", ["cosine", "one_cycle", "polynomial", {"type": "warm_up", "then": "cosine"}], ids=str
)
def test_a_schedule_that_ran_to_its_end_is_no_lack_of_convergence(schedule, recwarn):
    optimizer = {"type": "adam", "schedule": schedule}
    ModNetRegressor((4,), optimizer=optimizer, max_iter=12, tol=0.0).fit(np.eye(9), np.arange(9.0))
    assert not recwarn
    with pytest.warns(ConvergenceWarning, match="training stopped at max_iter epochs before"):
        ModNetRegressor((4,), early_stopping=False, max_iter=12, tol=0.0).fit(np.eye(9), np.arange(9.0))

"""Rules with points of their own: what is trained, what is published, and what is composed around a step."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from support.classic import CLASSIC
from support.optimizers import Lookahead, Muon, ScheduleFreeAdamW, is_hidden, orthogonal

from modnet import Layout, ModNetClassifier, ModNetRegressor, OptimizerState, load, save
from modnet.errors import InvalidSpecError
from modnet.layers import BatchNorm, Dense, Dropout
from modnet.optimizers import SGD, Adam
from modnet.testing import parametrize_with_checks
from modnet.training import Data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
T = np.tanh(X @ RNG.normal(size=(4, 2))) + 0.1 * RNG.normal(size=(90, 2))
DATA, HELD_OUT = Data(X[:60], T[:60]), Data(X[60:], T[60:])
NORMED = [Dense(6, name="trunk"), BatchNorm(), Dropout(0.2), Dense(5, "tanh"), Dense(2)]
FREE = ScheduleFreeAdamW(0.01, weight_decay=0.01)
OTHERS = [FREE, Adam(0.01, ema=0.9), Adam(0.01, swa=0.3)]
others = pytest.mark.parametrize("optimizer", OTHERS, ids=repr)


@parametrize_with_checks(
    [ScheduleFreeAdamW(), ScheduleFreeAdamW(0.01, beta_1=0.0), Lookahead(k=2, weight_decay=0.1), Muon()]
)
def test_contract(check):
    check()


def test_schedule_free_is_that_of_its_authors():
    """As in the package schedulefree: y and z are kept, and x is read off them, (y − (1 − β₁) z) / β₁."""
    eta, beta_1, beta_2, decay = 0.05, 0.9, 0.999, 0.1
    rule, start = ScheduleFreeAdamW(eta, beta_1, beta_2, weight_decay=decay), RNG.normal(size=20)
    theta, state = start.copy(), rule.init(start, Layout.flat(20))
    y, z, v, weight_sum = start.copy(), start.copy(), np.zeros(20), 0.0
    for k, grad in enumerate(RNG.normal(size=(50, 20)), 1):
        rule.update(theta, grad.copy(), state)
        v = beta_2 * v + (1 - beta_2) * grad * grad
        grad_normalized = grad / (np.sqrt(v / (1 - beta_2**k)) + 1e-8) + decay * y
        weight_sum += eta**2
        ckp1 = eta**2 / weight_sum
        y = y + ckp1 * (z - y) + eta * (beta_1 * (1 - ckp1) - 1) * grad_normalized
        z = z - eta * grad_normalized
        np.testing.assert_allclose(theta, y, rtol=1e-9, atol=1e-12)
        x = y + (1 - 1 / beta_1) * (z - y)
        np.testing.assert_allclose(rule.predicts(theta, state), x, rtol=1e-8, atol=1e-10)


@others
def test_training_does_not_depend_on_what_is_published(prepared, optimizer):
    """BatchNorm and noise of a training that publishes each epoch, and of one that is a single epoch of three."""
    data = Data(*(np.tile(each, (3, 1)) for each in (DATA.x, DATA.t)))
    settings = {"batch_size": 20, "shuffle": False, "max_iter": 3, "tol": 0}
    short, long = (prepared(NORMED, each, optimizer=optimizer, **settings) for each in (DATA, data))
    for _ in range(3):
        short.epoch(DATA)
    long.epoch(data)
    np.testing.assert_array_equal(short.moving, long.moving)
    np.testing.assert_array_equal(short.moving_state, long.moving_state)
    assert not np.array_equal(short.theta, short.moving)


@pytest.mark.parametrize("optimizer", [FREE, Adam(0.05, ema=0.9), Adam(0.05, swa=0.0)], ids=repr)
def test_running_means_are_those_of_the_published_point(prepared, optimizer):
    layers = [Dense(3), BatchNorm(momentum=1.0), Dense(2)]
    trainer = prepared(layers, DATA, optimizer=optimizer, batch_size=None, max_iter=9, tol=0)
    for _ in range(9):
        trainer.epoch(DATA)
    weights = trainer.network.parameters(trainer.theta)
    z = DATA.x @ weights["layers[0].W"] + weights["layers[0].b"]
    mean = trainer.network.state_layout.views(trainer.state)["layers[1].mean"]
    np.testing.assert_allclose(mean, z.mean(axis=0, keepdims=True), rtol=1e-9)
    moving = trainer.network.state_layout.views(trainer.moving_state)["layers[1].mean"]
    assert not np.allclose(moving, mean)


@others
def test_early_stopping_watches_and_keeps_what_is_published(prepared, optimizer):
    trainer = prepared(NORMED, DATA, optimizer=optimizer, early_stopping=True, batch_size=20, max_iter=40, tol=0)
    history = trainer.fit(DATA, HELD_OUT)
    assert trainer.evaluate(HELD_OUT) == min(history.validation_losses)
    state = trainer.optimizer_state
    assert (state.moving, state.moving_state, state.average, state.step) == (None, None, None, 0)
    for name in state.vectors.keys() & {"x", "z"}:
        np.testing.assert_array_equal(state.vectors[name], trainer.theta)
    best = trainer.theta.copy()
    trainer.fit(DATA, HELD_OUT)  # goes on from there
    assert trainer.evaluate(HELD_OUT) <= min(history.validation_losses) or not np.array_equal(best, trainer.theta)


@others
def test_partial_fit_is_fit_and_goes_on_from_a_pickle_and_from_a_file(optimizer, tmp_path, book):
    book.register(ScheduleFreeAdamW)
    settings = {**CLASSIC, "optimizer": optimizer, "batch_size": 20, "shuffle": False, "max_iter": 4, "tol": 0}
    model = ModNetRegressor(NORMED[:-1], random_state=0, accelerator=None, **settings)
    whole = copy.deepcopy(model).fit(DATA.x, DATA.t)
    for call in range(4):
        model.partial_fit(DATA.x, DATA.t)
        if call == 1:
            model = pickle.loads(pickle.dumps(model))
        if call == 2:
            save(model, tmp_path / "model.npz")
            model = load(tmp_path / "model.npz")
    np.testing.assert_array_equal(model.theta_, whole.theta_)
    np.testing.assert_array_equal(model.state_, whole.state_)
    np.testing.assert_array_equal(model.optimizer_state_.moving, whole.optimizer_state_.moving)


@others
def test_another_setting_in_partial_fit_keeps_the_points_and_another_rule_begins_anew(optimizer):
    model = ModNetRegressor((4,), optimizer=optimizer, batch_size=30, max_iter=3, random_state=0).partial_fit(X, T)
    model.partial_fit(X, T).set_params(optimizer__learning_rate=1e-30).partial_fit(X, T)
    assert model.optimizer_state_.step == 9
    published, moving = model.theta_.copy(), model.optimizer_state_.moving.copy()
    assert not np.array_equal(published, moving)
    model.set_params(optimizer=SGD(1e-30)).partial_fit(X, T)
    assert model.optimizer_state_.moving is None
    np.testing.assert_array_equal(model.theta_, published)


@others
def test_warm_start_goes_on_from_the_published_point(optimizer):
    model = ModNetRegressor((4,), optimizer=optimizer, max_iter=3, tol=0, warm_start=True, random_state=0).fit(X, T)
    published = model.theta_.copy()
    model.set_params(optimizer__learning_rate=1e-30, max_iter=1, alpha=0, optimizer__weight_decay=0).fit(X, T)
    np.testing.assert_array_equal(model.theta_, published)


@others
@pytest.mark.parametrize("frozen", ["trunk", "layers[3]", "layers[4]"])
def test_frozen_layers_predict_with_the_bits_they_had(prepared, optimizer, frozen):
    optimizer = dataclasses.replace(optimizer, groups=[{"layers": frozen, "factor": 0}], clip_norm=1.0)
    trainer = prepared(NORMED, DATA, optimizer=optimizer, batch_size=20, max_iter=9, tol=0)
    trainer.theta += 0.1  # biases of zero would hide rounding
    trainer.moving[...] = start = trainer.theta.copy()
    trainer.optimizer_state = optimizer.init(start, trainer.optimizer_state.layout)
    trainer.fit(DATA)
    path = {"trunk": "layers[0]"}.get(frozen, frozen)
    for name, place in trainer.network.layout.places.items():
        same = np.array_equal(place.view(trainer.theta), place.view(start))
        assert same == name.startswith(path), name


@others
def test_layers_that_are_frozen_later_predict_with_the_bits_they_have_then(optimizer):
    model = ModNetRegressor((4,), optimizer=optimizer, batch_size=20, max_iter=9, random_state=0)
    for _ in range(5):
        model.partial_fit(X, T)
    before = model.network_.parameters(model.theta_.copy())
    model.set_params(optimizer__groups=[{"layers": "layers[0]", "factor": 0}])
    for _ in range(5):
        model.partial_fit(X, T)
    for name, values in model.network_.parameters(model.theta_).items():
        assert np.array_equal(values, before[name]) == name.startswith("layers[0]"), name


def test_decay_of_a_rule_with_own_points_shortens_its_weights():
    norms = []
    for decay in (0.0, 1.0):
        model = ModNetRegressor(
            (8,), optimizer=ScheduleFreeAdamW(0.01, weight_decay=decay), random_state=0, max_iter=200
        )
        model.fit(X, T)
        norms.append(np.linalg.norm(model.theta_[: model.network_.layout.regularized]))
    assert norms[1] < 0.8 * norms[0]


def test_the_published_point_does_not_change_during_an_epoch(prepared):
    seen = []

    class Watching(ScheduleFreeAdamW):
        def step(self, theta, grad, state):
            super().step(theta, grad, state)
            seen.append(trainer.theta.copy())

    trainer = prepared(NORMED, DATA, optimizer=Watching(0.05), batch_size=20, max_iter=1)
    start = trainer.theta.copy()
    trainer.epoch(DATA)
    assert len(seen) == 3
    assert all(np.array_equal(each, start) for each in seen)
    assert not np.array_equal(trainer.theta, start)


def test_of_a_plain_rule_what_is_trained_is_what_is_published(prepared):
    trainer = prepared(NORMED, DATA, optimizer=Adam(), batch_size=20, max_iter=1)
    trainer.epoch(DATA)
    assert trainer.moving is trainer.theta
    assert trainer.moving_state is trainer.state
    assert trainer.optimizer_state.moving is None


@pytest.mark.parametrize("mean", ["ema", "swa"])
def test_a_mean_of_points_that_do_not_predict_is_refused(mean):
    with pytest.raises(InvalidSpecError, match=f"ScheduleFreeAdamW says itself which point predicts: leave out {mean}"):
        ScheduleFreeAdamW(**{mean: 0.5})


def test_a_rule_with_own_points_says_that_it_keeps_no_constraints():
    layers = [Dense(3, kernel_constraint="non_negative")]
    model = ModNetRegressor(layers, optimizer=ScheduleFreeAdamW(), early_stopping=False)
    with pytest.raises(
        InvalidSpecError, match=r"ScheduleFreeAdamW\(\) keeps no constraints, and there are some on layers"
    ):
        model.fit(X, T)


def test_schedule_free_learns_digits_without_a_schedule():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    layers = [Dense(32, "relu"), BatchNorm()]
    model = ModNetClassifier(layers, optimizer=ScheduleFreeAdamW(0.02), max_iter=20, tol=0, random_state=0)
    assert model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.95


# By the layout


def test_muon_moves_hidden_matrices_by_orthogonal_steps_and_the_rest_by_adam(prepared):
    trainer = prepared([Dense(4, "tanh"), Dense(3, "tanh"), Dense(2, name="last")], DATA, optimizer=Muon(), alpha=0)
    places, start = trainer.network.layout.places, trainer.theta.copy()
    trainer.backpropagate(DATA)
    gradient = trainer.gradient.copy()
    theta, state = start.copy(), trainer.optimizer_state
    Muon().step(theta, gradient.copy(), state)
    for name, place in places.items():
        moved, g = place.view(theta) - place.view(start), place.view(gradient)
        if is_hidden(name, place.shape):
            U, _, V = np.linalg.svd(g, full_matrices=False)
            np.testing.assert_allclose(np.linalg.svd(moved / 0.02)[1], 1, atol=0.35)  # Jordan's polynomial: 0.7 to 1.2
            assert np.vdot(-moved, U @ V) > 0.9 * np.linalg.norm(moved) * np.linalg.norm(U @ V)
        else:
            np.testing.assert_allclose(moved, -0.002 * np.sign(g), rtol=1e-4)


def test_the_layout_names_every_parameter_of_the_network():
    found = {}

    class Looking(Muon):
        def init(self, theta, layout) -> OptimizerState:
            found.update({name: layout.places[name].shape for name in layout.places})
            return super().init(theta, layout)

    model = ModNetRegressor([5], optimizer=Looking(), batch_size=10, max_iter=60, random_state=0).fit(X, T)
    assert found == {"layers[0].W": (4, 5), "output.W": (5, 2), "layers[0].b": (1, 5), "output.b": (1, 2)}
    assert model.score(X, T) > 0.8


def test_orthogonal_is_about_orthogonal():
    X = orthogonal(RNG.normal(size=(5, 8)))
    np.testing.assert_allclose(np.linalg.svd(X)[1], 1, atol=0.35)

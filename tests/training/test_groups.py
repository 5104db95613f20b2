"""Parameter groups, clipping, L1 and constraints: what training does around an optimizer's step."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet

from modnet import Layout, ModNetRegressor, ParameterGroup
from modnet.constraints import MaxNorm, NonNegative
from modnet.errors import InvalidSpecError
from modnet.layers import Dense, Parallel, Residual
from modnet.optimizers import LBFGS, SGD, Adam
from modnet.training import Data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
T = X @ RNG.normal(size=(3, 2)) + RNG.normal(size=(60, 2))
DATA = Data(X, T)
LAYERS = [Dense(4, "tanh", name="trunk"), Residual([Dense(5, "tanh"), Dense(4, name="inner")]), Dense(2)]
OPTIMIZERS = [
    SGD(0.05),
    SGD(0.05, 0.9),
    SGD(0.05, 0.9, True, "steps"),
    SGD(0.05, weight_decay=0.1),
    Adam(0.01),
    Adam(0.01, weight_decay=0.1),
]


def groups(*pairs):
    return tuple(ParameterGroup(layers, factor) for layers, factor in pairs)


def trained(prepared, optimizer, **settings):
    trainer = prepared(LAYERS, DATA, optimizer=optimizer, batch_size=20, max_iter=1, alpha=0, **settings)
    start = trainer.theta.copy()
    trainer.epoch(DATA)
    return trainer, start


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize(
    ("pattern", "moved"),
    [
        ("trunk", {"layers[1]", "layers[2]"}),
        ("layers[0]", {"layers[1]", "layers[2]"}),
        ("layers[1]", {"layers[0]", "layers[2]"}),
        ("inner", {"layers[0]", "layers[1].body[0]", "layers[2]"}),
        ("layers[1].body[*]", {"layers[0]", "layers[2]"}),
        ("layers[*]", set()),
        ("*", set()),
    ],
)
def test_frozen_layers_stay_as_they_are_and_all_others_learn(prepared, optimizer, pattern, moved):
    trainer, start = trained(prepared, dataclasses.replace(optimizer, groups=groups((pattern, 0))))
    for name, place in trainer.network.layout.places.items():
        same = np.array_equal(place.view(start), place.view(trainer.theta))
        assert same != any(name.startswith(path) for path in moved), name


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_factor_for_all_layers_is_another_learning_rate(prepared, optimizer):
    faster = dataclasses.replace(optimizer, learning_rate=3 * optimizer.learning_rate)
    expected, _ = trained(prepared, faster)
    found, _ = trained(prepared, dataclasses.replace(optimizer, groups=groups(("layers[*]", 3.0))))
    np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-12, atol=1e-14)


def test_factors_of_several_groups_multiply(prepared):
    once, _ = trained(prepared, SGD(0.05, groups=groups(("trunk", 0.25))))
    twice, _ = trained(prepared, SGD(0.05, groups=groups(("trunk", 0.5), ("layers[0]", 0.5))))
    np.testing.assert_array_equal(once.theta, twice.theta)


def test_a_group_that_fits_no_layer_names_those_that_learn(prepared):
    message = r"optimizer.groups\[1\].layers: no layer that learns is 'trunc', among .*trunk"
    with pytest.raises(InvalidSpecError, match=message):
        prepared(LAYERS, DATA, optimizer=SGD(groups=groups(("trunk", 0.5), ("trunc", 0))))


def test_frozen_layers_have_no_share_in_the_norm_that_is_clipped(prepared):
    small = SGD(0.1, clip_norm=1e-6, groups=groups(("layers[2]", 0)))
    trainer = prepared(LAYERS, DATA, optimizer=small, batch_size=60)
    start = trainer.theta.copy()
    trainer.epoch(DATA)
    assert np.linalg.norm(trainer.theta - start) == pytest.approx(0.1 * 1e-6, rel=1e-6)


def test_an_estimator_freezes_a_layer_by_its_name():
    layers = [Dense(5, "tanh", name="trunk"), 3]
    model = ModNetRegressor(layers, inputs=None, early_stopping=False, max_iter=3, tol=0, random_state=0)
    model.set_params(optimizer=Adam(groups=groups(("trunk", 0))))
    with pytest.warns(match="max_iter"):
        model.fit(X, T)
    fresh = model.network_.initialize(np.random.default_rng(0))[0]
    assert model.network_.parameters(model.theta_)["layers[0].W"].shape == (3, 5)
    assert model.to_spec().optimizer.groups == groups(("trunk", 0))
    assert fresh.shape == model.theta_.shape


@pytest.mark.parametrize("clip", [{"clip_norm": 0.5}, {"clip_value": 0.1}, {"clip_norm": 0.5, "clip_value": 0.1}])
def test_a_clipped_gradient_is_as_short_as_was_asked(clip):
    grad = np.array([3.0, -4.0, 0.01])
    theta, sgd = np.zeros(3), SGD(1.0, **clip)
    sgd.update(theta, grad.copy(), sgd.init(theta, Layout.flat(theta.size)))
    expected = np.clip(grad, -clip.get("clip_value", np.inf), clip.get("clip_value", np.inf))
    expected *= min(1, clip.get("clip_norm", np.inf) / np.linalg.norm(expected))
    np.testing.assert_allclose(-theta, expected, rtol=1e-15)


def test_a_short_gradient_is_not_touched():
    grad, theta, sgd = np.array([0.3, -0.4]), np.zeros(2), SGD(1.0, clip_norm=0.5, clip_value=0.4)
    sgd.update(theta, grad, sgd.init(theta, Layout.flat(theta.size)))
    np.testing.assert_array_equal(theta, [-0.3, 0.4])


def test_decoupled_decay_shrinks_weights_and_leaves_biases():
    theta = np.array([1.0, 2.0, 3.0])
    sgd = SGD(0.1, weight_decay=0.5)
    sgd.update(theta, np.zeros(3), sgd.init(theta, Layout.flat(3, regularized=2)))
    np.testing.assert_allclose(theta, [0.95, 1.9, 3.0], rtol=1e-15)


@pytest.mark.parametrize("rho", [0.1, 0.5, 1.0])
def test_decay_with_an_l1_ratio_is_scikit_learns_elastic_net(prepared, rho):
    strength = 0.3
    expected = ElasticNet(alpha=strength, l1_ratio=rho, tol=1e-12, max_iter=100_000).fit(X, T)
    settings = {"alpha": strength * len(X), "l1_ratio": rho, "batch_size": 60, "max_iter": 6000, "tol": 0}
    schedule = {"type": "exponential", "gamma": 0.999}
    trainer = prepared([Dense(2)], DATA, optimizer=SGD(0.1, schedule=schedule), n_iter_no_change=6000, **settings)
    trainer.fit(DATA)
    np.testing.assert_allclose(trainer.theta[:6].reshape(3, 2), expected.coef_.T, atol=1e-3)


ALLOWED = Dense(2, kernel_constraint=NonNegative())
BRANCH = Dense(3, "tanh", kernel_constraint=NonNegative())


@pytest.mark.parametrize("layers", [[ALLOWED], [Parallel([BRANCH, Dense(2)]), ALLOWED]], ids=len)
def test_constrained_weights_are_where_they_are_allowed_after_training(prepared, layers):
    trainer = prepared(layers, DATA, optimizer=Adam(0.05), batch_size=20, max_iter=5)
    trainer.fit(DATA)
    names = trainer.network.layout.constraints
    assert names
    for name, place in trainer.network.layout.places.items():
        assert (place.view(trainer.theta) >= 0).all() == (name in names), name


def test_max_norm_bounds_what_feeds_each_unit(prepared):
    trainer = prepared([Dense(2, kernel_constraint=MaxNorm(0.1))], DATA, optimizer=SGD(0.1), max_iter=5)
    trainer.fit(DATA)
    W = trainer.network.parameters(trainer.theta)["layers[0].W"]
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 0.1, rtol=1e-12)


def test_a_solver_says_that_it_keeps_no_constraints(prepared):
    with pytest.raises(InvalidSpecError, match=r"LBFGS\(\) keeps no constraints, and there are some on layers\[0\].W"):
        prepared([Dense(2, kernel_constraint=NonNegative())], DATA, optimizer=LBFGS())

"""Every optimizer, step by step, against its paper restated with one array per symbol."""

import inspect
import math
import tracemalloc

import numpy as np
import pytest
from support.papers import adamax, chen, dozat, duchi, kingma_ba, liu, rmsprop, zeiler, zhuang

import modnet.optimizers
from modnet import Layout, Optimizer
from modnet.component import field_names
from modnet.errors import InvalidSpecError
from modnet.optimizers import (
    SGD,
    AdaBelief,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
)

STEPS = 50
CLASSES = [cls for _, cls in inspect.getmembers(modnet.optimizers, inspect.isclass) if issubclass(cls, Optimizer)]
EXAMPLES = [example for cls in CLASSES for example in cls.examples()]


def quadratic(size=20):
    """Return the gradient of a random convex quadratic, and a start."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(size, size))
    A, c = root @ root.T / size, rng.normal(size=size)
    return lambda theta: A @ theta - c, rng.normal(size=size)


def trajectory(optimizer, gradient, theta, steps=STEPS):
    """Return θ after every step."""
    theta = theta.copy()
    state, path = optimizer.init(theta, Layout.flat(theta.size)), []
    for _ in range(steps):
        optimizer.step(theta, gradient(theta).copy(), state)
        path.append(theta.copy())
    return np.array(path)


def restated(rule, gradient, theta, *settings, **options):
    """Return θ after every step of a paper's rule: a generator that is sent g and yields how far θ moves."""
    moves, path = rule(*settings, **options), []
    next(moves)
    for _ in range(STEPS):
        theta = theta - moves.send(gradient(theta))
        path.append(theta)
    return np.array(path)


RULES = [
    (Adam(0.05), kingma_ba, (0.05, 0.9, 0.999, 1e-8), {}),
    (Adam(0.05, 0.5, 0.9, 0.1), kingma_ba, (0.05, 0.5, 0.9, 0.1), {}),
    (Adam(0.05, 0.0), kingma_ba, (0.05, 0.0, 0.999, 1e-8), {}),
    (Adam(0.05, 0.9, 0.9, amsgrad=True), kingma_ba, (0.05, 0.9, 0.9, 1e-8), {"amsgrad": True}),
    (AdamW(0.05), kingma_ba, (0.05, 0.9, 0.999, 1e-8), {}),
    (AdamW(0.05, 0.9, 0.9, amsgrad=True), kingma_ba, (0.05, 0.9, 0.9, 1e-8), {"amsgrad": True}),
    (Adamax(0.05), adamax, (0.05, 0.9, 0.999, 1e-8), {}),
    (Adamax(0.05, 0.5, 0.9, 0.1), adamax, (0.05, 0.5, 0.9, 0.1), {}),
    (NAdam(0.05), dozat, (0.05, 0.9, 0.999, 1e-8, 0.004), {}),
    (NAdam(0.05, 0.5, 0.9, 0.1, 1.0), dozat, (0.05, 0.5, 0.9, 0.1, 1.0), {}),
    (NAdam(0.05, 0.0), dozat, (0.05, 0.0, 0.999, 1e-8, 0.004), {}),
    (RAdam(0.05), liu, (0.05, 0.9, 0.999, 1e-8), {}),
    (RAdam(0.05, 0.5, 0.9, 0.1), liu, (0.05, 0.5, 0.9, 0.1), {}),
    (RMSprop(0.01), rmsprop, (0.01, 0.99, 1e-8), {}),
    (RMSprop(0.01, 0.9, 0.1), rmsprop, (0.01, 0.9, 0.1), {}),
    (RMSprop(0.01, momentum=0.5), rmsprop, (0.01, 0.99, 1e-8, 0.5), {}),
    (RMSprop(0.01, centered=True), rmsprop, (0.01, 0.99, 1e-8), {"centered": True}),
    (RMSprop(0.01, 0.9, momentum=0.5, centered=True), rmsprop, (0.01, 0.9, 1e-8, 0.5), {"centered": True}),
    (Adagrad(0.5), duchi, (0.5, 0.0, 1e-10), {}),
    (Adagrad(0.5, 0.1, 0.1), duchi, (0.5, 0.1, 0.1), {}),
    (Adadelta(), zeiler, (1.0, 0.9, 1e-6), {}),
    (Adadelta(0.5, 0.5, 0.1), zeiler, (0.5, 0.5, 0.1), {}),
    (Lion(0.01), chen, (0.01, 0.9, 0.99), {}),
    (Lion(0.01, 0.0, 0.5), chen, (0.01, 0.0, 0.5), {}),
    (AdaBelief(0.05), zhuang, (0.05, 0.9, 0.999, 1e-16), {}),
    (AdaBelief(0.05, 0.5, 0.9, 0.01), zhuang, (0.05, 0.5, 0.9, 0.01), {}),
]
"""Ours, and the rule with the same settings."""


def name_of_ours(value):
    """Return how a case is called."""
    return repr(value) if isinstance(value, Optimizer) else ""


@pytest.mark.parametrize(("ours", "paper", "settings", "options"), RULES, ids=name_of_ours)
def test_every_step_is_the_papers(ours, paper, settings, options):
    gradient, start = quadratic()
    path = restated(paper, gradient, start, *settings, **options)
    np.testing.assert_allclose(trajectory(ours, gradient, start), path, rtol=1e-9, atol=1e-9)


def test_no_optimizer_is_without_a_restatement():
    assert {type(ours) for ours, *_ in RULES} | {SGD} == set(CLASSES)


# SGD


def sutskever(gradient, theta, epsilon, mu, *, nesterov):
    """Equations 1 and 2, or 3 and 4, of Sutskever et al. (2013).

    For Nesterov it returns the points θ + μ v, where gradients are taken: an implementation that is given gradients
    has no other θ.
    """
    v, path = np.zeros_like(theta), []
    for _ in range(STEPS):
        v = mu * v - epsilon * gradient(theta + mu * v if nesterov else theta)
        theta = theta + v
        path.append(theta + mu * v if nesterov else theta)
    return np.array(path)


def test_sgd_is_gradient_descent():
    gradient, start = quadratic()
    theta, path = start, []
    for _ in range(STEPS):
        theta = theta - 0.1 * gradient(theta)
        path.append(theta)
    np.testing.assert_allclose(trajectory(SGD(0.1), gradient, start), path, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_momentum_is_that_of_sutskever_et_al(momentum, nesterov):
    gradient, start = quadratic()
    ours = trajectory(SGD(0.05, momentum, nesterov), gradient, start)
    paper = sutskever(gradient, start, 0.05, momentum, nesterov=nesterov)
    np.testing.assert_allclose(ours, paper, rtol=1e-12, atol=1e-12)


# Adam and its relatives


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.0), (0.0, 0.0)])
def test_adam_is_right_for_gradients_of_every_size(betas):
    # Given gradients, not those of the path: with β₂ = 0 a path is chaotic where a gradient passes through zero.
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(STEPS, 20)) * 10.0 ** rng.integers(-9, 9, size=20)
    for_us, for_them = iter(gradients), iter(gradients)
    ours = trajectory(Adam(0.05, *betas), lambda theta: next(for_us), np.zeros(20))
    paper = restated(kingma_ba, lambda theta: next(for_them), np.zeros(20), 0.05, *betas, 1e-8)
    np.testing.assert_allclose(ours, paper, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls", [Adam, AdamW, Adamax, Adagrad])
def test_the_first_step_is_the_learning_rate_whatever_the_gradient(cls):
    for scale in (1e-3, 1.0, 1e6):
        theta = np.zeros(2)
        cls(0.1).step(theta, scale * np.array([3.0, -5.0]), cls(0.1).init(theta, Layout.flat(theta.size)))
        np.testing.assert_allclose(theta, [-0.1, 0.1], rtol=1e-4)


def test_adam_does_not_drift_over_many_steps():
    steps = 10_000
    path = trajectory(Adam(0.01), lambda theta: np.array([2.0]), np.zeros(1), steps)
    assert path[-1, 0] == pytest.approx(-0.01 * steps, rel=1e-7)


def test_amsgrad_does_not_forget_a_large_gradient():
    def gradient(theta):
        return np.array([1000.0]) if theta[0] == 0 else np.array([1.0])

    step = abs(np.diff(trajectory(Adam(0.1, 0.0, 0.5, amsgrad=True), gradient, np.zeros(1), 200)[:, 0]))
    assert step[-1] < 0.001  # √v̂ is still that of 1000
    assert abs(np.diff(trajectory(Adam(0.1, 0.0, 0.5), gradient, np.zeros(1), 200)[:, 0]))[-1] == pytest.approx(0.1)


def test_adamw_shrinks_what_is_regularized_by_a_factor_and_nothing_else():
    optimizer, theta = AdamW(0.1, weight_decay=0.5), np.ones(3)
    state = optimizer.init(theta, Layout.flat(3, regularized=2))
    for _ in range(3):
        optimizer.update(theta, np.zeros(3), state)
    np.testing.assert_allclose(theta, [0.95**3, 0.95**3, 1.0], rtol=1e-14)


def test_adamw_is_adam_with_a_weight_decay():
    gradient, start = quadratic()
    paths = []
    for optimizer in (AdamW(0.05, weight_decay=0.1), Adam(0.05, weight_decay=0.1)):
        theta, state = start.copy(), optimizer.init(start, Layout.flat(20, regularized=10))
        for _ in range(STEPS):
            optimizer.update(theta, gradient(theta), state)
        paths.append(theta)
    np.testing.assert_array_equal(*paths)


def test_radam_does_not_divide_before_its_mean_is_long_enough():
    # ρ of the first five steps is below 5: they follow m̂, here the constant gradient.
    path = trajectory(RAdam(0.1), lambda theta: np.array([3.0, 0.01]), np.zeros(2))
    np.testing.assert_allclose(np.diff(path, axis=0)[:4], np.tile([-0.3, -0.001], (4, 1)), rtol=1e-9)
    assert np.ptp(np.diff(path, axis=0)[5:], axis=1) == pytest.approx(0, abs=1e-6)


def test_radam_with_a_short_mean_never_divides():
    path = trajectory(RAdam(0.1, beta_2=0.6), lambda theta: np.array([3.0]), np.zeros(1), 200)
    np.testing.assert_allclose(np.diff(path[:, 0]), -0.3, rtol=1e-9)


def test_nadam_keeps_its_product_as_a_number():
    optimizer, theta = NAdam(), np.zeros(2)
    state = optimizer.init(theta, Layout.flat(theta.size))
    for _ in range(3):
        optimizer.step(theta, np.ones(2), state)
    mu = [0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (1, 2, 3)]
    assert state.scalars == {"product": pytest.approx(math.prod(mu), rel=1e-14)}


# The others


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centered_rmsprop_survives_a_variance_of_zero(dtype):
    # v − ḡ² of a constant gradient is zero but for rounding, which may bring it below.
    gradient = np.random.default_rng(0).normal(size=50).astype(dtype)
    optimizer, theta = RMSprop(1e-6, 0.9, 1e-3, centered=True), np.zeros(50, dtype)
    state = optimizer.init(theta, Layout.flat(theta.size))
    for _ in range(2000):
        optimizer.step(theta, gradient.copy(), state)
    assert np.isfinite(theta).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lion_moves_every_weight_by_the_learning_rate_and_dead_ones_not_at_all(dtype):
    rng = np.random.default_rng(0)
    optimizer, theta = Lion(0.25), np.zeros(30, dtype)
    state = optimizer.init(theta, Layout.flat(theta.size))
    for _ in range(5):
        before, grad = theta.copy(), rng.normal(size=30).astype(dtype)
        grad[::3] = 0
        optimizer.step(theta, grad, state)
        moved = abs(theta - before)
        assert set(moved[grad != 0]) == {0.25}
        assert set(moved[::3]) == {0.0}


def test_adagrads_steps_shrink_as_one_over_the_root_of_t():
    path = trajectory(Adagrad(0.1), lambda theta: np.array([2.0]), np.zeros(1))
    steps = -np.diff(path[:, 0], prepend=0)
    np.testing.assert_allclose(steps, 0.1 / np.sqrt(np.arange(1, STEPS + 1)), rtol=1e-8)


def test_adadelta_does_not_care_about_the_scale_of_the_loss():
    gradient, start = quadratic()
    plain = trajectory(Adadelta(epsilon=1e-30), gradient, start)
    # u starts at 0, so that the first Δ is about √ε: any ε does, as long as it is nothing beside g².
    scaled = trajectory(Adadelta(epsilon=1e-30), lambda theta: 1000 * gradient(theta), start)
    np.testing.assert_allclose(scaled, plain, rtol=1e-9)


# All of them


@pytest.mark.parametrize("ours", EXAMPLES, ids=repr)
def test_a_step_makes_no_array(ours):
    theta, grad = np.zeros(50_000), np.random.default_rng(0).normal(size=50_000)
    state = ours.init(theta, Layout.flat(theta.size))
    ours.step(theta, grad, state)
    tracemalloc.start()
    ours.step(theta, grad, state)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < theta.nbytes / 10


def test_weights_without_a_gradient_stay_where_they_are():
    for ours in EXAMPLES:
        theta = np.linspace(-1, 1, 5)
        state = ours.init(theta, Layout.flat(theta.size))
        for _ in range(100):
            ours.step(theta, np.zeros(5), state)
        np.testing.assert_array_equal(theta, np.linspace(-1, 1, 5), err_msg=repr(ours))


BAD = {
    "learning_rate": (0.0, -1.0, math.inf, math.nan, True, "fast"),
    "beta_1": (-0.1, 1.0, math.nan),
    "beta_2": (-0.1, 1.0, math.nan),
    "rho": (-0.1, 1.0, math.nan),
    "epsilon": (0.0, -1e-8, math.inf, math.nan),
    "momentum": (-0.1, 1.1, math.nan),
    "momentum_decay": (-0.1, math.inf, math.nan),
    "initial_accumulator_value": (-0.1, math.inf, math.nan),
    "weight_decay": (-0.1, math.inf, math.nan),
    "clip_norm": (0.0, -1.0),
    "clip_value": (0.0, -1.0),
}


@pytest.mark.parametrize("cls", CLASSES)
def test_numbers_out_of_range_are_refused_on_construction(cls):
    for name in set(field_names(cls)) & BAD.keys():
        for value in BAD[name]:
            with pytest.raises(InvalidSpecError, match=name):
                cls(**{name: value})

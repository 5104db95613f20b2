"""SGD and Adam, step by step, against their papers restated with one array per symbol, and against PyTorch."""

import numpy as np
import pytest

from modnet.optimizers import SGD, Adam

STEPS = 50


def quadratic(size=20):
    """Return the gradient of a random convex quadratic, and a start."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(size, size))
    A, c = root @ root.T / size, rng.normal(size=size)
    return lambda theta: A @ theta - c, rng.normal(size=size)


def trajectory(optimizer, gradient, theta):
    """Return θ after every step."""
    theta = theta.copy()
    state, path = optimizer.init(theta), []
    for _ in range(STEPS):
        optimizer.step(theta, gradient(theta), state)
        path.append(theta.copy())
    return np.array(path)


def kingma_ba(gradient, theta, alpha, beta_1, beta_2, epsilon):
    """Algorithm 1 of Kingma & Ba (2015)."""
    m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t in range(1, STEPS + 1):
        g = gradient(theta)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)
        theta = theta - alpha * m_hat / (np.sqrt(v_hat) + epsilon)
        path.append(theta)
    return np.array(path)


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


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.0, 0.999)])
def test_adam_is_that_of_kingma_and_ba(betas, epsilon):
    gradient, start = quadratic()
    ours = trajectory(Adam(0.05, *betas, epsilon), gradient, start)
    np.testing.assert_allclose(ours, kingma_ba(gradient, start, 0.05, *betas, epsilon), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.0), (0.0, 0.0)])
def test_adam_is_right_for_gradients_of_every_size(betas):
    # Given gradients, not those of the path: with β₂ = 0 a path is chaotic where a gradient passes through zero.
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(STEPS, 20)) * 10.0 ** rng.integers(-9, 9, size=20)
    for_us, for_them = iter(gradients), iter(gradients)
    ours = trajectory(Adam(0.05, *betas), lambda theta: next(for_us), np.zeros(20))
    paper = kingma_ba(lambda theta: next(for_them), np.zeros(20), 0.05, *betas, 1e-8)
    np.testing.assert_allclose(ours, paper, rtol=1e-12, atol=1e-12)


def test_adams_first_step_is_the_learning_rate_whatever_the_gradient():
    for scale in (1e-3, 1.0, 1e6):
        theta = np.zeros(2)
        Adam(0.1).step(theta, scale * np.array([3.0, -5.0]), Adam(0.1).init(theta))
        np.testing.assert_allclose(theta, [-0.1, 0.1], rtol=1e-4)


def test_adam_does_not_drift_over_many_steps():
    theta, steps = np.zeros(1), 20_000
    optimizer = Adam(0.01)
    state = optimizer.init(theta)
    for _ in range(steps):
        optimizer.step(theta, np.array([2.0]), state)
    assert theta[0] == pytest.approx(-0.01 * steps, rel=1e-7)


@pytest.mark.parametrize(
    ("ours", "name", "settings"),
    [
        (SGD(0.05), "SGD", {"lr": 0.05}),
        (SGD(0.05, 0.9), "SGD", {"lr": 0.05, "momentum": 0.9}),
        (SGD(0.05, 0.9, True), "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
        (Adam(0.05), "Adam", {"lr": 0.05}),
        (Adam(0.05, 0.5, 0.9, 0.1), "Adam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.1}),
    ],
    ids=repr,
)
def test_trajectories_are_those_of_pytorch(ours, name, settings):
    torch = pytest.importorskip("torch")
    gradient, start = quadratic()
    theta, path = torch.tensor(start), []
    theirs = getattr(torch.optim, name)([theta], **settings)
    for _ in range(STEPS):
        theta.grad = torch.tensor(gradient(theta.numpy()))
        theirs.step()
        path.append(theta.numpy().copy())
    np.testing.assert_allclose(trajectory(ours, gradient, start), path, rtol=1e-10, atol=1e-10)

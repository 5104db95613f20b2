"""Optimizers beside PyTorch's: the same gradients, and gradients of a network that either side computes by itself."""

import numpy as np
import pytest

from modnet import Layout, Network
from modnet.layers import Dense
from modnet.network import Pass
from modnet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop

torch = pytest.importorskip("torch")

STEPS = 50

PAIRS = [
    (SGD(0.05), "SGD", {"lr": 0.05}),
    (SGD(0.05, 0.9), "SGD", {"lr": 0.05, "momentum": 0.9}),
    (SGD(0.05, 0.9, True), "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    (Adam(), "Adam", {}),
    (Adam(0.05), "Adam", {"lr": 0.05}),
    (Adam(0.05, 0.5, 0.9, 0.1), "Adam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.1}),
    (Adam(0.05, 0.9, 0.9, amsgrad=True), "Adam", {"lr": 0.05, "betas": (0.9, 0.9), "amsgrad": True}),
    (AdamW(), "AdamW", {}),
    (AdamW(0.05, weight_decay=0.1), "AdamW", {"lr": 0.05, "weight_decay": 0.1}),
    (AdamW(0.05, amsgrad=True, weight_decay=0.1), "AdamW", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    (Adamax(), "Adamax", {}),
    (Adamax(0.05, 0.5, 0.9, 0.1), "Adamax", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.1}),
    (NAdam(), "NAdam", {}),
    (
        NAdam(0.05, 0.5, 0.9, 0.1, 0.5),
        "NAdam",
        {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.1, "momentum_decay": 0.5},
    ),
    (NAdam(0.05, weight_decay=0.1), "NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (RAdam(), "RAdam", {}),
    (RAdam(0.05, 0.5, 0.9, 0.1), "RAdam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.1}),
    (RAdam(0.05, weight_decay=0.1), "RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (RMSprop(), "RMSprop", {}),
    (RMSprop(0.005, 0.9, 0.1, 0.9), "RMSprop", {"lr": 0.005, "alpha": 0.9, "eps": 0.1, "momentum": 0.9}),
    (RMSprop(0.005, centered=True), "RMSprop", {"lr": 0.005, "centered": True}),
    (RMSprop(0.005, momentum=0.5, centered=True), "RMSprop", {"lr": 0.005, "momentum": 0.5, "centered": True}),
    (Adagrad(), "Adagrad", {}),
    (Adagrad(0.5, 0.1, 0.1), "Adagrad", {"lr": 0.5, "initial_accumulator_value": 0.1, "eps": 0.1}),
    (Adadelta(), "Adadelta", {}),
    (Adadelta(0.5, 0.5, 0.1), "Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 0.1}),
]
"""Ours, and the name and settings of PyTorch's, which has no Lion and no AdaBelief, and keeps NAdam's product of μ in
float32 whatever the dtype: paths of NAdam agree to 2e-9, the others to 1e-12."""

pairs = pytest.mark.parametrize(("ours", "name", "settings"), PAIRS, ids=lambda value: str(value))


def trajectory(optimizer, gradient, theta):
    """Return θ after every step that training would make, all of θ being regularized."""
    theta = theta.copy()
    state, path = optimizer.init(theta, Layout.flat(theta.size)), []
    for _ in range(STEPS):
        optimizer.update(theta, gradient(theta), state)
        path.append(theta.copy())
    return np.array(path)


@pairs
def test_trajectories_on_a_quadratic_are_those_of_pytorch(ours, name, settings):
    rng = np.random.default_rng(0)
    root = rng.normal(size=(20, 20))
    A, c, start = root @ root.T / 20, rng.normal(size=20), rng.normal(size=20)

    def gradient(theta):
        return A @ theta - c

    theta, path = torch.tensor(start), []
    theirs = getattr(torch.optim, name)([theta], **settings)
    for _ in range(STEPS):
        theta.grad = torch.tensor(gradient(theta.numpy()))
        theirs.step()
        path.append(theta.numpy().copy())
    np.testing.assert_allclose(trajectory(ours, gradient, start), path, rtol=1e-8, atol=1e-8)


@pairs
def test_trajectories_of_a_network_are_those_of_pytorch(ours, name, settings):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    network = Network([Dense(5, "tanh"), Dense(2)], (4,))
    start, none = network.initialize(rng)
    gradient = np.empty_like(start)

    def backpropagated(theta):
        running = Pass(network, theta, none, gradient=gradient, rows=len(x), training=True, rng=rng)
        running.backward((running.forward(x) - t) / len(x))
        return gradient

    places = network.layout.places.values()
    W, V, b, c = parameters = [torch.tensor(place.view(start), requires_grad=True) for place in places]
    theirs, path = getattr(torch.optim, name)(parameters, **settings), []
    for _ in range(STEPS):
        theirs.zero_grad()
        y = torch.tanh(torch.tensor(x) @ W + b) @ V + c
        (0.5 * ((y - torch.tensor(t)) ** 2).sum() / len(x)).backward()
        theirs.step()
        path.append(np.concatenate([parameter.detach().numpy().ravel() for parameter in parameters]))
    np.testing.assert_allclose(trajectory(ours, backpropagated, start), path, rtol=1e-8, atol=1e-8)


@pairs
def test_trajectories_in_float32_are_those_of_pytorch(ours, name, settings):
    gradients = np.random.default_rng(0).normal(size=(STEPS, 20)).astype(np.float32)
    theta, path = torch.ones(20), []
    theirs = getattr(torch.optim, name)([theta], **settings)
    for gradient in gradients:
        theta.grad = torch.tensor(gradient)
        theirs.step()
        path.append(theta.numpy().copy())
    given = iter(gradients.copy())
    path_of_ours = trajectory(ours, lambda theta: next(given), np.ones(20, np.float32))
    assert path_of_ours.dtype == np.float32
    np.testing.assert_allclose(path_of_ours, path, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_clipping_is_that_of_pytorch(scale):
    grad = scale * np.random.default_rng(0).normal(size=50)

    def clipped(**options):
        theta = np.zeros(50)
        optimizer = SGD(1.0, **options)
        optimizer.update(theta, grad.copy(), optimizer.init(theta, Layout.flat(theta.size)))
        return -theta

    theirs = torch.nn.Parameter(torch.zeros(50, dtype=torch.float64))
    theirs.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_norm_([theirs], 2.0)
    # PyTorch adds 1e-6 to the norm that it divides by.
    np.testing.assert_allclose(clipped(clip_norm=2.0), theirs.grad.numpy(), rtol=1e-5)
    theirs.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_value_([theirs], 0.5)
    np.testing.assert_array_equal(clipped(clip_value=0.5), theirs.grad.numpy())
    torch.nn.utils.clip_grad_norm_([theirs], 2.0)
    np.testing.assert_allclose(clipped(clip_value=0.5, clip_norm=2.0), theirs.grad.numpy(), rtol=1e-5)

"""What holds for every optimizer: in place, gradient untouched, dtype kept, and all that it remembers in its state."""

import dataclasses
import pickle

import numpy as np
import pytest

SIZE = 7


def quadratic(seed=0, size=SIZE):
    """Return J, its gradient and a start, for a random J = ½ θᵀ A θ − cᵀ θ with A positive definite."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    A, c = root @ root.T / size + 0.1 * np.eye(size), rng.normal(size=size)

    def J(theta):
        return 0.5 * theta @ A @ theta - c @ theta

    return J, lambda theta: A @ theta - c, rng.normal(size=size)


def walk(optimizer, gradient, theta, steps, state=None):
    """Return θ after some steps, and the state."""
    theta = theta.copy()
    state = optimizer.init(theta) if state is None else state
    for _ in range(steps):
        optimizer.step(theta, gradient(theta), state)
    return theta, state


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_theta_is_changed_in_place_and_keeps_its_dtype(optimizer, dtype):
    theta = np.ones(SIZE, dtype)
    memory, state = theta.ctypes.data, optimizer.init(theta)
    grad = np.linspace(-1, 1, SIZE, dtype=dtype)
    grad.flags.writeable = False
    for _ in range(3):
        assert optimizer.step(theta, grad, state) is None
    assert theta.ctypes.data == memory
    assert theta.dtype == dtype
    assert {vector.dtype for vector in state.vectors.values()} <= {np.dtype(dtype)}
    assert np.all(theta[grad != 0] != 1)


def test_init_leaves_theta_alone(optimizer):
    theta = np.ones(SIZE)
    theta.flags.writeable = False
    state = optimizer.init(theta)
    assert state.step == 0
    assert state.learning_rate == optimizer.learning_rate
    assert {vector.shape for vector in state.vectors.values()} <= {theta.shape}


def test_steps_are_counted(optimizer):
    _, gradient, start = quadratic()
    assert walk(optimizer, gradient, start, 5)[1].step == 5


def test_loss_falls(optimizer):
    J, gradient, start = quadratic()
    assert J(walk(optimizer, gradient, start, 200)[0]) < J(start)


def test_the_rate_of_a_step_is_the_one_in_the_state(optimizer):
    _, gradient, start = quadratic()
    faster = dataclasses.replace(optimizer, learning_rate=3 * optimizer.learning_rate)
    state = optimizer.init(start)
    state.learning_rate = faster.learning_rate
    np.testing.assert_array_equal(walk(optimizer, gradient, start, 10, state)[0], walk(faster, gradient, start, 10)[0])


def test_a_pickled_state_goes_on_where_it_was(optimizer):
    _, gradient, start = quadratic()
    straight, _ = walk(optimizer, gradient, start, 20)
    half, state = walk(optimizer, gradient, start, 10)
    resumed, _ = walk(optimizer, gradient, half, 10, pickle.loads(pickle.dumps(state)))
    np.testing.assert_array_equal(resumed, straight)


def test_two_runs_of_one_optimizer_do_not_meet(optimizer):
    _, gradient, start = quadratic()
    alone, _ = walk(optimizer, gradient, start, 10)
    walk(optimizer, lambda theta: 100 * gradient(theta), start, 10)
    np.testing.assert_array_equal(walk(optimizer, gradient, start, 10)[0], alone)

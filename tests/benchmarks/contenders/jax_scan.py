"""JAX at its best: an epoch is one compiled scan over mini-batches, and loss and Adam are written by hand.

Shuffling is NumPy's, which sorts nothing and is faster than `jax.random.permutation`. Rows are gathered step by step,
which is as fast as gathering all of them first. X and y are JAX's own arrays before training begins.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.contenders import Fit, Step
from benchmarks.problem import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Problem, Weights

_FEW = 2**16
"""Below so many parameters one vector is faster (18.6 instead of 23 µs per step of 64-32-10), above it is not."""

Parameters = Any
State = tuple[Parameters, Parameters, Parameters, Any]
"""θ, m, v and the number of steps."""


class Net:
    """The net of a problem: its functions, and where it starts."""

    def __init__(self, problem: Problem) -> None:
        self._case = problem.case
        start = [(jnp.asarray(W), jnp.asarray(b)) for W, b in problem.start]
        few = problem.case.parameters < _FEW
        self._start, self.layers = ravel_pytree(start) if few else (start, lambda layers: layers)
        self.predict = jax.jit(self._predict)

    def state(self) -> State:
        """Return the state before the first step, in memory of its own."""
        theta, m, v = (jax.tree.map(f, self._start) for f in (jnp.array, jnp.zeros_like, jnp.zeros_like))
        return theta, m, v, jnp.zeros((), jax.tree.leaves(theta)[0].dtype)

    def step(self, state: State, x: Array, t: Array) -> tuple[State, Array]:
        """Return the state after a step, and the loss before it."""
        theta, m, v, count = state
        loss, gradient = jax.value_and_grad(self.loss)(theta, x, t)
        count = count + 1
        rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        epsilon = EPSILON * jnp.sqrt(1 - BETA_2**count)
        m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, gradient)
        v = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, v, gradient)
        theta = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + epsilon), theta, m, v)
        return (theta, m, v, count), loss

    def loss(self, theta: Parameters, x: Array, t: Array) -> Array:
        """Return the cross-entropy."""
        z = self._raw(theta, x)
        if self._case.outputs == 1:
            return (jax.nn.softplus(z[:, 0]) - t * z[:, 0]).mean()
        z_t = (z * jax.nn.one_hot(t, z.shape[1], dtype=z.dtype)).sum(axis=1)
        return (jax.nn.logsumexp(z, axis=1) - z_t).mean()

    def _predict(self, theta: Parameters, x: Array) -> Array:
        z = self._raw(theta, x)
        return z[:, 0] > 0 if self._case.outputs == 1 else z.argmax(axis=1)

    def _raw(self, theta: Parameters, x: Array) -> Array:
        activation = jax.nn.relu if self._case.activation == "relu" else jax.nn.sigmoid
        *hidden, (W, b) = self.layers(theta)
        for W_i, b_i in hidden:
            x = activation(x @ W_i + b_i)
        return x @ W + b


@dataclass(frozen=True)
class Trained:
    """A net that was trained."""

    net: Net
    theta: Parameters

    def weights(self) -> Weights:
        """Return its weights."""
        return [(np.asarray(W), np.asarray(b)) for W, b in self.net.layers(self.theta)]

    def predict(self, X: Array) -> Array:
        """Return classes."""
        return np.asarray(self.net.predict(self.theta, X))


def prepare(problem: Problem) -> Fit:
    """Return the loop over epochs."""
    case, net = problem.case, Net(problem)
    X, t = jnp.asarray(problem.X), jnp.asarray(problem.y, jnp.int32)

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: State, X: Array, t: Array, batches: Array) -> tuple[State, Array]:
        state, losses = jax.lax.scan(lambda state, rows: net.step(state, X[rows], t[rows]), state, batches)
        return state, losses.mean()

    def fit() -> Trained:
        rng, state = np.random.default_rng(0), net.state()
        for _ in range(case.epochs):
            order = rng.permutation(case.rows).astype(np.int32)
            state, loss = epoch(state, X, t, order.reshape(-1, case.batch_size))
        jax.block_until_ready((state, loss))
        return Trained(net, state[0])

    return fit


def stream(problem: Problem, rows: int) -> Step:
    """Return one compiled step."""
    net = Net(problem)
    step, state = jax.jit(net.step, donate_argnums=0), net.state()

    def advance(X: Array, y: Array) -> None:
        nonlocal state
        state, loss = step(state, X, y.astype(np.int32))
        jax.block_until_ready(loss)

    return advance

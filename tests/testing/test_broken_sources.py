"""Components with buffers, generators and orders of their own, and the checks that find them."""

import threading
from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from modnet import Initializer, Module, Optimizer, OptimizerState, Parameter
from modnet.errors import ShapeError
from modnet.initializers import GlorotUniform, Values, Zeros
from modnet.testing.rules import interleaved


class Shift(Module):
    """Y = x + b, as it should be; others change a line."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        if len(input_shape) != 1:
            raise ShapeError(f"takes rows of one axis, got {input_shape}")
        return input_shape

    def parameters(self, input_shape):
        return {"b": Parameter((1, *input_shape), Zeros())}

    def forward(self, ctx, x):
        return np.add(x, ctx.p.b, out=ctx.out)

    def grad_params(self, ctx, dy):
        np.sum(dy, axis=0, keepdims=True, out=ctx.g.b)

    def grad_input(self, ctx, dy):
        return dy


BUFFERS = {}


class ModuleBuffer(Shift):
    """Adds up in memory that the whole module shares, and copies it in the next line."""

    def forward(self, ctx, x):
        buffer = BUFFERS.setdefault((x.shape, x.dtype), np.empty_like(x))
        np.copyto(buffer, x)
        return np.add(buffer, ctx.p.b, out=ctx.out)


class ReturnsBuffer(Shift):
    """Returns memory that the whole module shares."""

    def forward(self, ctx, x):
        buffer = BUFFERS.setdefault(("y", x.shape, x.dtype), np.empty_like(x))
        return np.add(x, ctx.p.b, out=buffer)


class SeededNoise(Shift):
    """Draws the same noise each time, whatever random_state is."""

    def forward(self, ctx, x):
        y = super().forward(ctx, x)
        return y + np.random.default_rng(0).normal(size=y.shape).astype(y.dtype) if ctx.training else y


class ImportedGenerator(Shift):
    """Draws from a generator that is made by a name of the module's own."""

    def forward(self, ctx, x):
        return (x + ctx.p.b + default_rng(seed=1).normal(size=(1, x.shape[-1]))).astype(x.dtype)


class FixedFrequencies(Shift):
    """Its first values are drawn in `parameters`, the same each time."""

    def parameters(self, input_shape):
        drawn = np.random.RandomState(3).normal(size=input_shape)
        return {"b": Parameter((1, *input_shape), Values(tuple(drawn.tolist())))}


class OtherEachTime(Shift):
    """Its first values are drawn from a generator that the whole module shares."""

    generator: ClassVar[np.random.Generator] = default_rng(0)

    def parameters(self, input_shape):
        drawn = self.generator.normal(size=input_shape)
        return {"b": Parameter((1, *input_shape), Values(tuple(drawn.tolist())))}


class OwnFirstValues(Initializer):
    """Adds numbers of a generator of its own to what it draws."""

    def sample(self, rng, shape):
        return rng.normal(size=shape) + default_rng(0).normal(size=shape)


class OrderOfASet(Shift):
    """Names its parameters as a set has them."""

    def parameters(self, input_shape):
        shapes = dict.fromkeys({"b", "gain", "slope"}, (1, *input_shape))
        return {name: Parameter(shape, GlorotUniform()) for name, shape in shapes.items()}

    def grad_params(self, ctx, dy):
        super().grad_params(ctx, dy)
        ctx.g.gain[...] = ctx.g.slope[...] = 0


NAMES = frozenset({"b", "gain", "slope"})


class OrderOfAConstant(OrderOfASet):
    """Names its parameters as a set that is a constant of the module has them."""

    def parameters(self, input_shape):
        return {name: Parameter((1, *input_shape), GlorotUniform()) for name in NAMES}


class SortedSet(OrderOfASet):
    """Sorts the names of a set, which is right."""

    def parameters(self, input_shape):
        return {name: Parameter((1, *input_shape), GlorotUniform()) for name in sorted(NAMES)}


class NoSign(Optimizer):
    """Θ ← θ − η |g|."""

    def init(self, theta, layout):
        return OptimizerState(self.learning_rate, layout)

    def step(self, theta, grad, state):
        state.step += 1
        theta -= state.learning_rate * np.abs(grad)


class OwnIterates(NoSign):
    """Steps in a copy of θ, and writes θ from it."""

    def init(self, theta, layout):
        return OptimizerState(self.learning_rate, layout, vectors={"own": theta.copy()})

    def step(self, theta, grad, state):
        state.step += 1
        state.vectors["own"] -= state.learning_rate * grad
        theta[...] = state.vectors["own"]


BROKEN = [
    (ModuleBuffer(), "threads_do_not_meet"),
    (ReturnsBuffer(), "threads_do_not_meet"),
    (SeededNoise(), "randomness_comes_from_the_context"),
    (ImportedGenerator(), "randomness_comes_from_the_context"),
    (FixedFrequencies(), "randomness_comes_from_the_context"),
    (OtherEachTime(), "randomness_comes_from_the_context"),
    (OwnFirstValues(), "the_seed_decides"),
    (OrderOfASet(), "parameters_have_one_order_in_all_processes"),
    (OrderOfAConstant(), "parameters_have_one_order_in_all_processes"),
    (NoSign(), "the_loss_falls"),
    (OwnIterates(), "what_others_change_in_theta_stays"),
]


@pytest.mark.parametrize(("component", "by"), BROKEN, ids=[type(each[0]).__name__ for each in BROKEN])
def test_a_slip_is_caught_by_the_check_that_is_there_for_it(failures, component, by):
    assert set(failures(component)) == {by}


@pytest.mark.parametrize("module", [Shift(), pytest.param(SortedSet(), marks=pytest.mark.slow)], ids=repr)
def test_what_is_right_passes(failures, module):
    assert failures(module) == {}


def test_the_generator_is_named(failures):
    found = failures(ImportedGenerator())["randomness_comes_from_the_context"].found
    assert found.startswith("it made a generator of its own, np.random.default_rng(seed=1), for which")


def test_another_caller_runs_between_any_two_operations():
    shared = []

    def run(x):
        shared[:] = [x]
        return sum(shared)

    assert (run(1), interleaved(lambda: run(1), lambda: run(5))) == (1, 5)


def test_a_component_that_holds_a_lock_is_waited_for_and_right():
    lock, shared = threading.Lock(), []

    def run(x):
        with lock:
            shared[:] = [x]
            return sum(shared)

    assert interleaved(lambda: run(1), lambda: run(5)) == 1

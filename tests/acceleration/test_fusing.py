"""Accelerators: fused modules run in place of modnet's own links if they agree with them, and only then."""

from typing import ClassVar

import numpy as np
import pytest

from modnet import (
    Accelerator,
    Activation,
    Fused,
    Layout,
    Loss,
    ModNetClassifier,
    ModNetRegressor,
    Module,
    Network,
    Optimizer,
)
from modnet.acceleration import accelerated
from modnet.acceleration.engine import fused_loss, fused_optimizer
from modnet.activations import ReLU, Tanh
from modnet.errors import InvalidSpecError
from modnet.layers import BatchNorm, Dense, Dropout, Embedding, Residual
from modnet.losses import SquaredError
from modnet.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 3))
T, FLOAT64 = X[:, :1], np.dtype(np.float64)
LAYERS = [Dense(4, "relu"), Residual([Dense(4, "tanh"), Dropout(0.5), BatchNorm()]), Dense(2)]


class DenseReLU(Module):
    """A dense layer and its rectifier as one: y = max(x W + b, 0)."""

    dense: Dense
    slip: float = 0.0

    calls: ClassVar[list[str]] = []

    def output_shape(self, input_shape):
        return self.dense.output_shape(input_shape)

    def parameters(self, input_shape):
        return self.dense.parameters(input_shape)

    def forward(self, ctx, x):
        self.calls.append("forward")
        return np.maximum(x @ ctx.p.W + ctx.p.b, 0)

    def grad_params(self, ctx, dy):
        dz = dy * (ctx.y > 0) + self.slip
        ctx.g.W[...] = ctx.x.mT @ dz
        ctx.g.b[...] = dz.sum(axis=-2, keepdims=True)

    def grad_input(self, ctx, dy):
        return (dy * (ctx.y > 0)) @ ctx.p.W.mT


class Doubled(Activation):
    """An activation that is wrong: twice the hyperbolic tangent."""

    def f(self, z, *, out=None):
        return 2 * np.tanh(z)

    def df(self, z, a, da, *, out=None):
        return da


class Raising(Activation):
    """An activation that fails."""

    def f(self, z, *, out=None):
        raise RuntimeError("no compiler found")

    def df(self, z, a, da, *, out=None):
        return da


class Fast(Accelerator):
    """Offers to fuse dense + ReLU, right by default."""

    slip: float = 0.0

    def fuse(self, modules):
        match modules:
            case [Dense(), ReLU(), *_]:
                return Fused(DenseReLU(modules[0], self.slip), 2)
        return None


class Bad(Accelerator):
    """Offers what is of no use."""

    raises: bool = False
    returns: str = ""

    def fuse(self, modules):
        if self.returns:
            return self.returns if isinstance(modules[0], Dense) else None
        if not isinstance(modules[0], Tanh):
            return None
        return Fused(Raising() if self.raises else Doubled())

    def loss(self, loss):
        return HalfSquaredError()

    def optimizer(self, optimizer):
        return SGD(1e9)


class HalfSquaredError(Loss):
    """A loss that is wrong by a factor."""

    def for_task(self, task, widths=()):
        return self if task == "regression" else None

    def value(self, t, raw, *, weight=None):
        return 0.5 * SquaredError().value(t, raw, weight=weight)

    def gradient(self, t, raw, *, weight=None, out=None):
        return SquaredError().gradient(t, raw, weight=weight, out=out)

    def predict(self, raw):
        return raw


@pytest.fixture(autouse=True)
def _not_called_yet():
    DenseReLU.calls.clear()


def network(layers=LAYERS):
    return Network(layers, (3,))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fused_module_runs_in_place_of_several_links_on_the_same_theta(dtype):
    plain = network()
    fast = accelerated(plain, Fast(), dtype)
    assert [type(link.module) for link in fast.links] == [DenseReLU, Residual, Dense]
    assert len(plain.links) == 4
    assert fast.layout is plain.layout
    theta, state = plain.initialize(np.random.default_rng(0), dtype)
    x = X.astype(dtype)
    np.testing.assert_allclose(fast.predict(theta, state, x), plain.predict(theta, state, x), rtol=1e-5)


def test_links_are_fused_inside_composites():
    fast = accelerated(network([Residual([Dense(4, "relu"), Dense(3, "relu")])]), Fast(), np.float64)
    assert [type(link.module) for link in fast.walk()] == [Residual, DenseReLU, DenseReLU]


def test_without_an_accelerator_or_an_offer_the_network_is_the_same():
    plain = network()
    assert accelerated(plain, None, np.float64) is plain
    assert accelerated(plain, Accelerator(), np.float64) is plain
    assert fused_loss(SquaredError(), Accelerator(), T, 1, FLOAT64) == SquaredError()
    assert fused_optimizer(Adam(), Accelerator(), FLOAT64) == Adam()


@pytest.mark.parametrize(
    ("accelerator", "reason"),
    [
        (Fast(slip=0.5), r"modnet runs Dense\(units=4\), ReLU\(\) itself, because what Fast\(slip=0.5\) offers for it"),
        (
            Bad(),
            r"modnet runs Tanh\(\) itself, .* differs: it computes -?\d\.\d+ where modnet's own computes -?\d",
        ),
        (Bad(raises=True), r"RuntimeError: no compiler found"),
        (
            Bad(returns="nothing"),
            r"modnet runs Dense\(units=4\) itself, .*: it should be of class Fused, got 'nothing'",
        ),
    ],
    ids=repr,
)
def test_what_differs_or_raises_or_is_something_else_is_not_run_with_one_warning(accelerator, reason):
    with pytest.warns(RuntimeWarning, match=f"(?s){reason}") as caught:
        fast = accelerated(network(), accelerator, np.float64)
    assert len(caught) == 1
    assert [link.module for link in fast.walk()] == [link.module for link in network().walk()]
    assert accelerated(network(), accelerator, np.float64).links  # no warning again: it would be an error here


def test_a_wrong_loss_and_a_wrong_step_are_not_run():
    with pytest.warns(RuntimeWarning, match=r"modnet runs SquaredError\(\) itself"):
        assert fused_loss(SquaredError(), Bad(), T, 1, FLOAT64) == SquaredError()
    with pytest.warns(RuntimeWarning, match=r"modnet runs Adam\(\) itself"):
        assert fused_optimizer(Adam(), Bad(), FLOAT64) == Adam()


def test_an_accelerator_that_raises_whatever_it_is_asked_costs_one_warning():
    class Broken(Accelerator):
        def fuse(self, modules):
            raise OSError("no device")

        def loss(self, loss):
            raise OSError("no device")

        def optimizer(self, optimizer):
            raise OSError("no device")

        def compile(self, step):
            raise OSError("no device")

    plain = ModNetRegressor((4,), accelerator=None, max_iter=20, batch_size=8, random_state=0).fit(X, X[:, 0])
    model = ModNetRegressor((4,), accelerator=Broken(), max_iter=20, batch_size=8, random_state=0)
    with pytest.warns(RuntimeWarning, match="OSError: no device") as caught:
        model.fit(X, X[:, 0])
    # For two kinds of layers, the loss, the optimizer and the loop.
    assert sum(each.category is RuntimeWarning for each in caught) == 1
    np.testing.assert_array_equal(model.fit(X, X[:, 0]).theta_, plain.theta_)  # without another warning


@pytest.mark.parametrize("optimizer", ["adam", {"type": "sgd", "momentum": 0.9, "clip_norm": 0.1}], ids=str)
def test_training_fused_gives_the_same_model(optimizer):
    settings = {"optimizer": optimizer, "max_iter": 5, "random_state": 0, "early_stopping": True}
    plain = ModNetRegressor(LAYERS, accelerator=None, **settings).fit(X, X[:, 0])
    assert not DenseReLU.calls
    fast = ModNetRegressor(LAYERS, accelerator=Fast(), **settings).fit(X, X[:, 0])
    assert DenseReLU.calls
    np.testing.assert_allclose(fast.theta_, plain.theta_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fast.predict(X), plain.predict(X), rtol=1e-9)


def test_predictions_are_made_fused():
    model = ModNetClassifier((4,), accelerator=Fast(), max_iter=1).fit(X, X[:, 0] > 0)
    DenseReLU.calls.clear()
    model.predict(X)
    assert DenseReLU.calls
    DenseReLU.calls.clear()
    model.set_params(accelerator=None).predict(X)
    assert not DenseReLU.calls


def test_an_unknown_accelerator_is_reported_by_fit():
    with pytest.raises(InvalidSpecError, match="ModNetRegressor: accelerator: unknown accelerator 'cuda'"):
        ModNetRegressor((4,), accelerator="cuda").fit(X, X[:, 0])


def test_a_layer_of_codes_is_compared_on_codes():
    class Copying(Accelerator):
        def fuse(self, modules):
            return Fused(modules[0])

    codes = np.random.default_rng(0).integers(4, size=(9, 2)).astype(float)
    plain = Network([Embedding(2, categories=4), Dense(1)], (2,))
    fast = accelerated(plain, Copying(), np.float64)
    theta, state = plain.initialize(np.random.default_rng(0))
    np.testing.assert_array_equal(fast.predict(theta, state, codes), plain.predict(theta, state, codes))


def test_another_rule_is_clipped_and_shrunk_as_the_optimizers_own_is():
    class Same(Optimizer):
        def init(self, theta, layout):
            return SGD(0.1).init(theta, layout)

        def step(self, theta, grad, state):
            theta -= state.learning_rate * grad
            state.step += 1

    original, theta = SGD(0.1, clip_norm=1.0, weight_decay=0.5), np.array([1.0, 1.0])
    expected, layout = theta.copy(), Layout.flat(2, regularized=1)
    original.update(expected, np.array([30.0, 40.0]), original.init(theta, layout))
    original.update(theta, np.array([30.0, 40.0]), original.init(theta, layout), rule=Same())
    np.testing.assert_allclose(theta, expected, rtol=1e-15)

"""An accelerator that fails, whatever it does and whenever, costs one warning: modnet's own numbers come out."""

import warnings
from typing import Any

import numpy as np
import pytest

from modnet import Accelerator, CompiledLoop, Fused, Loss, ModNetClassifier, ModNetRegressor, ModNetTransformer
from modnet.layers import Dense
from modnet.losses import SquaredError
from modnet.optimizers import Adam
from modnet.registry import Registry

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(64, 3))
Y = X @ [1.0, -2.0, 0.5]


class Panic(BaseException):
    """What no ``except Exception`` catches."""


def fitted(accelerator: Any, model: Any = ModNetRegressor, **params: Any) -> Any:
    y = Y > 0 if model is ModNetClassifier else Y
    given = {"optimizer": "adam", "early_stopping": False, "max_iter": 20, "batch_size": 8, "random_state": 0, **params}
    return model((4, 3), "tanh", accelerator=accelerator, **given).fit(X, y)


def one_warning(accelerator: Any, says: str, rtol: float = 1e-7, **params: Any) -> None:
    """Fit and predict, and compare with modnet alone."""
    with warnings.catch_warnings(record=True, action="always") as caught:
        model = fitted(accelerator, **params)
        found = model.predict(X)
        model.partial_fit(X, Y)
        model.summary()
    assert [says in str(each.message) for each in caught if each.category is RuntimeWarning] == [True]
    np.testing.assert_allclose(found, fitted(None, **params).predict(X), rtol=rtol, atol=rtol)


ERRORS = [RuntimeError("no GPU"), SystemExit(3), Panic("no GPU"), GeneratorExit(), MemoryError()]


@pytest.mark.parametrize("method", ["fuse", "loss", "optimizer", "compile", "compile_seconds"])
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_whatever_an_accelerator_raises_when_it_is_asked(method: str, error: BaseException):
    def asked(self: Accelerator, *_: object) -> None:
        raise error

    one_warning(type("Broken", (Accelerator,), {method: asked})(), type(error).__name__)


@pytest.mark.parametrize("method", ["fuse", "loss", "optimizer", "compile", "compile_seconds"])
@pytest.mark.parametrize("offer", ["text", (Dense(3), 2), object], ids=repr)
def test_an_offer_of_another_kind(method: str, offer: object):
    one_warning(type("Odd", (Accelerator,), {method: lambda self, *_: offer})(), "it should be of class")


@pytest.mark.parametrize("fused", [(None, 1), (Dense(4), 0), (Dense(4), -1), (Dense(4), "a"), (Dense(4), 99)], ids=repr)
def test_a_fused_module_that_stands_for_no_modules_there_are(fused: tuple[Any, Any]):
    one_warning(type("Odd", (Accelerator,), {"fuse": lambda self, _: Fused(*fused)})(), "stands for")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_accelerator_that_cannot_be_made(error: BaseException, book: Registry):
    class Absent(Accelerator):
        def __post_init__(self) -> None:
            raise error

    book.register(Absent, "aaa")  # before any that is installed
    with pytest.warns(RuntimeWarning, match="an accelerator cannot be used") as caught:
        fitted("auto").predict(X)
    assert sum(each.category is RuntimeWarning for each in caught) == 1


class LateDense(Dense):
    """Fails on more rows than it is compared on."""

    def forward(self, ctx, x):
        if len(x) > 5:
            raise MemoryError("the GPU is full")
        return super().forward(ctx, x)


class LateLoss(SquaredError):
    """The same."""

    def value_and_gradient(self, t, raw, *, weight=None, out=None):
        if len(raw) > 5:
            raise MemoryError("the GPU is full")
        return super().value_and_gradient(t, raw, weight=weight, out=out)


class LateAdam(Adam):
    """Fails on more weights than it is compared on."""

    def step(self, theta, grad, state):
        if len(theta) > 20:
            raise MemoryError("the GPU is full")
        super().step(theta, grad, state)


class LateLoop(CompiledLoop):
    """Fails after its first call, which is the comparison."""

    max_steps = 8
    calls = 0

    def __init__(self, step: Any) -> None:
        self._step = step

    def run(self, order, rates, epochs):
        step = self._step
        LateLoop.calls += 1
        if LateLoop.calls > 1:
            raise MemoryError("the GPU is full")
        value, draw = step.loss.value_and_gradient(step.t[order], step.forward(step.x[order]), out=step.draw)
        step.backward(draw)
        value += step.penalize(step.gradient, step.rows)
        state, count = step.optimizer_state, step.optimizer_state.step
        state.learning_rate = float(rates[0])
        step.optimizer.update(step.theta, step.gradient.copy(), state)
        state.step = count
        epochs.losses[0, 0], epochs.ended = value, 1
        return 1


class Late(Accelerator):
    """Offers what fails later."""

    what: str = ""
    test: str = ""  # what differs is warned of anew

    def fuse(self, modules):
        known = self.what == "links" and isinstance(modules[0], Dense)
        return Fused(LateDense(modules[0].units)) if known else None

    def loss(self, loss: Loss) -> Loss | None:
        return LateLoss() if self.what == "loss" else None

    def optimizer(self, optimizer):
        return LateAdam() if self.what == "optimizer" else None

    def compile(self, step):
        return LateLoop(step) if self.what == "loop" else None


@pytest.mark.parametrize("what", ["links", "loss", "optimizer", "loop"])
def test_what_agreed_on_a_few_rows_and_fails_in_training(what: str):
    LateLoop.calls = 0
    one_warning(Late(what), "MemoryError: the GPU is full" if what == "loop" else "the GPU is full")


@pytest.mark.parametrize("model", [ModNetClassifier, ModNetRegressor, ModNetTransformer])
def test_what_fails_in_a_prediction(model: Any):
    fine = fitted(None, model)
    late = fitted(None, model).set_params(accelerator=Late("links", model.__name__))
    predict = "transform" if model is ModNetTransformer else "predict"
    with pytest.warns(RuntimeWarning, match="the GPU is full"):
        found = getattr(late, predict)(X)
    np.testing.assert_array_equal(found, getattr(fine, predict)(X))
    with warnings.catch_warnings(action="error"):
        getattr(late, predict)(X)


def test_what_fails_without_the_accelerator_too_is_not_put_down_to_it():
    class Picky(Dense):
        def forward(self, ctx, x):
            if len(x) == 8:
                raise RuntimeError("not eight rows")
            return super().forward(ctx, x)

    with warnings.catch_warnings(action="error"), pytest.raises(Exception, match="not eight rows"):
        ModNetRegressor((Picky(4),), accelerator=Late("loss", "picky"), batch_size=8).fit(X, Y)

"""The trial run before training: each way to break the contract of a module is reported with path, class and remedy."""

import re
from typing import ClassVar

import numpy as np
import pytest

from modnet import Module, Parameter
from modnet.activations import Softmax
from modnet.errors import ContractError
from modnet.initializers import GlorotUniform
from modnet.layers import Dense, Parallel, Residual
from modnet.network import Network
from modnet.network.trial import check_links


class Scale(Module):
    """y = x ∘ w: a link that keeps the contract; each of the others breaks it in one place."""

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    def output_shape(self, input_shape):
        return input_shape

    def parameters(self, input_shape):
        return {"w": Parameter((1, *input_shape), GlorotUniform())}

    def forward(self, ctx, x):
        return np.multiply(x, ctx.p.w, out=ctx.out)

    def grad_params(self, ctx, dy):
        np.sum(dy * ctx.x, axis=-2, keepdims=True, out=ctx.g.w)

    def grad_input(self, ctx, dy):
        return np.multiply(dy, ctx.p.w, out=ctx.dx)


class FreshArrays(Scale):
    def forward(self, ctx, x):
        return x * ctx.p.w

    def grad_input(self, ctx, dy):
        return dy * ctx.p.w


class WrongShape(Scale):
    def forward(self, ctx, x):
        return (x * ctx.p.w)[:, :-1]


class RowsLost(Scale):
    def forward(self, ctx, x):
        return (x * ctx.p.w)[:1]


class WrongGradientShape(Scale):
    def grad_input(self, ctx, dy):
        return dy.sum(axis=-1)


class WrongDtype(Scale):
    def forward(self, ctx, x):
        return x * ctx.p.w * np.array([2.0])


class WrongGradientDtype(Scale):
    def grad_input(self, ctx, dy):
        return dy * np.array([2.0])


class WritesIntoX(Scale):
    def forward(self, ctx, x):
        x *= ctx.p.w
        return x


class WritesIntoDy(Scale):
    def grad_input(self, ctx, dy):
        dy *= ctx.p.w
        return dy


class WritesIntoDyEarly(Scale):
    def grad_params(self, ctx, dy):
        dy *= ctx.x
        np.sum(dy, axis=-2, keepdims=True, out=ctx.g.w)


class ForgetsTheGradient(Scale):
    def grad_params(self, ctx, dy):
        return


class FillsHalfTheGradient(Scale):
    def grad_params(self, ctx, dy):
        ctx.g.w[:, 0] = (dy * ctx.x).sum(axis=-2)[0]


class RebindsTheGradient(Scale):
    def grad_params(self, ctx, dy):
        ctx.g.w = np.sum(dy * ctx.x, axis=-2, keepdims=True)


class ReturnsAList(Scale):
    def forward(self, ctx, x):
        return (x * ctx.p.w).tolist()


class ReturnsNothing(Scale):
    def grad_input(self, ctx, dy):
        np.multiply(dy, ctx.p.w, out=ctx.dx)


class Raises(Scale):
    def forward(self, ctx, x):
        return x @ np.ones((7, 7))


class RaisesBackwards(Scale):
    def grad_params(self, ctx, dy):
        raise KeyError("w")


class ReadsMoreThanItSays(Scale):
    reads: ClassVar[frozenset[str]] = frozenset()


class ReadsTheOutputToo(Scale):
    def grad_input(self, ctx, dy):
        return dy * ctx.y


BROKEN = {
    WrongShape: ["forward should return shape (2, 3)", "got (2, 2)", "what output_shape announced"],
    RowsLost: ["forward should return shape (2, 3)", "got (1, 3)", "rows first"],
    WrongGradientShape: ["grad_input should return shape (2, 3)", "got (2,)", "that of its input"],
    WrongDtype: ["forward should keep dtype float32", "got float64", "new arrays take the dtype of the input"],
    WrongGradientDtype: ["grad_input should keep dtype float32", "got float64"],
    WritesIntoX: ["forward changed its argument x", "write into ctx.out, ctx.dx or a fresh array"],
    WritesIntoDy: ["grad_input changed its argument dy", "write into ctx.out, ctx.dx or a fresh array"],
    WritesIntoDyEarly: ["grad_params changed its argument dy", "write into ctx.out, ctx.dx or a fresh array"],
    ForgetsTheGradient: ["grad_params left no gradient in ctx.g.w", "write into it"],
    FillsHalfTheGradient: ["grad_params left", "ctx.g.w", "write into it"],
    RebindsTheGradient: ["ctx.g.w", "write into it", "binding a new array to the name is lost"],
    ReturnsAList: ["forward should return an array, got list"],
    ReturnsNothing: ["grad_input should return an array, got NoneType"],
    Raises: ["forward raised ValueError", "matmul"],
    RaisesBackwards: ["grad_params raised KeyError: 'w'"],
    ReadsMoreThanItSays: ["ctx.x was not kept", "put 'x' into the class's reads"],
    ReadsTheOutputToo: ["ctx.y was not kept", "put 'y' into the class's reads"],
}

POSITIONS = {
    "layers[1]": lambda link: [Dense(3), link, Dense(2)],
    "layers[1].body[0]": lambda link: [Dense(3), Residual([link]), Dense(2)],
    "layers[1].branches[1]": lambda link: [Dense(3), Parallel([Dense(2), link]), Dense(2)],
}

X = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)


def trial(layers, x=X):
    network = Network(layers, (3,))
    theta, state = network.initialize(np.random.default_rng(0), x.dtype)
    check_links(network, theta, state, x)
    return theta


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("cls", [Scale, FreshArrays])
def test_a_link_that_keeps_the_contract_passes(cls, position):
    assert np.isfinite(trial(position(cls()))).all()


@pytest.mark.parametrize(("path", "position"), POSITIONS.items(), ids=POSITIONS)
@pytest.mark.parametrize(("cls", "words"), BROKEN.items(), ids=[cls.__name__ for cls in BROKEN])
def test_a_broken_contract_is_reported_with_path_class_and_remedy(cls, words, path, position):
    with pytest.raises(ContractError) as caught:
        trial(position(cls()))
    message = str(caught.value)
    for expected in (f"{path} ({cls.__name__})", *words):
        assert expected in message


@pytest.mark.parametrize("cls", [Raises, RaisesBackwards])
def test_what_a_module_raised_is_chained(cls):
    with pytest.raises(ContractError) as caught:
        trial([cls(), Dense(2)])
    assert isinstance(caught.value.__cause__, ValueError | KeyError)


def test_the_module_that_a_class_is_from_is_named():
    with pytest.raises(ContractError, match=re.escape(f"class {WrongShape.__module__}.WrongShape")):
        trial([WrongShape(), Dense(2)])


def test_the_users_name_for_a_layer_is_in_the_message():
    with pytest.raises(ContractError, match=re.escape("layers[1] (WrongShape 'gate')")):
        trial([Dense(3), WrongShape(name="gate")])


def test_a_link_in_front_of_a_softmax_is_held_to_its_contract_too():
    # Σ a = 1, so a gradient of ones is a gradient of zeros in front of the softmax: 0 · w changes nothing.
    with pytest.raises(ContractError, match="changed its argument dy"):
        trial([Dense(3), WritesIntoDyEarly(), Softmax()], np.ones((2, 3)))


def test_two_positive_rows_do_not_hide_a_write_into_x():
    class ClipsInPlace(Scale):
        def forward(self, ctx, x):
            return np.multiply(np.maximum(x, 0, out=x), ctx.p.w, out=ctx.out)

    with pytest.raises(ContractError, match="changed its argument x"):
        trial([ClipsInPlace(), Dense(2)], np.ones((2, 3)))


def test_the_users_rows_survive_a_link_that_writes_into_them():
    x = X.copy()
    with pytest.raises(ContractError, match="changed its argument x"):
        trial([WritesIntoX(), Dense(2)], x)
    np.testing.assert_array_equal(x, X)


def test_a_link_that_writes_into_its_weights_does_not_reach_theta():
    class Normalises(Scale):
        def forward(self, ctx, x):
            ctx.p.w /= np.linalg.norm(ctx.p.w)
            return super().forward(ctx, x)

    layers = [Normalises(), Dense(2)]
    np.testing.assert_array_equal(trial(layers), Network(layers, (3,)).initialize(np.random.default_rng(0), X.dtype)[0])


def test_a_trial_changes_neither_theta_nor_the_rows():
    network = Network([Dense(3, "tanh"), Scale()], (3,))
    theta, state = network.initialize(np.random.default_rng(0))
    x = X.astype(np.float64)
    for array in (theta, state, x):
        array.flags.writeable = False
    check_links(network, theta, state, x)
    np.testing.assert_array_equal(theta, network.initialize(np.random.default_rng(0))[0])

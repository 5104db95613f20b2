"""inf and NaN in training: found at once, and the message says where they came from and what to do."""

import re
from typing import ClassVar

import numpy as np
import pytest

from modnet import Module
from modnet.errors import NonFiniteError
from modnet.layers import Dense, Residual
from modnet.losses import CrossEntropy
from modnet.optimizers import SGD
from modnet.training import Data

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))
DEEP = [Dense(8, "relu"), Dense(8, "relu"), Dense(2)]


def failure(trainer, data):
    with pytest.raises(NonFiniteError) as caught:
        trainer.fit(data)
    return str(caught.value)


def test_a_learning_rate_that_is_too_large_is_named_with_epoch_and_remedy(prepared):
    message = failure(prepared(DEEP, Data(X, T), optimizer=SGD(1e6), batch_size=8), Data(X, T))
    assert re.search(r"in epoch \d+, step \d+", message)
    assert "a learning rate that is too large (1e+06: try 100000)" in message


@pytest.mark.parametrize("batch_size", [8, 40])
@pytest.mark.parametrize("rate", [1e3, 1e6, 1e30, 1e200])
def test_any_learning_rate_that_blows_up_is_blamed(rate, batch_size, prepared):
    trainer = prepared([Dense(2)], Data(X, T), optimizer=SGD(rate), batch_size=batch_size, n_iter_no_change=200)
    assert f"a learning rate that is too large ({rate:g}" in failure(trainer, Data(X, T))


def test_the_epoch_in_the_message_is_the_one_that_failed(prepared):
    trainer = prepared([Dense(2)], Data(X, T), optimizer=SGD(1e6), batch_size=40, n_iter_no_change=200)
    epochs = []
    with pytest.raises(NonFiniteError) as caught:
        trainer.fit(Data(X, T), on_epoch=lambda history: epochs.append(history.seconds))
    assert f"in epoch {len(epochs) + 1}, step {len(epochs) + 1}" in str(caught.value)
    assert len(epochs) > 1


@pytest.mark.parametrize("layers", [[Dense(2)], DEEP], ids=["linear", "relu"])
@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1.7e308), (np.float32, 3.4e38)])
def test_inputs_that_overflow_are_blamed_at_the_first_link(dtype, size, layers, prepared):
    # Warnings are errors in this suite: an overflow that NumPy announces would be the exception seen here.
    data = Data(np.full((40, 3), size, dtype), T.astype(dtype))
    trainer = prepared(layers, data)
    trainer.theta[: trainer.network.layout.regularized] = 1
    message = failure(trainer, data)
    assert "the output of layers[0] (Dense) is the first that is not finite" in message
    assert f"inputs or targets that are not scaled (here |x| ≤ {size:.3g}" in message
    assert "StandardScaler" in message


@pytest.mark.parametrize("layers", [[Dense(2)], DEEP], ids=["linear", "relu"])
def test_inputs_whose_square_overflows_are_blamed(layers, prepared):
    data = Data(1e300 * X, T)
    message = failure(prepared(layers, data), data)
    assert "loss became inf in epoch 1, step 1" in message
    assert f"inputs or targets that are not scaled (here |x| ≤ {np.abs(data.x).max():.3g}" in message
    assert "inputs" in message


def test_targets_beyond_bounds_are_blamed(prepared):
    data = Data(X, 1e200 * T)
    message = failure(prepared(DEEP, data), data)
    assert "loss became inf in epoch 1, step 1" in message
    assert "inputs or targets that are not scaled" in message
    assert f"|t| ≤ {1e200 * np.abs(T).max():.3g}" in message


class Poison(Module):
    """y = x, but for one NaN in the last row: a plugin with a defect."""

    reads: ClassVar[frozenset[str]] = frozenset()

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, ctx, x):
        y = x.copy()
        y[-1] = np.nan
        return y

    def grad_input(self, ctx, dy):
        return dy


class AllPoison(Poison):
    """y is NaN, wherever x is."""

    def forward(self, ctx, x):
        return np.full_like(x, np.nan)


POSITIONS = {
    "layers[0]": lambda link: [link, Dense(2)],
    "layers[1]": lambda link: [Dense(4), link, Dense(3, "tanh"), Dense(2)],
    "layers[1].body[1]": lambda link: [Dense(4), Residual([Dense(4), link]), Dense(2)],
    "layers[2]": lambda link: [Dense(4), Dense(2), link],
}


@pytest.mark.parametrize("link", [Poison(), AllPoison()], ids=repr)
@pytest.mark.parametrize(("path", "position"), POSITIONS.items(), ids=POSITIONS)
def test_a_layer_that_makes_nan_is_named_by_its_path(link, path, position, prepared):
    message = failure(prepared(position(link), Data(X, T)), Data(X, T))
    assert f"the output of {path} ({type(link).__name__}) is the first that is not finite" in message
    assert "loss became nan in epoch 1, step 1" in message


def test_weights_that_overflow_in_the_last_step_are_found_too(prepared):
    data = Data(X, 1e3 * T)
    trainer = prepared([Dense(2)], data, optimizer=SGD(1e308), max_iter=1, batch_size=40)
    assert "the weights have grown beyond bounds" in failure(trainer, data)


@pytest.mark.parametrize("defect", [np.nan, np.inf, 1.7e308])
def test_a_validation_loss_that_is_not_finite_is_reported_too(defect, prepared):
    trainer = prepared([Dense(2)], Data(X, T), max_iter=3)
    with pytest.raises(NonFiniteError, match="validation"):
        trainer.fit(Data(X, T), validation=Data(np.full((5, 3), defect), T[:5]))


def test_large_but_finite_logits_are_no_failure(prepared):
    data = Data(1e4 * X, np.arange(40) % 2)
    history = prepared([Dense(2)], data, loss=CrossEntropy(), optimizer=SGD(1e-4), max_iter=3).fit(data)
    assert np.isfinite(history.losses).all()

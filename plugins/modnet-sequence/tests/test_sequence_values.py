"""What only the authors of these layers know: values by hand, first weights, and messages for rows that do not fit."""

import numpy as np
import pytest
from modnet_sequence import (
    LSTM,
    AveragePool,
    Conv1D,
    Conv2D,
    GlobalPool,
    MaxPool,
    MultiHeadAttention,
    PositionalEncoding,
    Tokens,
    TransformerBlock,
)

from modnet import Module, Network
from modnet.errors import InvalidSpecError, ShapeError
from modnet.network import Pass

RNG = np.random.default_rng(0)


def run(layer, x, **weights):
    """What a layer makes of rows, with weights given by its own names."""
    network = Network([layer], x.shape[1:])
    theta, state = network.initialize(np.random.default_rng(1))
    network.assign(theta, state, {f"layers[0].{name}": value for name, value in weights.items()})
    return network.predict(theta, state, x)


def test_a_convolution_is_a_sum_over_places_in_the_kernel():
    x, W = RNG.normal(size=(1, 5, 6, 2)), RNG.normal(size=(18, 3))
    z = run(Conv2D(3), x, W=W)
    around = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = [around[0, 2 + i, 3 + j] @ W.reshape(3, 3, 2, 3)[i, j] for i in range(3) for j in range(3)]
    np.testing.assert_allclose(z[0, 2, 3], np.sum(expected, axis=0), rtol=1e-12)


def test_a_kernel_of_one_step_is_a_dense_layer_at_every_step():
    x, W, b = RNG.normal(size=(4, 7, 3)), RNG.normal(size=(3, 5)), RNG.normal(size=(1, 5))
    np.testing.assert_allclose(run(Conv1D(5, 1), x, W=W, b=b), x @ W + b, rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 40])
def test_rows_in_several_blocks_are_as_one_by_one(rows):
    x = RNG.normal(size=(rows, 40, 40, 3))  # 43,200 elements of windows each: three rows make a block
    layer = Conv2D(2)
    np.testing.assert_allclose(run(layer, x)[-1], run(layer, x[-1:])[0], rtol=1e-12, atol=1e-14)


def test_pooling_leaves_out_what_makes_no_window():
    x = np.arange(10.0).reshape(1, 5, 2)
    assert run(MaxPool(2), x).tolist() == [[[2, 3], [6, 7]]]
    assert run(AveragePool(2), x).tolist() == [[[1, 2], [5, 6]]]
    assert run(GlobalPool("max"), x).tolist() == [[8, 9]]


def test_of_equal_numbers_the_first_gets_the_gradient():
    network = Network([MaxPool()], (2, 2, 1))
    running = Pass(network, np.empty(0), np.empty(0), gradient=np.empty(0), rows=1)
    running.forward(np.zeros((1, 2, 2, 1)))
    running.backward(np.full((1, 1, 1, 1), 3.0))
    assert running.input_gradient().ravel().tolist() == [3, 0, 0, 0]


def test_attention_to_steps_that_are_alike_is_their_mean():
    x = RNG.normal(size=(2, 6, 4))
    W = np.hstack([np.zeros((4, 8)), np.eye(4)])  # no query suits a key better than another
    found = run(MultiHeadAttention(2), x, W=W, W_o=np.eye(4))
    np.testing.assert_allclose(found, np.broadcast_to(x.mean(axis=1, keepdims=True), x.shape), rtol=1e-12)


def test_attention_does_not_see_the_order_of_steps_unless_positions_are_added():
    x, order = RNG.normal(size=(2, 6, 8)), [3, 1, 5, 0, 2, 4]
    layer = TransformerBlock(2)
    np.testing.assert_allclose(run(layer, x[:, order]), run(layer, x)[:, order], rtol=1e-10, atol=1e-12)
    placed = run(PositionalEncoding(), x)
    assert np.abs(run(layer, run(PositionalEncoding(), x[:, order])) - run(layer, placed)[:, order]).max() > 0.1


def test_a_position_is_sines_and_cosines():
    P = run(PositionalEncoding(), np.zeros((1, 3, 4)))[0]
    np.testing.assert_allclose(P[2], [np.sin(2), np.cos(2), np.sin(0.02), np.cos(0.02)], rtol=1e-12)


def test_an_lstm_whose_gates_are_open_adds_up():
    x = np.full((1, 5, 1), 0.1)
    b = np.array([[50.0, 50.0, 0.0, 50.0]])  # all is let in, kept and shown
    h = run(LSTM(1), x, W=np.array([[0.0, 0, 1, 0]]), U=np.zeros((1, 4)), b=b)
    np.testing.assert_allclose(h, np.tanh(5 * np.tanh([[0.1]])), rtol=1e-12)


def test_an_lstm_starts_out_to_remember():
    network = Network([LSTM(2)], (5, 3))
    theta, _ = network.initialize(np.random.default_rng(0))
    assert network.parameters(theta)["layers[0].b"].tolist() == [[0, 0, 1, 1, 0, 0, 0, 0]]


RESHAPE = 'inputs={"type": "reshape", "shape": '


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv2D(4), (64,), f"(height, width, channels), got (64,): {RESHAPE}(8, 8, 1)}} makes such rows"),
        (Conv2D(4), (8, 8), f"(height, width, channels), got (8, 8): {RESHAPE}(8, 8, 1)}} makes such rows"),
        (Conv2D(4), (60,), f"got (60,): {RESHAPE}(height, width, channels)}} makes such rows"),
        (Conv2D(4, 9, padding="valid"), (8, 8, 1), "kernel_size=9 is larger than rows of shape (8, 8, 1) are: choose"),
        (Conv1D(4), (24,), f"(steps, features), got (24,): {RESHAPE}(24, 1)}} makes such rows"),
        (Conv1D(4), (8, 8, 3), f"got (8, 8, 3): {RESHAPE}(64, 3)}} makes such rows"),
        (LSTM(4), (32,), "tokens makes each feature a step, an lstm has return_sequences=True"),
        (PositionalEncoding(), (32,), "expected rows of shape (steps, features), got (32,)"),
        (
            MultiHeadAttention(4),
            (8, 30),
            "of rows of shape (8, 30): put a dense layer of 32 units in front",
        ),
        (TransformerBlock(4), (8, 30), "heads=4 does not divide the 30 features"),
        (Tokens(8), (8, 8, 1), "expected rows of shape (features,), got (8, 8, 1): rows with an axis of steps are"),
        (MaxPool(9), (8, 8, 1), "size=9 is larger than rows of shape (8, 8, 1) are: choose at most 8"),
        (AveragePool(), (8,), f"got (8,): {RESHAPE}(8, 1)}} makes such rows"),
        (GlobalPool(), (8,), "expected rows of shape (…, features) with positions in front, got (8,)"),
    ],
    ids=repr,
)
def test_rows_that_do_not_fit_are_refused_with_what_to_do(layer: Module, shape: tuple[int, ...], message: str):
    with pytest.raises(ShapeError) as raised:
        Network([layer], shape)
    assert str(raised.value).startswith("layers[0]")  # of a block, the path inside it
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Conv2D(4, padding="zeros"), "padding: should be 'same' or 'valid', got 'zeros'"),
        (lambda: Conv1D(4, 0), "kernel_size: should be greater than or equal to 1, got 0"),
        (lambda: LSTM("8"), "units: should be a whole number, got '8'"),
        (lambda: TransformerBlock(dropout=1.0), r"dropout: should be less than 1, got 1\.0"),
        (lambda: PositionalEncoding(-1.0), r"scale: should be greater than or equal to 0, got -1\.0"),
    ],
)
def test_fields_are_checked(made, message):
    with pytest.raises(InvalidSpecError, match=message):
        made()

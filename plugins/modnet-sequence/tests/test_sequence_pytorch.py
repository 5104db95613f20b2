"""Values and gradients are PyTorch's, to 1e-10 in float64: forward, of parameters and of the input."""

from types import SimpleNamespace

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

from modnet import Network
from modnet.network import Pass

torch = pytest.importorskip("torch")


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def padded(x, size, stride, axes):
    """Return x, channels first, with zeros as TensorFlow's "same" has them: one more behind where they are odd."""
    spans = [(-(-n // stride) - 1) * stride + size - n for n in x.shape[-axes:]]
    margins = [side for span in reversed(spans) for side in (max(span, 0) // 2, max(span, 0) - max(span, 0) // 2)]
    return torch.nn.functional.pad(x, margins)


def conv(x, p, *, size=3, stride=1, same=True, axes=1):
    x = channels_first(x)
    x = padded(x, size, stride, axes) if same else x
    W = p.W.reshape(*[size] * axes, x.shape[1], -1)
    W = W.movedim((-1, -2), (0, 1))
    function = torch.nn.functional.conv1d if axes == 1 else torch.nn.functional.conv2d
    return channels_last(function(x, W, p.b[0], stride=stride))


def lstm(x, p, *, sequences):
    units = p.U.shape[0]
    theirs = torch.nn.LSTM(x.shape[-1], units, batch_first=True, dtype=x.dtype)
    weights = {"weight_ih_l0": p.W.T, "weight_hh_l0": p.U.T, "bias_ih_l0": p.b[0], "bias_hh_l0": 0 * p.b[0]}
    y, _ = torch.func.functional_call(theirs, weights, x)
    return y if sequences else y[:, -1]


def attention(x, p, heads):
    theirs = torch.nn.MultiheadAttention(x.shape[-1], heads, batch_first=True, dtype=x.dtype)
    weights = {"in_proj_weight": p.W.T, "in_proj_bias": p.b[0], "out_proj.weight": p.W_o.T, "out_proj.bias": p.b_o[0]}
    return torch.func.functional_call(theirs, weights, (x, x, x))[0]


def block(x, p, heads):
    d = x.shape[-1]
    theirs = torch.nn.TransformerEncoderLayer(
        d, heads, 2 * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, dtype=x.dtype
    )
    a, f = (vars(p)[name].body for name in ("attention", "feed_forward"))
    weights = {
        "norm1.weight": a[0].gamma[0],
        "norm1.bias": a[0].beta[0],
        "norm2.weight": f[0].gamma[0],
        "norm2.bias": f[0].beta[0],
        "self_attn.in_proj_weight": a[1].W.T,
        "self_attn.in_proj_bias": a[1].b[0],
        "self_attn.out_proj.weight": a[1].W_o.T,
        "self_attn.out_proj.bias": a[1].b_o[0],
        "linear1.weight": f[1].W.T,
        "linear1.bias": f[1].b[0],
        "linear2.weight": f[3].W.T,
        "linear2.bias": f[3].b[0],
    }
    return torch.func.functional_call(theirs, weights, x)


def pool(x, name, size):
    x = channels_first(x)
    return channels_last(getattr(torch.nn.functional, f"{name}_pool{x.ndim - 2}d")(x, size))


def positions(x):
    """Return x with sines and cosines as PyTorch's own tutorial makes them."""
    steps, d = x.shape[1:]
    divisor = torch.exp(torch.arange(0, d, 2, dtype=x.dtype) * (-np.log(10000.0) / d))
    angle = torch.arange(steps, dtype=x.dtype)[:, None] * divisor
    return x + torch.stack([angle.sin(), angle.cos()], dim=2).reshape(steps, d)


CASES = {
    "conv1d": (Conv1D(4), (9, 3), lambda x, p: conv(x, p)),
    "conv1d valid, stride 2": (
        Conv1D(4, 4, stride=2, padding="valid"),
        (9, 3),
        lambda x, p: conv(x, p, size=4, stride=2, same=False),
    ),
    "conv2d": (Conv2D(4), (8, 7, 3), lambda x, p: conv(x, p, axes=2)),
    "conv2d even, stride 2": (Conv2D(4, 4, stride=2), (8, 7, 3), lambda x, p: conv(x, p, size=4, stride=2, axes=2)),
    "conv2d valid": (Conv2D(2, 5, padding="valid"), (8, 7, 1), lambda x, p: conv(x, p, size=5, same=False, axes=2)),
    "max_pool of images": (MaxPool(), (8, 7, 3), lambda x, p: pool(x, "max", 2)),
    "max_pool of series": (MaxPool(3), (9, 3), lambda x, p: pool(x, "max", 3)),
    "average_pool of images": (AveragePool(), (8, 7, 3), lambda x, p: pool(x, "avg", 2)),
    "average_pool of series": (AveragePool(4), (9, 3), lambda x, p: pool(x, "avg", 4)),
    "global_pool": (GlobalPool(), (4, 5, 3), lambda x, p: x.mean(dim=(1, 2))),
    "global_pool max": (GlobalPool("max"), (4, 5, 3), lambda x, p: x.amax(dim=(1, 2))),
    "lstm": (LSTM(5), (7, 3), lambda x, p: lstm(x, p, sequences=False)),
    "lstm sequences": (LSTM(5, return_sequences=True), (7, 3), lambda x, p: lstm(x, p, sequences=True)),
    "multi_head_attention": (MultiHeadAttention(2), (6, 8), lambda x, p: attention(x, p, 2)),
    "transformer_block": (TransformerBlock(2, dropout=0.0), (6, 8), lambda x, p: block(x, p, 2)),
    "tokens": (Tokens(4), (5,), lambda x, p: x[..., None] * p.W + p.b),
    "positional_encoding": (PositionalEncoding(), (6, 8), lambda x, p: positions(x)),
}


def nested(tensors):
    """Return tensors as attributes by path: {"layers[0].a.body[1].W": t} as p.a.body[1].W."""
    root = SimpleNamespace()
    for path, tensor in tensors.items():
        *inner, name = path.replace("layers[0].", "", 1).replace("[", ".").replace("]", "").split(".")
        at = root
        for part in inner:
            space = at if isinstance(at, dict) else vars(at)
            key = int(part) if part.isdigit() else part
            at = space.setdefault(key, {} if part == "body" else SimpleNamespace())
        setattr(at, name, tensor)
    return root


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_pytorch(name):
    layer, shape, theirs = CASES[name]
    rng = np.random.default_rng(0)
    network = Network([layer], shape)
    theta, state = network.initialize(rng)
    theta += rng.normal(scale=0.1, size=theta.shape)
    x, gradient = rng.normal(size=(11, *shape)), np.empty_like(theta)
    running = Pass(network, theta, state, gradient=gradient, rows=11, training=True)
    y = running.forward(x).copy()
    dy = rng.normal(size=y.shape)
    running.backward(dy)
    dx = running.input_gradient()

    p = {path: torch.tensor(each, requires_grad=True) for path, each in network.parameters(theta).items()}
    x_t = torch.tensor(x, requires_grad=True)
    y_t = theirs(x_t, nested(p))
    y_t.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, y_t.detach(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(dx, x_t.grad, rtol=1e-10, atol=1e-10)
    for path, each in network.parameters(gradient).items():
        np.testing.assert_allclose(each, p[path].grad, rtol=1e-10, atol=1e-10, err_msg=path)


def test_every_layer_is_compared():
    import modnet_sequence

    assert {type(layer).__name__ for layer, _, _ in CASES.values()} == set(modnet_sequence.__all__)

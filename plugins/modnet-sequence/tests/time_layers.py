"""How long training takes beside PyTorch eager: layer by layer, and whole networks with their optimizer.

OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 taskset -c 0 python plugins/modnet-sequence/tests/time_layers.py
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from modnet import ModNetRegressor, Network
from modnet.network import Pass
from modnet.registry import registry

ROWS = 64


class Turned(nn.Module):
    """A module of PyTorch that wants channels first, for rows that have them last; no copy is made."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x.movedim(-1, 1)).movedim(1, -1)


class Of(nn.Module):
    """A function with parameters."""

    def __init__(self, function: Callable[..., torch.Tensor], *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.function, self.values = function, nn.ParameterList(torch.randn(shape) for shape in shapes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, *self.values)


def encoder(d: int, heads: int) -> nn.Module:
    return nn.TransformerEncoderLayer(
        d, heads, 2 * d, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
    )


def attention(d: int, heads: int) -> nn.Module:
    inner = nn.MultiheadAttention(d, heads, batch_first=True)
    module = Of(lambda x: inner(x, x, x, need_weights=False)[0])
    module.inner = inner
    return module


def lstm(d: int, units: int, *, last: bool) -> nn.Module:
    inner = nn.LSTM(d, units, batch_first=True)
    module = Of(lambda x: inner(x)[0][:, -1] if last else inner(x)[0])
    module.inner = inner
    return module


LAYERS: dict[str, tuple[dict[str, Any], tuple[int, ...], Callable[[], nn.Module]]] = {
    "conv1d": (
        {"type": "conv1d", "filters": 32, "kernel_size": 5},
        (168, 32),
        lambda: Turned(nn.Conv1d(32, 32, 5, padding=2)),
    ),
    "conv2d": ({"type": "conv2d", "filters": 32}, (8, 8, 32), lambda: Turned(nn.Conv2d(32, 32, 3, padding=1))),
    "conv2d, 28 × 28": (
        {"type": "conv2d", "filters": 32},
        (28, 28, 16),
        lambda: Turned(nn.Conv2d(16, 32, 3, padding=1)),
    ),
    "max_pool": ({"type": "max_pool"}, (8, 8, 32), lambda: Turned(nn.MaxPool2d(2))),
    "average_pool": ({"type": "average_pool"}, (8, 8, 32), lambda: Turned(nn.AvgPool2d(2))),
    "global_pool": ({"type": "global_pool"}, (8, 8, 32), lambda: Of(lambda x: x.mean(dim=(1, 2)))),
    "lstm": ({"type": "lstm", "units": 32}, (24, 4), lambda: lstm(4, 32, last=True)),
    "lstm, 168 steps": ({"type": "lstm", "units": 64}, (168, 4), lambda: lstm(4, 64, last=True)),
    "tokens": (
        {"type": "tokens", "units": 32},
        (8,),
        lambda: Of(lambda x, W, b: x[..., None] * W + b, (8, 32), (8, 32)),
    ),
    "positional_encoding": (
        {"type": "positional_encoding"},
        (24, 32),
        lambda: Of(lambda x, P: x + P.detach(), (24, 32)),
    ),
    "multi_head_attention": ({"type": "multi_head_attention"}, (24, 32), lambda: attention(32, 4)),
    "multi_head_attention, 168 steps": ({"type": "multi_head_attention"}, (168, 32), lambda: attention(32, 4)),
    "transformer_block": ({"type": "transformer_block"}, (24, 32), lambda: encoder(32, 4)),
}
"""Layers as a spec has them, the shape of rows, and the same in PyTorch."""

CONV = {"type": "conv2d", "filters": 32, "activation": "relu"}
NETWORKS: dict[str, tuple[tuple[Any, ...], tuple[int, ...], Callable[[], nn.Module]]] = {
    "two convolutions, 8 × 8": (
        (CONV, "max_pool", CONV, "global_pool"),
        (8, 8, 1),
        lambda: nn.Sequential(
            *(Turned(nn.Conv2d(1, 32, 3, padding=1)), nn.ReLU(), Turned(nn.MaxPool2d(2))),
            *(Turned(nn.Conv2d(32, 32, 3, padding=1)), nn.ReLU(), Of(lambda x: x.mean(dim=(1, 2))), nn.Linear(32, 1)),
        ),
    ),
    "LSTM, 24 steps": (
        ({"type": "lstm", "units": 32},),
        (24, 4),
        lambda: nn.Sequential(lstm(4, 32, last=True), nn.Linear(32, 1)),
    ),
    "FT-Transformer, 8 columns": (
        ({"type": "tokens", "units": 32}, "transformer_block", "transformer_block", "layer_norm", "global_pool"),
        (8,),
        lambda: nn.Sequential(
            *(Of(lambda x, W, b: x[..., None] * W + b, (8, 32), (8, 32)), encoder(32, 4), encoder(32, 4)),
            *(nn.LayerNorm(32), Of(lambda x: x.mean(dim=1)), nn.Linear(32, 1)),
        ),
    ),
}


def fastest(*functions: Callable[[], object], repeats: int = 9) -> list[float]:
    """Return the shortest time of each in milliseconds, the functions taking turns."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats):
        for function, mine in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            mine.append(1e3 * (time.perf_counter() - start))
    return [min(mine) for mine in times]


def times_of_layer(name: str) -> list[float]:
    """Return the times of a forward and a backward pass, the gradient of the input included: here, and in PyTorch."""
    given, shape, theirs = LAYERS[name]
    fields = {key: value for key, value in given.items() if key != "type"}
    network = Network([registry.get("layer", given["type"])(**fields)], shape)
    rng = np.random.default_rng(0)
    theta, state = network.initialize(rng, np.float32)
    running = Pass(network, theta, state, gradient=np.empty_like(theta), rows=ROWS, training=True, rng=rng)
    x = rng.normal(size=(ROWS, *shape)).astype(np.float32)
    dy = np.ones_like(running.forward(x))
    module, x_t, dy_t = theirs(), torch.tensor(x, requires_grad=True), torch.tensor(dy)

    def here() -> None:
        running.forward(x)
        running.backward(dy)
        running.input_gradient()

    def there() -> None:
        module.zero_grad()
        x_t.grad = None
        module(x_t).backward(dy_t)

    return fastest(lambda: [here() for _ in range(10)], lambda: [there() for _ in range(10)])


def times_of_network(name: str, epochs: int = 3) -> list[float]:
    """Return the time of an epoch of training on 2048 rows, Adam, batches of 64: here, and in PyTorch."""
    layers, shape, theirs = NETWORKS[name]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2048, *shape)).astype(np.float32)
    y = rng.normal(size=2048).astype(np.float32)
    settings = {"inputs": None, "early_stopping": False, "batch_size": ROWS, "n_iter_no_change": 100}
    model = ModNetRegressor(layers, **settings, random_state=0)
    module, X_t, y_t = theirs(), torch.tensor(X), torch.tensor(y)[:, None]
    optimizer = torch.optim.Adam(module.parameters())

    def here(times: int) -> None:
        model.set_params(max_iter=times).fit(X, y)

    def there() -> None:
        for _ in range(epochs):
            order = torch.randperm(len(X_t))
            for rows in order.split(ROWS):
                optimizer.zero_grad()
                nn.functional.mse_loss(module(X_t[rows]), y_t[rows]).backward()
                optimizer.step()

    short, long, other = fastest(lambda: here(1), lambda: here(1 + epochs), there, repeats=5)
    return [(long - short) / epochs, other / epochs]


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(f"{'forward and backward, 64 rows, float32':40} modnet  PyTorch  ratio")
    for name in LAYERS:
        here, there = times_of_layer(name)
        print(f"{name:40}{here / 10:5.2f} ms {there / 10:5.2f} ms {here / there:6.2f}", flush=True)
    print(f"\n{'an epoch of 2048 rows, Adam':40} modnet  PyTorch  ratio")
    for name in NETWORKS:
        here, there = times_of_network(name)
        print(f"{name:40}{here:5.0f} ms {there:5.0f} ms {here / there:6.2f}", flush=True)

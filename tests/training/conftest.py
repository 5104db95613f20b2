"""A trainer in one call, with weights and seeds of its own."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modnet import Array, Loss, Module, Optimizer
from modnet.losses import SquaredError
from modnet.network import Network
from modnet.optimizers import SGD
from modnet.training import Data, Trainer, TrainingSettings


def _prepared(
    layers: list[Module],
    data: Data,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
    seeds: tuple[int, int, int] = (0, 1, 2),
    theta: Array | None = None,
    **settings: Any,
) -> Trainer:
    network = Network(layers, data.x.shape[1:])
    first, state = network.initialize(np.random.default_rng(seeds[0]), data.x.dtype)
    return Trainer(
        network,
        SquaredError() if loss is None else loss,
        SGD(0.1) if optimizer is None else optimizer,
        dataclasses.replace(TrainingSettings(), **settings),
        first if theta is None else theta,
        state,
        shuffle_rng=np.random.default_rng(seeds[1]),
        noise_rng=np.random.default_rng(seeds[2]),
    )


@pytest.fixture(scope="session")
def prepared() -> Callable[..., Trainer]:
    """Return what makes a trainer from layers, data and settings; ``seeds`` are those of θ, order and noise."""
    return _prepared

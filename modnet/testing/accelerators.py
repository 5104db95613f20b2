"""The contract of accelerators: twins that agree with their originals, wherever one is offered."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from modnet.base import Accelerator, Module
from modnet.errors import InvalidSpecError, RegistryError
from modnet.estimators import ModNetRegressor
from modnet.network import Network
from modnet.network.accelerating import accelerated, accelerated_loss, accelerated_step
from modnet.registry import registry
from modnet.testing.failure import CheckFailed, expect, expect_same
from modnet.testing.rules import Rules
from modnet.training.at_once import WORTH

RULES = Rules()
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


@RULES.add()
def twins_of_layers_agree(accelerator: Accelerator) -> None:
    """A twin has the output, the gradients and the state of the links that it stands for, in both dtypes.

    Usually: a factor left out, a buffer read before it is written, or another dtype inside of the kernel
    """
    for layers in [[each] for each in _examples("layer", "activation")] + _pairs():
        width = layers[0].example_rows(np.random.default_rng(0), 1).shape[1:]
        network = Network(layers, width)
        offered = any(
            accelerator.fuse([link.module for link in network.links[index:]]) is not None
            for index, link in enumerate(network.links)
            if not link.chains
        )
        for dtype in DTYPES:
            fast = _undisturbed(accelerated, network, accelerator, dtype)
            expect(not offered or fast.links != network.links, f"the twin for {layers} in {dtype} was set aside before")


@RULES.add()
def twins_of_losses_agree(accelerator: Accelerator) -> None:
    """A twin of a loss has its value and its gradient, with and without weights, in both dtypes.

    Usually: the average over rows, or the weights, left out
    """
    for loss in _examples("loss"):
        for dtype in DTYPES:
            _undisturbed(accelerated_loss, loss, accelerator, dtype)


@RULES.add()
def twins_of_optimizers_agree(accelerator: Accelerator) -> None:
    """A twin of an optimizer moves θ and the state as the original does, in both dtypes.

    Usually: another order of the moments, or a step count of its own
    """
    for optimizer in _examples("optimizer"):
        for dtype in DTYPES:
            _undisturbed(accelerated_step, optimizer, accelerator, dtype)


@RULES.add()
def training_with_twins_gives_the_same_model(accelerator: Accelerator) -> None:
    """A model that is trained with twins is the model that is trained without, to rounding.

    Usually: a twin that is right on a few rows and wrong for other sizes of batches

    The trainings are long enough for steps at once, if the accelerator makes such.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    for activation in ("relu", "tanh", "sigmoid"):
        settings: dict[str, Any] = {"max_iter": WORTH // 3 + 1, "batch_size": 16, "random_state": 0, "tol": 0}
        plain, fast = (
            ModNetRegressor((8, 5), activation, accelerator=each, **settings) for each in (None, accelerator)
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="training stopped at max_iter")
            plain.fit(X, X[:, 0])
            fast.fit(X, X[:, 0])
        expect_same("theta_", fast.theta_, plain.theta_, f"with {accelerator!r}", "without", rtol=1e-8, atol=1e-10)


def _undisturbed(function: Any, original: Any, accelerator: Accelerator, dtype: "np.dtype[Any]") -> Any:
    """Return what is run in place of the original; a twin that is set aside with a warning is a failure."""
    try:
        return function(original, accelerator, dtype)
    except RuntimeWarning as warning:
        raise CheckFailed(f"{warning} ({dtype})") from warning


def _pairs() -> list[list[Module]]:
    """Return a dense layer with each activation behind it, as most networks have them."""
    dense = registry.get("layer", "modnet-layers:dense")
    return [[dense(3, activation)] for activation in _examples("activation")]


def _examples(*kinds: str) -> Iterator[Any]:
    """Return the examples of every registered component of some kinds that can be imported."""
    for kind in kinds:
        for _, cls in registry.classes(kind):
            with contextlib.suppress(InvalidSpecError):  # that there are none is found by a check of its own
                yield from () if isinstance(cls, RegistryError) else cls.examples()

"""The contract of accelerators: twins that agree with their originals, wherever one is offered."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from modnet.acceleration import MIN_STEPS, accelerated
from modnet.acceleration.engine import fused_loss, fused_optimizer
from modnet.base import Accelerator, Module
from modnet.component import Component
from modnet.errors import InvalidSpecError, RegistryError
from modnet.estimators import ModNetRegressor
from modnet.network import Network
from modnet.registry import registry
from modnet.testing.failure import CheckFailed, expect, expect_same
from modnet.testing.rules import Rule, rule

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


@rule("a factor left out, a buffer read before it is written, or another dtype inside of the kernel")
def twins_of_layers_agree(accelerator: Accelerator) -> None:
    """A twin has the output, the gradients and the state of the links that it stands for, in both dtypes."""
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


@rule("the average over rows, or the weights, left out")
def twins_of_losses_agree(accelerator: Accelerator) -> None:
    """A twin of a loss has its value and its gradient, with and without weights, in both dtypes."""
    for loss in _examples("loss"):
        for task in loss.tasks:
            t = loss.example_truth(task, np.random.default_rng(0), 5)
            width = loss.width(t.shape[-1] if t.ndim > 1 else 3)
            served = all(getattr(loss, name) == value for name, value in loss.tasks[task].items())
            for dtype in DTYPES if served else ():
                truth = t if t.dtype.kind == "i" else t.astype(dtype)
                _undisturbed(fused_loss, loss, accelerator, truth, width, dtype)


@rule("another order of the moments, or a step count of its own")
def twins_of_optimizers_agree(accelerator: Accelerator) -> None:
    """A twin of an optimizer moves θ and the state as the original does, in both dtypes."""
    for optimizer in _examples("optimizer"):
        for dtype in DTYPES:
            _undisturbed(fused_optimizer, optimizer, accelerator, dtype)


@rule("a twin that is right on a few rows and wrong for other sizes of batches")
def training_with_twins_gives_the_same_model(accelerator: Accelerator) -> None:
    """A model that is trained with twins is the model that is trained without, to rounding.

    The trainings are long enough for steps at once, if the accelerator makes such.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    for activation in ("relu", "tanh", "sigmoid"):
        settings: dict[str, Any] = {"max_iter": MIN_STEPS // 3 + 1, "batch_size": 16, "random_state": 0, "tol": 0}
        plain, fast = (
            ModNetRegressor((8, 5), activation, accelerator=each, **settings) for each in (None, accelerator)
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="training stopped at max_iter")
            plain.fit(X, X[:, 0])
            fast.fit(X, X[:, 0])
        expect_same("theta_", fast.theta_, plain.theta_, f"with {accelerator!r}", "without", rtol=1e-8, atol=1e-10)


RULES: tuple[Rule, ...] = (
    twins_of_layers_agree,
    twins_of_losses_agree,
    twins_of_optimizers_agree,
    training_with_twins_gives_the_same_model,
)


def _undisturbed(function: Any, *arguments: Any) -> Any:
    """Return what runs in place of modnet's own; falling back on that with a warning is a failure."""
    try:
        return function(*arguments)
    except RuntimeWarning as warning:
        raise CheckFailed(f"{warning} ({arguments[-1]})") from warning


def _pairs() -> list[list[Module]]:
    """Return a dense layer with each activation behind it, as most networks have them."""
    dense = registry.get("layer", "modnet-layers:dense")
    return [[dense(3, activation)] for activation in _examples("activation")]


def _examples(*kinds: str) -> Iterator[Any]:
    """Return the examples of every registered component of some kinds that can be imported."""
    for kind in kinds:
        for entry in registry.entries(kind):
            try:
                cls: type[Component] = registry.get(kind, f"{entry.distribution}:{entry.name}")
                examples = cls.examples()
            except (RegistryError, InvalidSpecError):
                continue  # that it is broken, or gives no examples, is found by checks of its own
            yield from examples

"""The contract of accelerators: what they offer in place of layers, losses and optimizers agrees with those."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from modnet.acceleration import MIN_STEPS, accelerated
from modnet.acceleration.engine import fused_loss, fused_optimizer
from modnet.base import Accelerator, Array, Loss, served
from modnet.errors import InvalidSpecError, RegistryError
from modnet.estimators import ModNetRegressor
from modnet.network import Network
from modnet.registry import registry
from modnet.testing.comparing import CheckFailed, expect, expect_same
from modnet.testing.modules import FLOATS
from modnet.testing.rules import Rules

RULES = Rules()


@RULES.add()
def fused_layers_agree(accelerator: Accelerator) -> None:
    """A fused module has the output, gradients and state of the links that it stands for, in both dtypes.

    Usually: a factor left out, a buffer read before it is written, or another dtype inside of the kernel
    """
    dense = registry.get("layer", "modnet-layers:dense")
    alone = [[each] for each in _examples("layer", "activation")]
    pairs = [[dense(3, activation)] for activation in _examples("activation")]  # as most networks have them
    for layers in alone + pairs:
        network = Network(layers, layers[0].example_rows(np.random.default_rng(0), 1).shape[1:])
        modules = [link.module for link in network.links]
        starts = [index for index, link in enumerate(network.links) if not link.chains]
        offered = any(accelerator.fuse(modules[index:]) is not None for index in starts)
        _expect_used(f"fused for {layers}", offered, network.links, partial(_fused_links, network, accelerator))


@RULES.add()
def fused_losses_agree(accelerator: Accelerator) -> None:
    """A fused loss has the value and the gradient of the original, with and without weights, in both dtypes.

    Usually: the average over rows, or the weights, left out
    """
    for loss in _examples("loss"):
        for task, ready in served(loss).items():
            if ready == loss:
                # Another seed than fused_loss draws raw from: where raw is the truth, wrong losses are zero as well.
                t = loss.example_truth(task, np.random.default_rng(1), 5)
                width = loss.width(t.shape[-1] if t.ndim > 1 else 3)
                fused = partial(_fused_loss, loss, accelerator, t, width)
                _expect_used(f"offered for {loss}", accelerator.loss(loss) not in (None, loss), loss, fused)


@RULES.add()
def fused_optimizers_agree(accelerator: Accelerator) -> None:
    """A fused optimizer moves θ and the state as the original does, in both dtypes.

    Usually: another order of the moments, or a step count of its own
    """
    for optimizer in _examples("optimizer"):
        offered = accelerator.optimizer(optimizer) not in (None, optimizer)
        fused = partial(fused_optimizer, optimizer, accelerator)
        _expect_used(f"offered for {optimizer}", offered, optimizer, fused)


@RULES.add()
def accelerated_training_gives_the_same_model(accelerator: Accelerator) -> None:
    """A model that is trained with the accelerator is the model that is trained without, to rounding.

    Usually: a kernel that is right on a few rows and wrong for other sizes of batches

    The trainings are long enough for a compiled loop, if the accelerator makes such.
    """
    X = np.random.default_rng(0).normal(size=(50, 4))
    for activation in ("relu", "tanh", "sigmoid"):
        settings: dict[str, Any] = {"max_iter": MIN_STEPS // 3 + 1, "batch_size": 16, "random_state": 0, "tol": 0}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="training stopped at max_iter")
            with _told_as_found():
                plain, fast = (
                    ModNetRegressor((8, 5), activation, accelerator=each, **settings).fit(X, X[:, 0]).theta_
                    for each in (None, accelerator)
                )
        expect_same("theta_", fast, plain, f"with {accelerator!r}", "without", rtol=1e-8, atol=1e-10)


def _fused_loss(loss: Loss, accelerator: Accelerator, t: Array, width: int, dtype: "np.dtype[Any]") -> Loss:
    return fused_loss(loss, accelerator, t if t.dtype.kind == "i" else t.astype(dtype), width, dtype)


def _fused_links(network: Network, accelerator: Accelerator, dtype: "np.dtype[Any]") -> object:
    return accelerated(network, accelerator, dtype).links


def _expect_used(what: str, offered: bool, original: object, fused: Callable[["np.dtype[Any]"], object]) -> None:
    """Expect that what is offered runs in place of the original in both dtypes: if not, it failed or differs."""
    for dtype in map(np.dtype, FLOATS):
        with _told_as_found(f" ({dtype})"):
            fast = fused(dtype)
        expect(not offered or fast != original, f"what is {what} was refused before ({dtype})")


@contextlib.contextmanager
def _told_as_found(where: str = "") -> Iterator[None]:
    """Make what modnet warns of, when it refuses an offer, what was found."""
    try:
        yield
    except RuntimeWarning as warning:
        raise CheckFailed(f"{warning}{where}") from warning


def _examples(*kinds: str) -> Iterator[Any]:
    """Return the examples of every registered component of some kinds that can be imported."""
    for kind in kinds:
        for _, cls in registry.classes(kind):
            with contextlib.suppress(InvalidSpecError):  # that there are none is found by a check of its own
                yield from () if isinstance(cls, RegistryError) else cls.examples()

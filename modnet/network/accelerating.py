"""Accelerating: twins take the place of links, of the loss and of the optimizer's step, after a comparison with them.

The network that a user sees stays as it is; what is run is a copy of it on the same θ, with other links in it.
"""

import copy
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np

from modnet.base import Accelerator, Array, Loss, Module, Optimizer, Task
from modnet.network.layout import Place
from modnet.network.link import Link
from modnet.network.network import Network
from modnet.network.running import Pass

_ROWS = 5
_TRUSTED: dict[Any, bool] = {}
"""Which twins were compared with their originals, and whether they agreed: once per process, dtype and shape."""

_FAST: WeakKeyDictionary[Network, dict[Any, tuple[Link, ...] | None]] = WeakKeyDictionary()
"""The links that are run in place of a network's own, by accelerator and dtype, while the network is there; None if
they are its own. Each prediction asks for them."""


def accelerated(network: Network, accelerator: Accelerator | None, dtype: "np.dtype[Any]") -> Network:
    """Return a network on the same θ whose links are twins, where the accelerator has any that agree.

    Parameters
    ----------
    network : Network
    accelerator : Accelerator or None
        None: the network itself is returned.
    dtype : dtype
        Of θ.

    Warns
    -----
    RuntimeWarning
        Once, for a twin that raises or differs from its original; the original is run then.
    """
    if accelerator is None:
        return network
    known, key = _FAST.setdefault(network, {}), (accelerator, np.dtype(dtype))
    if key not in known:
        found = _replaced(network.links, accelerator, np.dtype(dtype), _run_agrees)
        known[key] = None if found == network.links else found
    links = known[key]
    if links is None:
        return network
    fast = copy.copy(network)
    fast.links = links
    return fast


def accelerated_loss(loss: Loss, accelerator: Accelerator | None, dtype: "np.dtype[Any]") -> Loss:
    """Return the twin of a loss, or the loss itself; see `accelerated`."""
    twin = None if accelerator is None else accelerator.loss(loss)
    tasks = tasks_of(loss)
    rng = np.random.default_rng(0)
    problems = []
    for task in tasks:
        t = loss.example_truth(cast(Task, task), rng, _ROWS)
        raw = rng.normal(size=(_ROWS, loss.width(t.shape[-1] if t.ndim > 1 else 3))).astype(dtype)
        problems.append((t if t.dtype.kind == "i" else t.astype(dtype), raw))

    def results(each: Loss) -> list[Array]:
        found: list[Array] = []
        for t, raw in problems:
            for weight in (None, np.linspace(0.5, 2, _ROWS, dtype=dtype)):
                value, draw = each.value_and_gradient(t, raw, weight=weight)
                found += [np.asarray(value), draw]
        return found

    if twin is None or not problems or not agrees((accelerator, loss), twin, results, loss, dtype):
        return loss
    return twin


def tasks_of(loss: Loss) -> list[str]:
    """Return the tasks that a loss is set up for, on whose examples a twin can be compared with it."""
    return [task for task, fields in loss.tasks.items() if all(getattr(loss, name) == fields[name] for name in fields)]


def accelerated_step(optimizer: Optimizer, accelerator: Accelerator | None, dtype: "np.dtype[Any]") -> Optimizer:
    """Return the twin of an optimizer, or the optimizer itself; see `accelerated`."""
    twin = None if accelerator is None else accelerator.optimizer(optimizer)

    def results(each: Optimizer) -> list[Array]:
        rng = np.random.default_rng(0)
        theta = rng.normal(size=17).astype(dtype)
        state = optimizer.init(theta)
        for stepper in (each, each, each, optimizer, optimizer):  # which can go on where the twin has stopped
            stepper.step(theta, rng.normal(size=17).astype(dtype), state)
        return [theta]

    return twin if twin is not None and agrees((accelerator, optimizer), twin, results, optimizer, dtype) else optimizer


def offered_links(network: Network, accelerator: Accelerator, dtype: "np.dtype[Any]") -> tuple[Link, ...]:
    """Return the links as `accelerated` has them, taking it for granted that what was not compared yet agrees."""

    def presumed(run: Sequence[Link], twin: Module, accelerator: Accelerator, dtype: "np.dtype[Any]") -> bool:
        return presumed_right((accelerator, tuple(link.module for link in run), run[0].input_shape), dtype)

    return _replaced(network.links, accelerator, np.dtype(dtype), presumed)


def _replaced(
    links: Sequence[Link],
    accelerator: Accelerator,
    dtype: "np.dtype[Any]",
    judge: Callable[[Sequence[Link], Module, Accelerator, "np.dtype[Any]"], bool],
) -> tuple[Link, ...]:
    found, index = [], 0
    while index < len(links):
        link = links[index]
        twin = None if link.chains else accelerator.fuse([each.module for each in links[index:]])
        if twin is not None and not any(each.chains for each in links[index : index + twin.length]):
            run = links[index : index + twin.length]
            if judge(run, twin.module, accelerator, dtype):
                found.append(_joined(run, twin.module))
                index += twin.length
                continue
        chains = tuple(_replaced(chain, accelerator, dtype, judge) for chain in link.chains)
        found.append(link if chains == link.chains else replace(link, chains=chains))
        index += 1
    return tuple(found)


def _joined(run: Sequence[Link], module: Module) -> Link:
    """Return the link of a twin: in the place of the first, with the parameters of all."""
    places = {name: place for link in run for name, place in link.places.items()}
    state_places = {name: place for link in run for name, place in link.state_places.items()}
    return Link(run[0].path, module, run[0].input_shape, run[-1].output_shape, places, state_places, ())


def _run_agrees(run: Sequence[Link], twin: Module, accelerator: Accelerator, dtype: "np.dtype[Any]") -> bool:
    """Return whether a twin makes the same of a few rows as the links that it stands for."""
    shape = run[0].input_shape
    modules = tuple(link.module for link in run)
    key = (accelerator, modules, shape)
    if (known := _TRUSTED.get((*key, np.dtype(dtype)))) is not None:
        return known
    own, size = _moved(run, "places")
    own_state, state_size = _moved(run, "state_places")
    rng = np.random.default_rng(0)
    # Positive numbers: gains, variances and the like may not be anything else. Codes are 0.
    theta = rng.uniform(0.1, 1, size).astype(dtype)
    state = np.ones(state_size, dtype)
    x = np.zeros((_ROWS, *shape), dtype) if modules[0].takes_codes else rng.normal(size=(_ROWS, *shape)).astype(dtype)
    dy = rng.normal(size=(_ROWS, *run[-1].output_shape)).astype(dtype)

    def results(links: Sequence[Link]) -> list[Array]:
        found = []
        for training in (False, True):
            gradient, after = np.zeros_like(theta), state.copy()
            part = SimpleNamespace(links=tuple(links))
            noise = np.random.default_rng(1)
            running = Pass(part, theta, after, gradient=gradient, rows=_ROWS, training=training, rng=noise)
            found.append(running.forward(x).copy())
            running.backward(dy)
            found += [running.input_gradient().copy(), gradient, after]
        return found

    originals = [
        replace(link, places=mine, state_places=kept) for link, mine, kept in zip(run, own, own_state, strict=True)
    ]
    joined = _joined(originals, twin)
    return agrees(key, [joined], results, originals, dtype)


def _moved(run: Sequence[Link], name: str) -> tuple[list[dict[str, Place]], int]:
    """Return the places of links in a vector of their own, and its size."""
    moved, start = [], 0
    for link in run:
        mine = {}
        for key, place in getattr(link, name).items():
            stop = start + place.stop - place.start
            mine[key] = Place(start, stop, place.shape)
            start = stop
        moved.append(mine)
    return moved, start


def presumed_right(key: tuple[Any, ...], dtype: "np.dtype[Any]") -> bool:
    """Return whether a twin is not known to differ; see `agrees`."""
    return _TRUSTED.get((*key, np.dtype(dtype)), True)


def agrees(
    key: tuple[Any, ...], twin: Any, results: Callable[[Any], list[Array]], original: Any, dtype: "np.dtype[Any]"
) -> bool:
    """Return whether twin and original have the same results; the answer is kept under the key.

    Parameters
    ----------
    key : tuple
        The accelerator, what it has a twin of, and whatever else makes a difference.
    twin, original
    results : callable
        Takes one of the two and returns arrays of numbers around 1.
    dtype : dtype
        Of θ.
    """
    full = (*key, np.dtype(dtype))
    if full not in _TRUSTED:
        rtol = 1e-3 if np.dtype(dtype) == np.float32 else 1e-8
        reason = ""
        with np.errstate(all="ignore"):
            expected = results(original)
            try:
                pairs = zip(results(twin), expected, strict=True)
                reason = next(filter(None, (_difference(*pair, rtol) for pair in pairs)), "")
            except Exception as error:  # a twin is another's code: whatever goes wrong in it, its original works
                reason = described(error)
        if reason:
            fallback(key, dtype, reason)
        else:
            _TRUSTED[full] = True
    return _TRUSTED[full]


def _difference(found: Array, expected: Array, rtol: float) -> str:
    """Return how an array differs from what it should be; nothing if it does not, but for rounding."""
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return f"it makes {found.dtype} of shape {found.shape}, where there should be {expected.dtype} {expected.shape}"
    if np.allclose(found, expected, rtol=rtol, atol=rtol, equal_nan=True):
        return ""
    away = np.where(found == expected, 0, np.nan_to_num(np.abs(found - expected), nan=np.inf))
    where = np.unravel_index(np.argmax(away), found.shape)
    return f"on a few rows it finds {found[where]:.6g}, where there should be {expected[where]:.6g}"


def described(error: Exception) -> str:
    """Return the class of an error and what it says."""
    return f"{type(error).__name__}: {error}".strip()


def fallback(key: tuple[Any, ...], dtype: "np.dtype[Any]", reason: str) -> None:
    """Warn that a twin is not used, unless that was said before; arguments as of `agrees`."""
    full = (*key, np.dtype(dtype))
    if _TRUSTED.get(full) is not False:
        parts = key[1] if isinstance(key[1], tuple) else (key[1],)
        what = ", ".join(each if isinstance(each, str) else repr(each) for each in parts)
        warnings.warn(
            f"the twin that {key[0]!r} offers of {what} is set aside, and modnet's own used: {reason}",
            RuntimeWarning,
            stacklevel=3,
        )
    _TRUSTED[full] = False

"""Fusing: which links of a network an accelerator runs, one for one or one for several; and the network that does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from modnet.acceleration.comparing import agrees, asked, fall_back, known
from modnet.base import Accelerator, Array, Fused, Loss, Module, Optimizer, Solver, TableShape
from modnet.errors import InputError
from modnet.network import Link, Network, Pass
from modnet.network.summary import FusedParts

_ROWS = 5

_FAST: WeakKeyDictionary[Network, dict[Any, Network | None]] = WeakKeyDictionary()
"""What is run in place of a network, by accelerator and dtype, while it is there: each prediction asks for it. None:
the network itself."""

Judge = Callable[[Sequence[Link], Module, Accelerator, "np.dtype[Any]"], bool]
"""Says whether a fused module may run in place of links."""


def accelerated(network: Network, accelerator: Accelerator | None, dtype: "np.dtype[Any]") -> Network:
    """Return a network on the same θ in which fused modules run, where the accelerator has any that agree.

    Parameters
    ----------
    network : Network
        As a spec builds it.
    accelerator : Accelerator or None
        None: the network itself is returned.
    dtype : dtype
        Of θ.

    Returns
    -------
    Network
        The network itself where nothing is fused.

    Warns
    -----
    RuntimeWarning
        Once, for a fused module that raises or differs; modnet's own links run then.
    """
    if accelerator is None:
        return network
    fast, key = _FAST.setdefault(network, {}), (accelerator, np.dtype(dtype))
    if key not in fast:
        links = _fused(network.links, accelerator, np.dtype(dtype), _runs_alike)
        fast[key] = None if links == network.links else network.with_links(links)
    return fast[key] or network


def predicted(network: Network, accelerator: Accelerator | None, theta: Array, state: Array, x: Array) -> Array:
    """Return the raw output of a network for any number of rows, run as an accelerator runs it.

    Parameters
    ----------
    network : Network
        As a spec builds it.
    accelerator : Accelerator or None
        None: modnet's own links run.
    theta, state : ndarray
        The network's parameters and state.
    x : ndarray
        Any number of rows.

    Returns
    -------
    ndarray, shape (n, *network.output_shape)
        Of the dtype of θ.
    """
    y, done = np.empty((x.shape[0], *network.output_shape), theta.dtype), 0
    for block in predicted_blocks(network, accelerator, theta, state, x):
        y[done : done + len(block)] = block
        done += len(block)
    return y


def predicted_blocks(
    network: Network, accelerator: Accelerator | None, theta: Array, state: Array, x: Array
) -> Iterator[Array]:
    """Yield the raw output of a network block by block, run as an accelerator runs it.

    Parameters
    ----------
    network : Network
        As a spec builds it.
    accelerator : Accelerator or None
        None: modnet's own links run.
    theta, state : ndarray
        The network's parameters and state.
    x : ndarray
        Any number of rows.

    Yields
    ------
    ndarray
        Of some rows after those of the last; valid until the next.

    Warns
    -----
    RuntimeWarning
        Once, if what agreed on a few rows fails on these; modnet's own links run then.
    """
    fast, done = accelerated(network, accelerator, theta.dtype), 0
    try:
        for block in fast.predict_blocks(theta, state, x):
            yield block
            done += len(block)
    except Exception as error:
        if accelerator is None or isinstance(error, InputError):  # which is about a row
            raise
        yield from network.predict_blocks(theta, state, x[done:])
        set_aside(network, accelerator, theta.dtype, error)


def set_aside(network: Network, accelerator: Accelerator, dtype: "np.dtype[Any]", error: Exception) -> None:
    """Let a network run without an accelerator from now on, and say so: its modules agreed, and have failed since."""
    _FAST.setdefault(network, {})[accelerator, np.dtype(dtype)] = None
    fall_back(accelerator, (accelerator, network), "a network", f"{type(error).__name__}: {error}")


def fused_parts(
    network: Network,
    accelerator: Accelerator | None,
    dtype: "np.dtype[Any]",
    *,
    name: str | None = None,
    loss: Loss | None = None,
    optimizer: Optimizer | Solver | None = None,
) -> FusedParts:
    """Return what an accelerator runs of a network, its loss and its optimizer.

    Nothing is compiled and compared for that: what an accelerator offers counts unless it is known to differ.

    Parameters
    ----------
    network : Network
        Whose links it may run.
    accelerator : Accelerator or None
        None: it runs nothing.
    dtype : dtype
        Of θ.
    name : str, optional
        Of the accelerator; default: that of its class.
    loss : Loss, optional
        None: there is nothing to say of it, as there is of a prediction.
    optimizer : Optimizer or Solver, optional
        The same; no accelerator runs a solver.

    Returns
    -------
    FusedParts
        The paths of the links, and the names of the rest.
    """
    names = [None if each is None else type(each).__name__ for each in (loss, optimizer)]
    if accelerator is None:
        return FusedParts(None, loss=names[0], optimizer=names[1])
    dtype = np.dtype(dtype)

    def offered(part: Loss | Optimizer, kind: type, ask: Callable[[Any], Any]) -> bool:
        key = (accelerator, part, dtype)
        return asked(accelerator, key, repr(part), kind, lambda: ask(part)) is not None and known(key) is not False

    links = _fused(network.links, accelerator, dtype, lambda *run: known(_key(*run)) is not False)
    return FusedParts(
        name or type(accelerator).__name__,
        frozenset(_replaced(network.links, links)),
        names[0],
        loss is not None and offered(loss, Loss, accelerator.loss),
        names[1],
        isinstance(optimizer, Optimizer) and offered(optimizer, Optimizer, accelerator.optimizer),
    )


def _key(run: Sequence[Link], module: Module, accelerator: Accelerator, dtype: "np.dtype[Any]") -> Any:
    return accelerator, tuple(link.module for link in run), run[0].input_shape, dtype


def _fused(links: Sequence[Link], accelerator: Accelerator, dtype: "np.dtype[Any]", judge: Judge) -> tuple[Link, ...]:
    """Return links with fused modules in place of those that the judge lets them stand for."""
    found, rest = [], list(links)
    while rest:
        link = rest[0]
        fused = None if link.chains else _offer([each.module for each in rest], accelerator)
        if fused is not None:
            run = rest[: fused.length]
            if not any(each.chains for each in run) and judge(run, fused.module, accelerator, dtype):
                found.append(_joined(run, fused.module))
                del rest[: fused.length]
                continue
        chains = tuple(_fused(chain, accelerator, dtype, judge) for chain in link.chains)
        found.append(link if chains == link.chains else replace(link, chains=chains))
        del rest[0]
    return tuple(found)


def _offer(modules: Sequence[Module], accelerator: Accelerator) -> Fused | None:
    key, first = (accelerator, "fuse", type(modules[0])), repr(modules[0])

    def ask() -> Any:
        offer = accelerator.fuse(modules)
        if isinstance(offer, Fused) and offer.length > len(modules):
            raise ValueError(f"it stands for {offer.length} modules, and there are {len(modules)}")
        return offer

    offer: Fused | None = asked(accelerator, key, first, Fused, ask)
    return offer


def _joined(run: Sequence[Link], module: Module) -> Link:
    """Return the link of a fused module: in the place of the first, with the parameters of all."""
    places = {name: place for link in run for name, place in link.places.items()}
    state_places = {name: place for link in run for name, place in link.state_places.items()}
    shapes = run[0].input_shape, run[-1].output_shape
    return Link(run[0].path, module, *shapes, places, state_places, (), any(link.trainable for link in run))


def _runs_alike(run: Sequence[Link], module: Module, accelerator: Accelerator, dtype: "np.dtype[Any]") -> bool:
    """Return whether a fused module makes the same of a few rows as the links that it stands for."""
    key = _key(run, module, accelerator, dtype)
    if (verdict := known(key)) is not None:
        return verdict
    own = Network([link.module for link in run], run[0].input_shape)
    shape, rng = run[0].input_shape, np.random.default_rng(0)
    # Positive numbers: gains, variances and the like may not be anything else. Codes are 0 where it is not known of how
    # many categories.
    theta, state = rng.uniform(0.1, 1, own.layout.size).astype(dtype), np.ones(own.state_layout.size, dtype)
    x = rng.normal(size=(_ROWS, *shape)).astype(dtype)
    if run[0].module.takes_codes:
        counts = [each.categories or 1 for each in shape.columns] if isinstance(shape, TableShape) else 1
        x[...] = rng.integers(counts, size=x.shape)
    dy = rng.normal(size=(_ROWS, *run[-1].output_shape)).astype(dtype)

    def results(links: tuple[Link, ...]) -> list[Array]:
        found = []
        for training in (False, True):
            gradient, after = np.zeros_like(theta), state.copy()
            noise = np.random.default_rng(1)
            part = own.with_links(links)
            running = Pass(part, theta, after, gradient=gradient, rows=_ROWS, training=training, rng=noise)
            found.append(running.forward(x).copy())
            running.backward(dy)
            found += [running.input_gradient().copy(), gradient, after]
        return found

    what = ", ".join(repr(link.module) for link in run)
    return agrees(accelerator, key, what, (_joined(own.links, module),), own.links, results)


def _replaced(own: Sequence[Link], links: Sequence[Link]) -> Iterator[str]:
    """Yield the paths of a network's own links that are not among the links that run."""
    kept = {link.path: link for link in links}
    is_fused = False
    for each in own:
        link = kept.get(each.path)
        if link is not None:  # otherwise it is behind the first of those that a fused module stands for
            is_fused = link.module is not each.module
            for chain, others in zip(each.chains, link.chains, strict=True):
                yield from _replaced(chain, others)
        if is_fused:
            yield each.path

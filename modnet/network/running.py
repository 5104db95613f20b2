"""Running a network: a pass owns the contexts of all links, and a chain calls the links one after the other.

This is the chain rule: forward, each link's output is the next one's input; backward, each link's ∂J/∂x is the ∂J/∂y
of the one before it.
"""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from modnet.base import Array, Context
from modnet.errors import InputError
from modnet.network.layout import Place
from modnet.network.link import Link


class Linked(Protocol):
    """What a pass runs: a network, or a part of one."""

    @property
    def links(self) -> tuple[Link, ...]:
        """The links in a row."""


class Runner(Protocol):
    """The three methods of a module that a chain calls."""

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y."""

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂θ."""

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x."""


def module_of(link: Link) -> Runner:
    """Return what runs a link: its module."""
    return link.module


class Chain:
    """Links in a row with their contexts.

    Parameters
    ----------
    links : sequence of Link
    runners : sequence of Runner
        What runs each link.
    contexts : sequence of Context
        One per link.
    """

    def __init__(self, links: Sequence[Link], runners: Sequence[Runner], contexts: Sequence[Context]) -> None:
        self._steps = list(zip(runners, contexts, strict=True))
        reads = [link.module.reads for link in links]
        self._forward = [
            (module.forward, ctx, "x" in each, "y" in each)
            for (module, ctx), each in zip(self._steps, reads, strict=True)
        ]
        self._titles = [link.title for link in links]
        # Links in front of the first parameter need no gradient at all: backpropagation ends there.
        self._first = next((i for i, link in enumerate(links) if link.trainable), len(links) - 1)
        self._backward = [
            (module.grad_params, module.grad_input, ctx) for module, ctx in self._steps[: self._first : -1]
        ]
        self._dy: Array | None = None

    def forward(self, x: Array) -> Array:
        """Return the output of the last link."""
        try:
            for forward, ctx, keeps_x, keeps_y in self._forward:
                if keeps_x:
                    ctx.x = x
                x = forward(ctx, x)
                if keeps_y:
                    ctx.y = x
        except InputError as error:
            here = next(title for (_, each), title in zip(self._steps, self._titles, strict=True) if each is ctx)
            error.link = error.link or here
            raise
        return x

    def grad_params(self, dy: Array) -> None:
        """Write the gradients of all parameters, given that of the output."""
        for grad_params, grad_input, ctx in self._backward:
            grad_params(ctx, dy)
            dy = grad_input(ctx, dy)
        module, ctx = self._steps[self._first]
        module.grad_params(ctx, dy)
        self._dy = dy

    def grad_input(self) -> Array:
        """Return the gradient of the input; `grad_params` has to be called before."""
        assert self._dy is not None, "grad_params comes before grad_input"
        module, ctx = self._steps[self._first]
        dy = module.grad_input(ctx, self._dy)
        for module, ctx in reversed(self._steps[: self._first]):
            module.grad_params(ctx, dy)  # nothing to write, but composites pass dy on to their children
            dy = module.grad_input(ctx, dy)
        return dy


class Pass:
    """What one caller needs to send batches of one size through a network, forward and backward.

    Parameters
    ----------
    network : Network
    theta, state : ndarray, shape (network.layout.size,) and (network.state_layout.size,)
        The parameters and the non-trainable state; the state changes in training.
    gradient : ndarray, shape (network.layout.size,), optional
        ∇J(θ), where `backward` writes. Without it there is only `forward`.
    rows : int
        Rows per batch.
    training : bool
    rng : numpy.random.Generator, optional
        The source of randomness in training.
    runner : callable, optional
        What runs a link; default: its module.

    Notes
    -----
    Views and buffers are made once, here, and used for every batch. One pass serves one thread.
    """

    def __init__(
        self,
        network: Linked,
        theta: Array,
        state: Array,
        *,
        gradient: Array | None = None,
        rows: int,
        training: bool = False,
        rng: np.random.Generator | None = None,
        runner: Callable[[Link], Runner] = module_of,
    ) -> None:
        self._runner = runner
        self._theta, self._state, self._gradient = theta, state, gradient
        self._rows, self._training = rows, training
        self._rng = rng
        self.chain = self._chain(network.links)

    def forward(self, x: Array) -> Array:
        """Return the network's raw output, shape (rows, *output_shape), valid until the next call."""
        return self.chain.forward(x)

    def backward(self, draw: Array) -> None:
        """Write ∇J(θ) into `gradient`, given draw = ∂J/∂raw for the batch that went forward last."""
        self.chain.grad_params(draw)

    def input_gradient(self) -> Array:
        """Return ∂J/∂X, shape (rows, *input_shape), for the batch that went backward last."""
        return self.chain.grad_input()

    def _chain(self, links: Sequence[Link]) -> Chain:
        return Chain(links, [self._runner(link) for link in links], [self._context(link) for link in links])

    def _context(self, link: Link) -> Context:
        dtype, backward = self._theta.dtype, self._gradient is not None
        return Context(
            p=_views(self._theta, link.places),
            g=_views(self._gradient, link.places),
            s=_views(self._state, link.state_places),
            out=np.empty((self._rows, *link.output_shape), dtype),
            dx=np.empty((self._rows, *link.input_shape), dtype) if backward else None,
            training=self._training,
            rng=self._rng,
            children=tuple(self._chain(chain) for chain in link.chains),
        )


def _views(vector: Array | None, places: Mapping[str, Place]) -> SimpleNamespace:
    if vector is None:
        return SimpleNamespace()
    return SimpleNamespace(**{name: place.view(vector) for name, place in places.items()})

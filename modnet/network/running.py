"""Running a network: a pass calls its links one after the other, each with a context, forward and then backward.

This is the chain rule: forward, each link's output is the next one's input; backward, each link's ∂J/∂x is the ∂J/∂y
of the one before it.
"""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from modnet.base import Array, Context, Place
from modnet.network.hooks import Hook, methods_of
from modnet.network.link import Link, explain, unlike

if TYPE_CHECKING:
    from modnet.network.network import Network


class Chain:
    """Links in a row with their contexts.

    Parameters
    ----------
    links : sequence of Link
    contexts : sequence of Context
        One per link.
    hook : Hook, optional
    """

    def __init__(self, links: Sequence[Link], contexts: Sequence[Context], hook: Hook | None = None) -> None:
        self._links, self._contexts = links, contexts
        self._forward, backward = [], []
        for link, ctx in zip(links, contexts, strict=True):
            forward, grad_params, grad_input = methods_of(link, hook)
            reads = link.module.reads
            self._forward.append((forward, ctx, "x" in reads, "y" in reads))
            backward.append((grad_params, grad_input, ctx))
        # Links in front of the first parameter need no gradient at all: backpropagation ends at it.
        first = next((index for index, link in enumerate(links) if link.trainable), len(links) - 1)
        self._behind, self._first, self._in_front = backward[:first:-1], backward[first], backward[:first][::-1]
        self._dy: Array | None = None

    def forward(self, x: Array) -> Array:
        """Return the output of the last link.

        Parameters
        ----------
        x : ndarray, shape (n, *input_shape)
            The input of the first link.

        Returns
        -------
        ndarray, shape (n, *output_shape)
            It is overwritten by the next batch.
        """
        try:
            for forward, ctx, keeps_x, keeps_y in self._forward:
                if keeps_x:
                    ctx.x = x
                x = forward(ctx, x)
                if keeps_y:
                    ctx.y = x
        except Exception as error:
            explain(self._links, self._contexts, error, ctx, "x", x)
            raise
        if self._contexts and x is not ctx.out and unlike(x, ctx.out):
            raise self._links[-1].returned("forward", x, ctx.out)
        return x

    def grad_params(self, dy: Array) -> None:
        """Write the gradients of all parameters, given that of the output.

        Parameters
        ----------
        dy : ndarray, shape (n, *output_shape)
            The gradient of the output.
        """
        try:
            for grad_params, grad_input, ctx in self._behind:
                if grad_params is not None:
                    grad_params(ctx, dy)
                dy = grad_input(ctx, dy)
            grad_params, _, ctx = self._first
            if grad_params is not None:
                grad_params(ctx, dy)
        except Exception as error:
            explain(self._links, self._contexts, error, ctx, "dy", dy)
            raise
        self._dy = dy

    def grad_input(self) -> Array:
        """Return the gradient of the input; `grad_params` has to be called before.

        Returns
        -------
        ndarray, shape (n, *input_shape)
            The gradient of the input of the first link.
        """
        assert self._dy is not None, "grad_params comes before grad_input"
        (_, grad_input, ctx), dy = self._first, self._dy
        try:
            dy = grad_input(ctx, dy)
            for grad_params, grad_input, ctx in self._in_front:
                if grad_params is not None:
                    grad_params(ctx, dy)  # nothing to write, but composites pass dy on to their children
                dy = grad_input(ctx, dy)
        except Exception as error:
            explain(self._links, self._contexts, error, ctx, "dy", dy)
            raise
        if dy is not ctx.dx and unlike(dy, ctx.dx):
            raise self._links[0].returned("grad_input", dy, ctx.dx)
        return dy


class Pass(Chain):
    """What one caller needs to send batches of one size through a network, forward and backward.

    Parameters
    ----------
    network : Network
        Whose links run.
    theta, state : ndarray, shape (network.layout.size,) and (network.state_layout.size,)
        The parameters and the non-trainable state; the state changes in training.
    gradient : ndarray, shape (network.layout.size,), optional
        ∇J(θ), where `backward` writes. Without it there is only `forward`.
    rows : int
        Rows per batch.
    training : bool
        Whether dropout drops, and batch statistics are taken.
    rng : numpy.random.Generator, optional
        The source of randomness in training.
    hook : Hook, optional
        Sees what passes each link.

    Notes
    -----
    Views and buffers are made once, here, and used for every batch: what `forward` returns is valid until the next
    call. One pass serves one thread.
    """

    def __init__(
        self,
        network: "Network",
        theta: Array,
        state: Array,
        *,
        gradient: Array | None = None,
        rows: int,
        training: bool = False,
        rng: np.random.Generator | None = None,
        hook: Hook | None = None,
    ) -> None:
        self._theta, self._state, self._gradient = theta, state, gradient
        self._rows, self._training, self._rng, self._hook = rows, training, rng, hook
        super().__init__(network.links, [self.context_of(link) for link in network.links], hook)

    def serves(self, theta: Array, state: Array, rows: int) -> bool:
        """Return whether it is for these weights, the arrays themselves, and for so many rows, in prediction.

        Parameters
        ----------
        theta, state : ndarray
            The weights.
        rows : int
            How many.

        Returns
        -------
        bool
            False for a pass of training.
        """
        return self._theta is theta and self._state is state and self._rows == rows and not self._training

    def backward(self, draw: Array) -> None:
        """Write ∇J(θ) into `gradient`, given draw = ∂J/∂raw for the batch that went forward last.

        Parameters
        ----------
        draw : ndarray, shape (n, *output_shape)
            The gradient ∂J/∂raw.
        """
        self.grad_params(draw)

    def input_gradient(self) -> Array:
        """Return ∂J/∂X for the batch that went backward last.

        Returns
        -------
        ndarray, shape (n, *input_shape)
            It is overwritten by the next batch.
        """
        return self.grad_input()

    def context_of(self, link: Link) -> Context:
        """Return a new context of a link, with chains of those inside it.

        Parameters
        ----------
        link : Link
            One of the network's, or one inside a composite.

        Returns
        -------
        Context
            With views of θ, of its gradient and of the state.
        """
        theta, gradient = self._theta, self._gradient
        return Context(
            p=_views(theta, link.places),
            g=_views(gradient, link.places),
            s=_views(self._state, link.state_places),
            input_shape=link.input_shape,
            out=np.empty((self._rows, *link.output_shape), theta.dtype),
            dx=None if gradient is None else np.empty((self._rows, *link.input_shape), theta.dtype),
            training=self._training,
            rng=self._rng,
            children=tuple(Chain(chain, list(map(self.context_of, chain)), self._hook) for chain in link.chains),
        )


def _views(vector: Array | None, places: Mapping[str, Place]) -> SimpleNamespace:
    if vector is None:
        return SimpleNamespace()
    return SimpleNamespace(**{n: vector[each.start : each.stop].reshape(each.shape) for n, each in places.items()})

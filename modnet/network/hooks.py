"""Hooks: whoever wants to see a network at work gets every array that passes a link, forward and backward.

The trial run, adapting, outputs of hidden layers, diagnosis and `modnet.trace` all look through one.
"""

from collections.abc import Callable

from modnet.base import Array, Context, Module
from modnet.network.link import Link

Hook = Callable[[Link, str, Array], Array | None]
"""Sees what passes a link, those inside composites too: ``"x"`` before `forward` and ``"y"`` after it; ``"dy"``, the
gradient that arrives, before `grad_params`, and ``"dx"`` after `grad_input`. What it sees may change afterwards. An
array that it returns for ``"y"`` goes on in the place of y: so one asks what J would be if y were another."""

Method = Callable[[Context, Array], Array]


def methods_of(link: Link, hook: Hook | None) -> tuple[Method, Callable[[Context, Array], None] | None, Method]:
    """Return `forward`, `grad_params` and `grad_input` of a link's module, with the hook called beside each.

    Without a hook there is None in place of a `grad_params` that has nothing to write.
    """
    module = link.module
    if hook is None:
        writes = type(module).grad_params is not Module.grad_params
        return module.forward, module.grad_params if writes else None, module.grad_input

    def forward(ctx: Context, x: Array) -> Array:
        hook(link, "x", x)
        y = module.forward(ctx, x)
        other = hook(link, "y", y)
        return y if other is None else other

    def grad_params(ctx: Context, dy: Array) -> None:
        hook(link, "dy", dy)
        module.grad_params(ctx, dy)

    def grad_input(ctx: Context, dy: Array) -> Array:
        dx = module.grad_input(ctx, dy)
        hook(link, "dx", dx)
        return dx

    return forward, grad_params, grad_input

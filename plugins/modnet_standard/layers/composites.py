"""Layers made of others: lists of layers, branches side by side, and an activation.

The layers inside run in ``ctx.children``, a chain each.
"""

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, ClassVar, Literal, Self, final

import numpy as np
from annotated_types import MinLen

from modnet import Activation, Array, Context, Module, Parameter, Shape, Slot, Slots
from modnet.base import Graph, Links, Value, located, shape_through
from modnet.errors import ShapeError
from modnet_standard.activations.functions import Identity
from modnet_standard.activations.sigmoids import Sigmoid, Tanh
from modnet_standard.layers.dense import Dense
from modnet_standard.layers.scale import PReLU

__all__ = ["ActivationLayer", "Parallel", "Residual", "Sequential"]


class Stack(Module):
    """Layers that run one after the other, inside of one layer.

    Parameters
    ----------
    body : tuple of Module
        The layers, at least one.
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    body: Annotated[Slots[Module], MinLen(1)]

    @property
    def fixed(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether all layers are."""
        return all(layer.fixed for layer in self.body)

    @final
    def chains(self) -> tuple[Links, ...]:
        """Return the layers, as one chain."""
        return (located("body", self.body),)

    @final
    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of all layers."""
        ctx.children[0].grad_params(dy)


class Sequential(Stack):
    """Layers that run one after the other: y = fₖ(… f₂(f₁(x))).

    Use it where one layer is wanted, as for a branch of `Parallel`.

    Parameters
    ----------
    body : tuple of Module
        The layers, at least one.

    Examples
    --------
    >>> from modnet.layers import Sequential
    >>> Sequential([{"type": "dense", "units": 8}, "tanh"]).output_shape((3,))
    (8,)
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return three layers in a row."""
        return (cls((Dense(4), Sigmoid(), Dense(2))),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape behind the last layer."""
        return shape_through(located("body", self.body), input_shape)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the output of the last layer."""
        return ctx.children[0].forward(x)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return graph.children[0](x)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return the gradient of the first layer's input."""
        return ctx.children[0].grad_input()


class Residual(Stack):
    """A residual block: y = x + f(x), where f is the layers of `body`, one after the other.

    The gradient takes both ways, ∂J/∂x = dy + ∂J/∂x through f; so it reaches the first layers of a deep network
    undiminished.

    Parameters
    ----------
    body : tuple of Module
        The layers of f, at least one. Their output has the shape of their input.

    Raises
    ------
    ShapeError
        If f changes the shape.

    References
    ----------
    He, Zhang, Ren & Sun (2016), Deep residual learning for image recognition, CVPR, eq. 1.

    Examples
    --------
    >>> from modnet.layers import Dense, Residual
    >>> block = Residual([Dense(8, activation="relu"), Dense(3)])
    >>> block.output_shape((3,))
    (3,)
    >>> block.output_shape((4,))
    Traceback (most recent call last):
    ...
    modnet.errors.ShapeError: body should keep the shape of its input, (4,), got (3,): end it with Dense(4)
    """

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return a block for rows of five features."""
        return (cls((Dense(4, Tanh()), Dense(5))),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        found = shape_through(located("body", self.body), input_shape)
        if found != input_shape:
            remedy = f"end it with Dense({input_shape[-1]})"
            raise ShapeError(f"body should keep the shape of its input, {input_shape}, got {found}: {remedy}")
        return input_shape

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return y = x + f(x)."""
        return np.add(x, ctx.children[0].forward(x), out=ctx.out)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return x + graph.children[0](x)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = dy + ∂J/∂x through f."""
        return np.add(dy, ctx.children[0].grad_input(), out=ctx.dx)


class Parallel(Module):
    """Branches beside each other: y = [f₁(x), f₂(x), …], y = Σ fᵢ(x) or y = Σ fᵢ(x) / k.

    The gradient of the input is the sum of what comes back through the branches: ∂J/∂x = Σᵢ ∂J/∂x through fᵢ.

    Parameters
    ----------
    branches : tuple of Module
        The fᵢ, at least one; `Sequential` makes one branch of several layers.
    merge : {"concat", "add", "mean"}
        How the outputs are joined; "add" and "mean" want them of one shape.

    Raises
    ------
    ShapeError
        If the outputs cannot be joined.

    References
    ----------
    Szegedy et al. (2015), Going deeper with convolutions, CVPR, fig. 2 (concatenated branches).

    Examples
    --------
    >>> from modnet.layers import Dense, Parallel
    >>> Parallel([Dense(8), Dense(2)]).output_shape((3,))
    (10,)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    branches: Annotated[Slots[Module], MinLen(1)]
    merge: Literal["concat", "add", "mean"] = "concat"

    @property
    def fixed(self) -> bool:  # type: ignore[override]  # what a class says of itself elsewhere
        """Whether all branches are."""
        return all(branch.fixed for branch in self.branches)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return two branches, three whose outputs are added or averaged, and one; for rows of five features."""
        three = (Dense(5), Tanh(), Identity())
        return (cls((Dense(2), Sigmoid())), cls(three, "add"), cls(three, "mean"), cls((Dense(2),), "mean"))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the joined outputs."""
        shapes = [branch.output_shape(input_shape) for branch in self.branches]
        if self.merge == "concat":
            if len({shape[:-1] for shape in shapes}) > 1:
                raise ShapeError(f"branches should agree in all axes but the last to be concatenated, got {shapes}")
            return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
        if len(set(shapes)) > 1:
            raise ShapeError(f"branches should have one output shape for merge={self.merge!r}, got {shapes}")
        return shapes[0]

    def chains(self) -> tuple[Links, ...]:
        """Return the branches, a chain each."""
        return tuple(((f"branches[{index}]", branch),) for index, branch in enumerate(self.branches))

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return the joined outputs."""
        outputs = [child.forward(x) for child in ctx.children]
        if self.merge == "concat":
            widths = ctx.scratch("widths", (len(outputs),), np.intp)
            widths[...] = [output.shape[-1] for output in outputs]
            return np.concatenate(outputs, axis=-1, out=ctx.out)
        y = _sum(outputs, ctx.out)
        return np.divide(y, len(outputs), out=y) if self.merge == "mean" else y

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        outputs = [child(x) for child in graph.children]
        if self.merge == "concat":
            return graph.concat(outputs)
        y = functools.reduce(operator.add, outputs)
        return y / len(outputs) if self.merge == "mean" else y

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write the gradients of all branches."""
        for child, part in zip(ctx.children, self._parts(ctx, dy), strict=True):
            child.grad_params(part)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x = Σᵢ ∂J/∂x through fᵢ."""
        return _sum([child.grad_input() for child in ctx.children], ctx.dx)

    def _parts(self, ctx: Context, dy: Array) -> Iterator[Array]:
        """Return each branch's share of dy."""
        if self.merge == "concat":
            widths = ctx.scratch("widths", (len(self.branches),), np.intp)
            for start, stop in pairwise(accumulate(widths.tolist(), initial=0)):
                yield dy[..., start:stop]
            return
        share = dy if self.merge == "add" else dy / len(self.branches)
        yield from (share for _ in self.branches)


def _sum(arrays: list[Array], out: Array | None) -> Array:
    total = np.add(arrays[0], arrays[1], out=out) if len(arrays) > 1 else arrays[0].copy()
    for array in arrays[2:]:
        np.add(total, array, out=total)
    return total


class ActivationLayer(Module):
    """A layer that stands for its activation: y = σ(x), ∂J/∂x = dy ∘ σ'(x).

    An activation is a layer already, so this one only gives it a place that can be searched over, as in
    ``layers__1__activation``.

    Parameters
    ----------
    activation : Module
        The σ: an activation, or another layer that keeps the shape.

    Examples
    --------
    >>> from modnet import Network
    >>> from modnet.layers import ActivationLayer, Dense
    >>> network = Network([Dense(3), ActivationLayer("tanh")], input_shape=(2,))
    >>> [link.title for link in network.links]
    ['layers[0] (Dense)', 'layers[1].activation (Tanh)']
    """

    activation: Slot[Activation | Module]

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with an activation, and with a layer that has a parameter."""
        return (cls(Tanh()), cls(PReLU()))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input, if the activation takes it."""
        self.activation.output_shape(input_shape)
        return input_shape

    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return those of the activation."""
        return self.activation.parameters(input_shape)

    def links(self) -> Links:
        """Return the activation."""
        return (("activation", self.activation),)

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return σ(x)."""
        return self.activation.forward(ctx, x)

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        return self.activation.onnx(graph, x)

    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write those of the activation."""
        self.activation.grad_params(ctx, dy)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy ∘ σ'(x)."""
        return self.activation.grad_input(ctx, dy)

"""Parallel: several layers look at the same input, and their outputs are joined."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from annotated_types import MinLen

from modnet import AnyModule, Array, Context, Module, Shape
from modnet.base import Links
from modnet.errors import ShapeError
from modnet_standard.activations.identity import Identity
from modnet_standard.activations.sigmoid import Sigmoid
from modnet_standard.activations.tanh import Tanh
from modnet_standard.layers.dense import Dense


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

    branches: Annotated[tuple[AnyModule, ...], MinLen(1)]
    merge: Literal["concat", "add", "mean"] = "concat"

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
            return np.concatenate(_aligned(outputs), axis=-1, out=ctx.out)
        y = _sum(outputs, ctx.out)
        return np.divide(y, len(outputs), out=y) if self.merge == "mean" else y

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


def _aligned(arrays: list[Array]) -> list[Array]:
    """Return the arrays with the axis of members that some may have: branches without parameters know of none."""
    longest = max((array.shape for array in arrays), key=len)
    return [
        array if array.ndim == len(longest) else np.broadcast_to(array, (*longest[:-1], array.shape[-1]))
        for array in arrays
    ]


def _sum(arrays: list[Array], out: Array | None) -> Array:
    arrays = _aligned(arrays)
    total = np.add(arrays[0], arrays[1], out=out) if len(arrays) > 1 else arrays[0].copy()
    for array in arrays[2:]:
        np.add(total, array, out=total)
    return total

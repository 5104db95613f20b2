"""Pooling: of each window, or of all positions, the largest number or the mean of each feature."""

import itertools
import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal, Self, final

import numpy as np

from modnet import Array, Context, Count, Graph, Module, Shape, Value
from modnet.errors import ShapeError
from modnet_sequence.arrays import axes_error


class Pooling(Module):
    """What poolings share: windows that lie side by side; what is left over at the end belongs to none.

    Parameters
    ----------
    size : int
        Length of a window along each axis but the last, ≥ 1.
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    size: Count = 2

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return images of 5 × 4 points with two channels, in steps too large for ties and differences to meet."""
        return rng.permutation(40 * n).reshape(n, 5, 4, 2) / (10.0 * n) - 2

    @final
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the numbers of windows along each axis, and of features."""
        if len(input_shape) < 2:
            raise axes_error("(steps, features) or (height, width, channels)", input_shape, (input_shape[0], 1))
        if min(input_shape[:-1]) < self.size:
            raise ShapeError(
                f"size={self.size} is larger than rows of shape {input_shape} are: "
                f"choose at most {min(input_shape[:-1])}, or pool less in front"
            )
        return (*(n // self.size for n in input_shape[:-1]), input_shape[-1])

    @final
    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y, from slices: the operators of onnxruntime do not all know float64."""
        windows = self.output_shape(graph.input_shape)[:-1]
        axes = list(range(1, len(windows) + 1))
        stops, strides = [n * self.size for n in windows], [self.size] * len(windows)
        parts = [graph.op("Slice", x, list(i), stops, axes, strides) for i in self._offsets(len(windows))]
        return self._merged(graph, parts)

    @abstractmethod
    def _merged(self, graph: Graph, parts: Sequence[Value]) -> Value:
        """Write y, given the elements at each place inside the windows."""

    def _parts(self, x: Array) -> Iterator[Array]:
        """Return views of x: the elements at each place inside all windows, in order."""
        stops = [n // self.size * self.size for n in x.shape[1:-1]]
        for offset in self._offsets(x.ndim - 2):
            yield x[(slice(None), *(slice(i, n, self.size) for i, n in zip(offset, stops, strict=True)))]

    def _gradient(self, ctx: Context, dy: Array) -> Array:
        """Return memory for ∂J/∂x, zero where there are no windows."""
        dx: Array = np.empty((len(dy), *ctx.input_shape), dy.dtype) if ctx.dx is None else ctx.dx
        if any(n % self.size for n in ctx.input_shape[:-1]):
            dx.fill(0)
        return dx

    def _offsets(self, axes: int) -> Iterator[tuple[int, ...]]:
        return itertools.product(range(self.size), repeat=axes)


class MaxPool(Pooling):
    """The largest number of each window, feature by feature: y = max x over the window.

    Windows lie side by side along all axes of a row but the last; what is left over at the end belongs to none. dy goes
    where the largest number stood, to the first of several.

    Raises
    ------
    ShapeError
        If rows have one axis, or are smaller than a window.

    References
    ----------
    Ranzato, Huang, Boureau & LeCun (2007), Unsupervised learning of invariant feature hierarchies with applications to
    object recognition, CVPR.

    Examples
    --------
    >>> from modnet_sequence import MaxPool
    >>> MaxPool().output_shape((8, 8, 32)), MaxPool(3).output_shape((24, 16))
    ((4, 4, 32), (8, 16))
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x", "y"})

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return max x."""
        first, *others = self._parts(x)
        y: Array = np.empty(first.shape, x.dtype) if ctx.out is None else ctx.out
        y[...] = first
        for part in others:
            np.maximum(y, part, out=y)
        return y

    def _merged(self, graph: Graph, parts: Sequence[Value]) -> Value:
        """Write max x."""
        return graph.op("Max", *parts)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy where x is the first that equals y, else 0."""
        dx, left = self._gradient(ctx, dy), ctx.scratch("left", dy.shape, dy.dtype)
        left[...] = dy
        for part, target in zip(self._parts(ctx.x), self._parts(dx), strict=True):
            np.equal(part, ctx.y, out=target)
            target *= left
            np.subtract(left, target, out=left)
        return dx


class AveragePool(Pooling):
    """The mean of each window, feature by feature: y = Σ x / m over the m elements of the window, ∂J/∂x = dy / m.

    Windows lie side by side along all axes of a row but the last; what is left over at the end belongs to none.

    Raises
    ------
    ShapeError
        If rows have one axis, or are smaller than a window.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition, Proceedings of the
    IEEE 86, sec. II.B (without its factor and bias).

    Examples
    --------
    >>> from modnet_sequence import AveragePool
    >>> AveragePool(4).output_shape((24, 3))
    (6, 3)
    """

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return Σ x / m."""
        first, *others = self._parts(x)
        y: Array = np.empty(first.shape, x.dtype) if ctx.out is None else ctx.out
        y[...] = first
        for part in others:
            np.add(y, part, out=y)
        return np.multiply(y, 1 / (1 + len(others)), out=y)

    def _merged(self, graph: Graph, parts: Sequence[Value]) -> Value:
        """Write Σ x / m."""
        return graph.op("Sum", *parts) / len(parts)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy / m."""
        dx, share = self._gradient(ctx, dy), dy / self.size ** (dy.ndim - 2)
        for target in self._parts(dx):
            target[...] = share
        return dx


class GlobalPool(Module):
    """One row of features out of all positions: y = mean x, or max x, along all axes of a row but the last.

    It ends convolutions and transformer blocks: rows of shape (…, features) become rows of shape (features,), which
    dense layers take. ∂J/∂x is dy / m for the mean over m positions; for the largest, dy where it stands, at the first
    of several.

    Parameters
    ----------
    pool : {"mean", "max"}

    Raises
    ------
    ShapeError
        If rows have one axis.

    References
    ----------
    Lin, Chen & Yan (2014), Network in network, ICLR, sec. 3.2.

    Examples
    --------
    >>> from modnet_sequence import GlobalPool
    >>> GlobalPool().output_shape((4, 4, 32))
    (32,)
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    pool: Literal["mean", "max"] = "mean"

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return both."""
        return (cls(), cls("max"))

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return series of three steps with five features."""
        return rng.normal(size=(n, 3, 5))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (features,)."""
        if len(input_shape) < 2:
            raise axes_error("(…, features) with positions in front", input_shape, (input_shape[0], 1))
        return input_shape[-1:]

    def forward(self, ctx: Context, x: Array) -> Array:
        """Return mean x, or max x."""
        x = _positions(x)
        if self.pool == "mean":
            return np.mean(x, axis=1, out=ctx.out)
        where = ctx.scratch("where", (len(x), 1, x.shape[2]), np.intp)
        np.argmax(x, axis=1, keepdims=True, out=where)
        return np.take_along_axis(x, where, axis=1)[:, 0]

    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y."""
        x = x.reshape(0, math.prod(graph.input_shape[:-1]), graph.input_shape[-1])
        if self.pool == "mean":
            return x.mean(1, keepdims=False)
        if graph.opset < 18:  # where axes are an attribute still
            return graph.op("ReduceMax", x, axes=[1], keepdims=0)
        return graph.op("ReduceMax", x, [1], keepdims=0)

    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return dy / m at each position, or dy at that of the largest."""
        dx: Array = np.empty((len(dy), *ctx.input_shape), dy.dtype) if ctx.dx is None else ctx.dx
        flat: Any = _positions(dx)
        if self.pool == "mean":
            flat[...] = (dy / flat.shape[1])[:, np.newaxis]
            return dx
        flat.fill(0)
        where = ctx.scratch("where", (len(dy), 1, dy.shape[1]), np.intp)
        np.put_along_axis(flat, where, dy[:, np.newaxis], axis=1)
        return dx


def _positions(x: Array) -> Array:
    """Return x with its positions as one axis: (n, positions, features)."""
    return x.reshape(len(x), math.prod(x.shape[1:-1]), x.shape[-1])

"""Convolutions of series and of images: one affine map of all windows, as a matrix product.

Windows are copied side by side block by block, so that what is copied stays in the cache, and memory small.
"""

import itertools
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal, Self, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from modnet import Activation, Array, Context, Count, Graph, Initializer, Module, Parameter, Shape, Slot, Value, default
from modnet.activations import Tanh
from modnet.base import Links
from modnet.errors import ShapeError
from modnet.initializers import GlorotUniform, Zeros
from modnet_sequence.arrays import blocks_of, image, steps
from modnet_standard.arrays import by_rows, column_sums


class Convolution(Module):
    """What convolutions share: z = [windows of x] W + b, a window being the numbers of x below the kernel.

    Parameters
    ----------
    filters : int
        Number of channels of y, ≥ 1.
    kernel_size : int
        Length of the kernel along each axis, ≥ 1.
    activation : Module, optional
        Applied to z, keeping its shape; None: the layer is affine.
    stride : int
        From one window to the next, ≥ 1.
    padding : {"same", "valid"}
        "same": zeros around x, so that there is a window for every stride-th position. "valid": windows lie inside x.
    kernel_initializer, bias_initializer : Initializer
        Draw the first W, shape (elements of a window, filters), and b, shape (1, filters).
    """

    reads: ClassVar[frozenset[str]] = frozenset({"x"})

    filters: Count
    kernel_size: Count = 3
    activation: Slot[Activation | Module | None] = default(None)
    stride: Count = 1
    padding: Literal["same", "valid"] = "same"
    kernel_initializer: Slot[Initializer] = default(GlorotUniform())
    bias_initializer: Slot[Initializer] = default(Zeros())

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Return it with both paddings, even and odd kernels, and strides that leave something over, and do not."""
        return (cls(2), cls(3, 2, Tanh(), padding="valid"), cls(2, 2, stride=2), cls(2, 3, stride=2, padding="valid"))

    @abstractmethod
    def _positions(self, input_shape: Shape) -> Shape:
        """Return the axes of a row along which windows lie.

        Raises
        ------
        ShapeError
            If a row has other axes.
        """

    @final
    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (…, filters): a position for each window."""
        lengths = self._positions(input_shape)
        if self.padding == "valid" and min(lengths) < self.kernel_size:
            raise ShapeError(
                f"kernel_size={self.kernel_size} is larger than rows of shape {input_shape} are: "
                f'choose at most {min(lengths)}, or padding="same"'
            )
        return (*(math.ceil((n - self._lost) / self.stride) for n in lengths), self.filters)

    @final
    def parameters(self, input_shape: Shape) -> Mapping[str, Parameter]:
        """Return W, shape (window, filters), the window's axes as those of a row, and b, shape (1, filters)."""
        elements = self.kernel_size ** len(self._positions(input_shape)) * input_shape[-1]
        return {
            "W": Parameter((elements, self.filters), self.kernel_initializer),
            "b": Parameter((1, self.filters), self.bias_initializer, regularized=False),
        }

    @final
    def links(self) -> Links:
        """Return the affine link, and the activation as the next."""
        if self.activation is None:
            return (("", self),)
        return (("", replace(self, activation=None)), ("activation", self.activation))

    @final
    def forward(self, ctx: Context, x: Array) -> Array:
        """Return z = [windows] W + b."""
        z: Array = np.empty((len(x), *self.output_shape(ctx.input_shape)), x.dtype) if ctx.out is None else ctx.out
        padded, inside = self._padded(ctx, x)
        if padded is not x:
            padded.fill(0)
            inside[...] = x
        for rows, windows in self._windows(ctx, padded, self.stride):
            np.matmul(windows, ctx.p.W, out=by_rows(z[rows]))
        z += ctx.p.b
        return z

    @final
    def onnx(self, graph: Graph, x: Value) -> Value:
        """Write y: windows are slices side by side; the operator Conv knows no float64 in onnxruntime."""
        axes = list(range(1, len(graph.input_shape)))
        before, after = self._margins(graph.input_shape)
        if any(before + after):
            x = graph.op("Pad", x, [0, *before, 0, 0, *after, 0])
        spans = [(n - 1) * self.stride + 1 for n in self.output_shape(graph.input_shape)[:-1]]
        windows = [
            graph.op(
                "Slice",
                x,
                list(offset),
                [i + span for i, span in zip(offset, spans, strict=True)],
                axes,
                [self.stride] * len(axes),
            )
            for offset in self._offsets(len(axes))
        ]
        return graph.concat(windows) @ graph.p.W + graph.p.b

    @final
    def grad_params(self, ctx: Context, dy: Array) -> None:
        """Write ∂J/∂W = [windows]ᵀ dz and ∂J/∂b = Σ rows dz."""
        column_sums(dy, out=ctx.g.b)
        ctx.g.W.fill(0)
        for rows, windows in self._windows(ctx, self._padded(ctx, ctx.x)[0], self.stride):
            ctx.g.W += windows.T @ by_rows(dy[rows])

    @final
    def grad_input(self, ctx: Context, dy: Array) -> Array:
        """Return ∂J/∂x: dz, with zeros between and around its positions, convolved with the kernel turned round.

        To add dz Wᵀ window by window, or place by place in the kernel, took 1.5 to 3 times as long.
        """
        *lengths, channels = ctx.input_shape
        axes, k, s = len(lengths), self.kernel_size, self.stride
        spread = ctx.scratch("dz", (len(dy), *(n + k - 1 for n in lengths), self.filters), dy.dtype)
        spread.fill(0)
        starts = [k - 1 - margin for margin in self._margins(ctx.input_shape)[0]]
        spans = zip(starts, dy.shape[1:-1], strict=True)
        spread[(slice(None), *(slice(start, start + (n - 1) * s + 1, s) for start, n in spans))] = dy
        kernel = ctx.p.W.reshape(*[k] * axes, channels, self.filters)
        turned = kernel[(slice(None, None, -1),) * axes].mT.reshape(k**axes * self.filters, channels)
        dx: Array = np.empty((len(dy), *ctx.input_shape), dy.dtype) if ctx.dx is None else ctx.dx
        for rows, windows in self._windows(ctx, spread, 1):
            np.matmul(windows, turned, out=by_rows(dx[rows]))
        return dx

    @property
    def _lost(self) -> int:
        """How many positions have no window of their own."""
        return 0 if self.padding == "same" else self.kernel_size - 1

    def _margins(self, input_shape: Shape) -> tuple[list[int], list[int]]:
        """Return how many zeros stand in front of x and behind it, along each axis."""
        lengths, windows = self._positions(input_shape), self.output_shape(input_shape)
        spans = [(count - 1) * self.stride + self.kernel_size for count in windows[:-1]]
        missing = [max(span - n, 0) * (self.padding == "same") for span, n in zip(spans, lengths, strict=True)]
        return [each // 2 for each in missing], [each - each // 2 for each in missing]

    def _padded(self, ctx: Context, x: Array) -> tuple[Array, Array]:
        """Return memory for x with zeros around it, and the part of it where x goes; x itself if there are no zeros."""
        before, after = self._margins(ctx.input_shape)
        if not any(before + after):
            return x, x
        lengths = list(zip(before, ctx.input_shape, after, strict=False))
        padded = ctx.scratch("padded", (len(x), *(sum(each) for each in lengths), x.shape[-1]), x.dtype)
        return padded, padded[(slice(None), *(slice(start, start + n) for start, n, _ in lengths))]

    def _windows(self, ctx: Context, x: Array, stride: int) -> Iterator[tuple[slice, Array]]:
        """Yield blocks of rows, and their windows as rows of a matrix, valid until the next."""
        axes = tuple(range(1, x.ndim - 1))
        found = sliding_window_view(x, (self.kernel_size,) * len(axes), axis=axes)
        found = found[(slice(None), *(slice(None, None, stride) for _ in axes))]
        found = np.moveaxis(found, len(axes) + 1, -1)  # (n, *positions, *kernel, channels)
        elements = math.prod(found.shape[len(axes) + 1 :])
        blocks = blocks_of(len(x), math.prod(found.shape[1:]))
        memory = ctx.scratch(f"windows {elements}", found[blocks[0]].shape if blocks else found.shape, x.dtype)
        for rows in blocks:
            block = found[rows]
            windows = memory[: len(block)]
            windows[...] = block
            yield rows, windows.reshape(math.prod(block.shape[: len(axes) + 1]), elements)

    def _offsets(self, axes: int) -> Iterator[tuple[int, ...]]:
        """Return the places inside a window, in order."""
        return itertools.product(range(self.kernel_size), repeat=axes)


class Conv1D(Convolution):
    """Convolution along a series: z_t = Σᵢ x_{s·t+i−p} Wᵢ + b for rows of shape (steps, channels), then its activation.

    The kernel W has a matrix Wᵢ, shape (channels, filters), for each place i in a window of kernel_size steps; s is the
    stride and p the number of zeros in front. Windows side by side as rows, x̃, make it a dense layer, z = x̃ W + b, with
    its derivatives: ∂J/∂W = x̃ᵀ dz, ∂J/∂b = Σ rows dz, and in ∂J/∂x each window adds its dz Wᵀ.

    Parameters
    ----------
    kernel_size : int
        Number of steps in a window, ≥ 1.
    kernel_initializer, bias_initializer : Initializer
        Draw the first W, shape (kernel_size · channels, filters), and b, shape (1, filters).

    Raises
    ------
    ShapeError
        If rows have other axes, or are shorter than a window that should lie inside.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep learning, MIT Press, sec. 9.1, eq. 9.3 (without flipping the kernel, as
    in eq. 9.6), and 9.5 for strides and zeros.

    Examples
    --------
    >>> from modnet_sequence import Conv1D
    >>> Conv1D(16, 5, activation="relu", stride=2).output_shape((24, 3))
    (12, 16)
    """

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return series of five steps with two channels."""
        return rng.normal(size=(n, 5, 2))

    def _positions(self, input_shape: Shape) -> Shape:
        """Return (steps,)."""
        return (steps(input_shape)[0],)


class Conv2D(Convolution):
    """Convolution of an image: z_{tu} = Σᵢⱼ x_{s·t+i−p, s·u+j−p} W_{ij} + b for rows (height, width, channels).

    The kernel W has a matrix W_{ij}, shape (channels, filters), for each place in a window of kernel_size × kernel_size
    points; s is the stride and p the number of zeros in front. Then comes its activation. Windows side by side as rows,
    x̃, make it a dense layer, z = x̃ W + b, with its derivatives: ∂J/∂W = x̃ᵀ dz, ∂J/∂b = Σ rows dz, and in ∂J/∂x each
    window adds its dz Wᵀ.

    Parameters
    ----------
    kernel_size : int
        Height and width of a window, ≥ 1.
    kernel_initializer, bias_initializer : Initializer
        Draw the first W, shape (kernel_size² · channels, filters), and b, shape (1, filters).

    Raises
    ------
    ShapeError
        If rows have other axes, or are smaller than a window that should lie inside.

    References
    ----------
    LeCun et al. (1989), Backpropagation applied to handwritten zip code recognition, Neural Computation 1. Goodfellow,
    Bengio & Courville (2016), Deep learning, MIT Press, sec. 9.1, eq. 9.6, and 9.5 for strides and zeros.

    Examples
    --------
    >>> from modnet_sequence import Conv2D
    >>> Conv2D(32, activation="relu").output_shape((8, 8, 1))
    (8, 8, 32)
    """

    def example_rows(self, rng: np.random.Generator, n: int) -> Array:
        """Return images of 4 × 3 points with two channels."""
        return rng.normal(size=(n, 4, 3, 2))

    def _positions(self, input_shape: Shape) -> Shape:
        """Return (height, width)."""
        return image(input_shape)[:2]

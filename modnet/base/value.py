"""A value of ONNX: an array that a graph is to calculate, with NumPy's operators and the names of its methods.

Each of them writes a node into the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modnet.base.types import Array

if TYPE_CHECKING:
    from modnet.base.graph import Graph


@dataclass(eq=False, frozen=True)
class Value:
    """An array that a graph calculates, rows in front: operators write nodes, as in ``x @ graph.p.W + graph.p.b``.

    Numbers beside it take its dtype. Methods named as NumPy's do what those do along the last axis, which stays.

    Parameters
    ----------
    graph : Graph
        What it is calculated in.
    name : str
        Its name there.
    dtype : dtype
        Of its elements.
    """

    graph: "Graph"
    name: str
    dtype: "np.dtype[Any]"
    __array_ufunc__: ClassVar[None] = None  # NumPy's arrays leave operators to this class

    def __add__(self, other: Any) -> "Value":
        return self.graph.op("Add", self, other)

    def __radd__(self, other: Any) -> "Value":
        return self.graph.op("Add", other, self)

    def __sub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", self, other)

    def __rmul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", other, self)

    def __truediv__(self, other: Any) -> "Value":
        return self.graph.op("Div", self, other)

    def __rtruediv__(self, other: Any) -> "Value":
        return self.graph.op("Div", other, self)

    def __matmul__(self, other: Any) -> "Value":
        return self.graph.op("MatMul", self, other)

    def __neg__(self) -> "Value":
        return self.graph.op("Neg", self)

    def __abs__(self) -> "Value":
        return self.graph.op("Abs", self)

    def __lt__(self, other: Any) -> "Value":
        return self.graph.op("Less", self, other)

    def __le__(self, other: Any) -> "Value":
        return self.graph.op("LessOrEqual", self, other)

    def __gt__(self, other: Any) -> "Value":
        return self.graph.op("Greater", self, other)

    def __ge__(self, other: Any) -> "Value":
        return self.graph.op("GreaterOrEqual", self, other)

    def __and__(self, other: Any) -> "Value":
        return self.graph.op("And", self, other)

    def __invert__(self) -> "Value":
        return self.graph.op("Not", self)

    def __bool__(self) -> bool:
        raise TypeError("a value of a graph is not known yet: choose with graph.where instead of `if`")

    def equal(self, other: Any) -> "Value":
        """Return where it equals another.

        Parameters
        ----------
        other : Value, number or array
            What it is compared with, element by element.

        Returns
        -------
        Value
            Truth values.
        """
        return self.graph.op("Equal", self, other)

    def exp(self) -> "Value":
        """Return e^x.

        Returns
        -------
        Value
            Of the same shape.
        """
        return self.graph.op("Exp", self)

    def log(self) -> "Value":
        """Return log x.

        Returns
        -------
        Value
            The natural logarithm, of the same shape.
        """
        return self.graph.op("Log", self)

    def sqrt(self) -> "Value":
        """Return √x.

        Returns
        -------
        Value
            Of the same shape.
        """
        return self.graph.op("Sqrt", self)

    def tanh(self) -> "Value":
        """Return tanh x.

        Returns
        -------
        Value
            Of the same shape.
        """
        return self.graph.op("Tanh", self)

    def clip(self, low: Any = None, high: Any = None) -> "Value":
        """Return min(max(x, low), high).

        Parameters
        ----------
        low, high : Value, number or array, optional
            The bounds; None: none on that side.

        Returns
        -------
        Value
            Of the same shape.
        """
        x = self if low is None else self.graph.op("Max", self, low)
        return x if high is None else self.graph.op("Min", x, high)

    def sum(self, axis: int = -1) -> "Value":
        """Return the sum along an axis, which is kept with length 1.

        Parameters
        ----------
        axis : int
            Which; −1 is that of the features.

        Returns
        -------
        Value
            With length 1 along the axis.
        """
        return self.graph.op("ReduceSum", self, [axis], keepdims=1)

    def mean(self, axis: int = -1, *, keepdims: bool = True) -> "Value":
        """Return the mean along an axis.

        Parameters
        ----------
        axis : int
            Which; −1 is that of the features.
        keepdims : bool
            Whether the axis stays, with length 1.

        Returns
        -------
        Value
            Of the same dtype.
        """
        if self.graph.opset < 18:  # where axes are an attribute still
            return self.graph.op("ReduceMean", self, axes=[axis], keepdims=int(keepdims))
        return self.graph.op("ReduceMean", self, [axis], keepdims=int(keepdims))

    def take(self, index: Sequence[int] | Array) -> "Value":
        """Return some of the features.

        Parameters
        ----------
        index : sequence of int
            Their positions, from 0.

        Returns
        -------
        Value
            The features in that order.
        """
        return self.graph.op("Gather", self, np.asarray(index, np.int64), axis=-1)

    def part(self, start: int, stop: int) -> "Value":
        """Return features in a row.

        Parameters
        ----------
        start, stop : int
            The first, and the one behind the last.

        Returns
        -------
        Value
            So many as lie between.
        """
        return self.graph.op("Slice", self, [start], [stop], [-1])

    def reshape(self, *shape: int) -> "Value":
        """Return it in another shape.

        Parameters
        ----------
        *shape : int
            The batch axis included; 0 keeps a length, −1 is what is left over.

        Returns
        -------
        Value
            The same elements.
        """
        return self.graph.op("Reshape", self, list(shape))

    def transpose(self, *axes: int) -> "Value":
        """Return it with its axes in another order.

        Parameters
        ----------
        *axes : int
            All of them, the batch axis included.

        Returns
        -------
        Value
            The same elements.
        """
        return self.graph.op("Transpose", self, perm=list(axes))

    def astype(self, dtype: Any) -> "Value":
        """Return it in another dtype.

        Parameters
        ----------
        dtype : dtype
            Of NumPy.

        Returns
        -------
        Value
            Of the same shape.
        """
        return self if self.dtype == dtype else self.graph.op("Cast", self, to=np.dtype(dtype), dtype=np.dtype(dtype))

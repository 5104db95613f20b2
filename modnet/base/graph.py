"""A graph of ONNX while components write it: values with NumPy's operators, and the nodes that calculate them.

Nothing in here needs the package onnx; `modnet.onnx` makes a model of what was written.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from modnet.base.types import Array, Shape
from modnet.errors import ExportError

_BOOLEAN = ("And", "Equal", "Greater", "GreaterOrEqual", "IsNaN", "Less", "LessOrEqual", "Not", "Or")


@dataclass(frozen=True)
class Node:
    """One node: an operator, the names of what goes in and comes out, its attributes and whose operator it is."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    domain: str


@dataclass(eq=False, frozen=True)
class Value:
    """An array that a graph calculates, rows in front: operators write nodes, as in ``x @ graph.p.W + graph.p.b``.

    Numbers beside it take its dtype. Methods named as NumPy's do what those do along the last axis, which stays.

    Attributes
    ----------
    graph : Graph
    name : str
    dtype : dtype
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
        """Return where it equals another."""
        return self.graph.op("Equal", self, other)

    def exp(self) -> "Value":
        """Return e^x."""
        return self.graph.op("Exp", self)

    def log(self) -> "Value":
        """Return log x."""
        return self.graph.op("Log", self)

    def sqrt(self) -> "Value":
        """Return √x."""
        return self.graph.op("Sqrt", self)

    def tanh(self) -> "Value":
        """Return tanh x."""
        return self.graph.op("Tanh", self)

    def clip(self, low: Any = None, high: Any = None) -> "Value":
        """Return min(max(x, low), high); None: no bound on that side."""
        x = self if low is None else self.graph.op("Max", self, low)
        return x if high is None else self.graph.op("Min", x, high)

    def sum(self, axis: int = -1) -> "Value":
        """Return the sum along an axis, which is kept with length 1."""
        return self.graph.op("ReduceSum", self, [axis], keepdims=1)

    def mean(self, axis: int = -1, *, keepdims: bool = True) -> "Value":
        """Return the mean along an axis."""
        if self.graph.opset < 18:  # where axes are an attribute still
            return self.graph.op("ReduceMean", self, axes=[axis], keepdims=int(keepdims))
        return self.graph.op("ReduceMean", self, [axis], keepdims=int(keepdims))

    def take(self, index: Sequence[int] | Array) -> "Value":
        """Return some of the features, by position."""
        return self.graph.op("Gather", self, np.asarray(index, np.int64), axis=-1)

    def part(self, start: int, stop: int) -> "Value":
        """Return the features from `start` to in front of `stop`."""
        return self.graph.op("Slice", self, [start], [stop], [-1])

    def reshape(self, *shape: int) -> "Value":
        """Return it in another shape, the batch axis included: 0 keeps a length, −1 is what is left over."""
        return self.graph.op("Reshape", self, list(shape))

    def transpose(self, *axes: int) -> "Value":
        """Return it with its axes in another order, the batch axis included."""
        return self.graph.op("Transpose", self, perm=list(axes))

    def astype(self, dtype: Any) -> "Value":
        """Return it in another dtype."""
        return self if self.dtype == dtype else self.graph.op("Cast", self, to=np.dtype(dtype), dtype=np.dtype(dtype))


class Arrays(Mapping[str, Array]):
    """Arrays by name, which become values of a graph when they are looked at: ``graph.p.W``."""

    def __init__(self, graph: "Graph", path: str, arrays: Mapping[str, Array]) -> None:
        self._graph, self._path, self._arrays = graph, path, arrays

    def __getattr__(self, name: str) -> Value:
        if name not in self._arrays:
            raise AttributeError(name)
        return self._graph.constant(self._arrays[name], f"{self._path}.{name}")

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Any:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


@dataclass(eq=False)
class Graph:
    """What a component writes its nodes into: what `Context` is to `forward`, it is to `onnx`.

    Attributes
    ----------
    opset : int
        Version of ONNX's own operators that may be used, from 13.
    dtype : dtype
        Of θ: float32 or float64.
    p, s : Arrays
        This link's parameters and state: ``graph.p.W`` is a value, ``graph.p["W"]`` the array.
    input_shape : tuple of int
        The shape per row of x; a `TableShape` where its columns are known.
    children : tuple of callable
        The chains that the module's `chains` announced: each takes a value, and returns what the chain makes of it.
    nodes, initializers : list of Node, dict of str to ndarray
        What was written.
    inputs, outputs : dict of str to (Value, shape)
        Of the whole graph, by name; shapes per row.
    """

    opset: int = 18
    dtype: "np.dtype[Any]" = field(default_factory=lambda: np.dtype(np.float64))
    p: Arrays = field(init=False)
    s: Arrays = field(init=False)
    input_shape: Shape = ()
    children: tuple[Callable[[Value], Value], ...] = ()
    nodes: list[Node] = field(default_factory=list)
    initializers: dict[str, Array] = field(default_factory=dict)
    inputs: dict[str, tuple[Value, Shape]] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    _path: list[str] = field(default_factory=lambda: [""])

    def within(
        self,
        path: str,
        p: Mapping[str, Array],
        s: Mapping[str, Array],
        input_shape: Shape,
        children: Sequence[Callable[[Value], Value]],
    ) -> Self:
        """Return the same graph for the link at a path."""
        inner = copy.copy(self)
        inner.p, inner.s = Arrays(inner, path, p), Arrays(inner, path, s)
        inner.input_shape, inner.children = input_shape, tuple(children)
        return inner

    def at(self, path: str) -> None:
        """Name the nodes that follow after the link at a path."""
        self._path[0] = path

    def add_input(self, name: str, dtype: Any, shape: Shape) -> Value:
        """Return an input of the graph; `shape` is that of a row, dtype object is text."""
        value = Value(self, name, np.dtype(dtype))
        self.inputs[name] = value, shape
        return value

    def op(
        self, op: str, *inputs: Any, dtype: Any = None, domain: str = "", outputs: int = 1, **attributes: Any
    ) -> Value:
        """Write a node, and return its first output.

        Parameters
        ----------
        op : str
            Of https://onnx.ai/onnx/operators.
        *inputs : Value, number, array or list of int
            Numbers and arrays of floats get the dtype of the values beside them; a list of whole numbers is int64.
        dtype : dtype, optional
            Of the output, where it is not that of the first input that is no truth value.
        domain : str
            ``"ai.onnx.ml"`` for operators of that domain.
        outputs : int
            How many there are.
        **attributes
        """
        floats = [each.dtype for each in inputs if isinstance(each, Value) and each.dtype != bool]
        here = floats[0] if floats else np.dtype(bool)
        names = tuple(each.name if isinstance(each, Value) else self._given(each, here).name for each in inputs)
        stem = f"{self._path[0]}/{op}"
        made = tuple(f"{stem}_{len(self.nodes)}" + f".{k}" * (k > 0) for k in range(outputs))
        self.nodes.append(Node(op, names, made, attributes, domain))
        if dtype is None:
            dtype = bool if op in _BOOLEAN else np.int64 if op in ("ArgMax", "Shape") else here
        return Value(self, made[0], np.dtype(dtype))

    def where(self, condition: Value, a: Any, b: Any) -> Value:
        """Return a where a condition is true, else b; two numbers have the dtype of θ."""
        if not (isinstance(a, Value) or isinstance(b, Value)):
            a = self.constant(np.asarray(a, self.dtype))
        return self.op("Where", condition, a, b)

    def concat(self, values: Sequence[Value], axis: int = -1) -> Value:
        """Return values side by side along an axis."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def constant(self, array: Any, name: str | None = None) -> Value:
        """Return an array that is part of the graph; what is the same, under one name, is there once."""
        array = np.asarray(array)
        if name is None:
            text = array.item() if array.ndim == 0 else f"of shape {array.shape}"
            name = f"constant {text} {array.dtype}"
        same = self.initializers.get(name)
        if array.ndim and same is not None and not np.array_equal(same, array):
            name = f"{name} {len(self.initializers)}"
        self.initializers[name] = array
        return Value(self, name, array.dtype)

    def _given(self, value: Any, dtype: "np.dtype[Any]") -> Value:
        array = np.asarray(value)
        if isinstance(value, np.ndarray | np.generic) and array.dtype.kind in "iOb":
            return self.constant(array)
        return self.constant(array.astype(np.int64 if isinstance(value, list) else dtype))


def not_exported(component: Any, method: str = "onnx") -> ExportError:
    """Return the error for a component that writes no nodes."""
    cls = type(component)
    return ExportError(
        f"{cls.__name__} cannot be exported to ONNX: {cls.__module__}.{cls.__qualname__} has no method {method}; its "
        f"author would add `def {method}(self, graph, x)`, which writes its equation as plugins/README.md shows"
    )

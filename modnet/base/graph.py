"""A graph of ONNX while components write it: its nodes, its constants, and what goes in and comes out.

Nothing in here needs the package onnx; `modnet.onnx` makes a model of what was written.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from modnet.base.types import Array, Shape
from modnet.base.value import Value
from modnet.errors import ExportError

_BOOLEAN = ("And", "Equal", "Greater", "GreaterOrEqual", "IsNaN", "Less", "LessOrEqual", "Not", "Or")


@dataclass(frozen=True)
class Node:
    """One node of a graph.

    Parameters
    ----------
    op : str
        The operator.
    inputs, outputs : tuple of str
        Names of the values that go in, and of those that come out.
    attributes : mapping of str to object
        What else the operator is told.
    domain : str
        Whose operator it is; empty for ONNX's own.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    domain: str


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

    Parameters
    ----------
    opset : int
        Version of ONNX's own operators that may be used, from 13.
    dtype : dtype
        Of θ: float32 or float64.
    input_shape : tuple of int
        The shape per row of x; a `TableShape` where its columns are known.
    children : tuple of callable
        The chains that the module's `chains` announced: each takes a value, and returns what the chain makes of it.
    nodes : list of Node
        What was written.
    initializers : dict of str to ndarray
        The constants that were written.
    inputs : dict of str to (Value, shape)
        Of the whole graph, by name; shapes per row.
    outputs : dict of str to Value
        Of the whole graph, by name.

    Attributes
    ----------
    p, s : Arrays
        This link's parameters and state: ``graph.p.W`` is a value, ``graph.p["W"]`` the array.
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
    _path: list[str] = field(default_factory=lambda: [""], init=False)

    def within(
        self,
        path: str,
        p: Mapping[str, Array],
        s: Mapping[str, Array],
        input_shape: Shape,
        children: Sequence[Callable[[Value], Value]],
    ) -> Self:
        """Return the same graph for the link at a path.

        Parameters
        ----------
        path : str
            Where the link stands: ``"layers[0]"``.
        p, s : mapping of str to ndarray
            Its parameters, and its state.
        input_shape : tuple of int
            Per row of its input.
        children : sequence of callable
            What runs each of its chains.

        Returns
        -------
        Graph
            It writes into this one.
        """
        inner = copy.copy(self)
        inner.p, inner.s = Arrays(inner, path, p), Arrays(inner, path, s)
        inner.input_shape, inner.children = input_shape, tuple(children)
        return inner

    def at(self, path: str) -> None:
        """Name the nodes that follow after the link at a path.

        Parameters
        ----------
        path : str
            ``"layers[0]"``, say.
        """
        self._path[0] = path

    def add_input(self, name: str, dtype: Any, shape: Shape) -> Value:
        """Return an input of the graph.

        Parameters
        ----------
        name : str
            What it is called from outside.
        dtype : dtype
            Of its elements; object: text.
        shape : tuple of int
            Of a row.

        Returns
        -------
        Value
            The input, shape (n, *shape).
        """
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
        **attributes : object
            What else the operator is told, by ONNX's names.

        Returns
        -------
        Value
            The first output; others are called by its name with ``.1``, ``.2``, … behind it.
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
        """Return one value where a condition is true, and another elsewhere.

        Parameters
        ----------
        condition : Value
            Truth values.
        a, b : Value, number or array
            What to return there, and elsewhere; two numbers have the dtype of θ.

        Returns
        -------
        Value
            Of the shape that the three have together.
        """
        if not (isinstance(a, Value) or isinstance(b, Value)):
            a = self.constant(np.asarray(a, self.dtype))
        return self.op("Where", condition, a, b)

    def concat(self, values: Sequence[Value], axis: int = -1) -> Value:
        """Return values side by side along an axis.

        Parameters
        ----------
        values : sequence of Value
            At least one.
        axis : int
            Which; −1 is that of the features.

        Returns
        -------
        Value
            The value itself, if it is one only.
        """
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def constant(self, array: Any, name: str | None = None) -> Value:
        """Return an array that is part of the graph; what is the same, under one name, is there once.

        Parameters
        ----------
        array : array-like
            A number or more.
        name : str, optional
            What the model file calls it; default: a name that tells its value.

        Returns
        -------
        Value
            Of the dtype that it has.
        """
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
    """Return the error for a component that writes no nodes.

    Parameters
    ----------
    component : Component
        It has no such method.
    method : str
        The method that would write them.

    Returns
    -------
    ExportError
        It says which method its author would add.
    """
    cls = type(component)
    return ExportError(
        f"{cls.__name__} cannot be exported to ONNX: {cls.__module__}.{cls.__qualname__} has no method {method}; its "
        f"author would add `def {method}(self, graph, x)`, which writes its equation as plugins/README.md shows"
    )

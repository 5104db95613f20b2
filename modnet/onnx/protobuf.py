"""A graph that components have written, as a model of the package onnx; and what onnxruntime is fed with."""

import json
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import numpy as np

from modnet.base import Array, Graph, Node
from modnet.entries import OWN
from modnet.errors import ExportError

with suppress(ImportError):  # an extra: `to_onnx` says so where it is missing
    import onnx
    from onnx import helper, numpy_helper

_LARGEST = 2**31
"""Bytes that no message of protobuf has."""

ML = 3
"""Version of the operators of ai.onnx.ml."""

_ELEMENTS: dict[Any, int] = {
    np.dtype(np.float32): 1,
    np.dtype(np.int64): 7,
    np.dtype(object): 8,
    np.dtype(bool): 9,
    np.dtype(np.float64): 11,
}
"""Numbers of `onnx.TensorProto`."""

_DTYPES = {element: dtype for dtype, element in _ELEMENTS.items()}


def model_of(graph: Graph, *, metadata: Mapping[str, Any]) -> Any:
    """Return a graph as a model, checked in full.

    Parameters
    ----------
    graph : Graph
        With its inputs and outputs.
    metadata : mapping
        What goes into ``metadata_props``, as JSON; text as it is.

    Raises
    ------
    ExportError
        If it is too large for one file.
    """
    if (size := sum(array.nbytes for array in graph.initializers.values())) >= _LARGEST:
        raise ExportError(
            f"the weights of this model take {size / 1e9:.1f} GB, and a file of ONNX holds less than "
            f"{_LARGEST / 1e9:.1f} GB: train it in float32, or with fewer units"
        )
    inputs = [_info(name, value.dtype, ["n", *shape]) for name, (value, shape) in graph.inputs.items()]
    nodes = [node_of(node) for node in graph.nodes]
    # Outputs by their own names.
    nodes += [helper.make_node("Identity", [value.name], [name], name) for name, value in graph.outputs.items()]
    outputs = [_info(name, value.dtype, ["n"]) for name, value in graph.outputs.items()]
    weights = [tensor_of(name, array) for name, array in graph.initializers.items()]
    domains = [helper.make_opsetid("", graph.opset)]
    if any(node.domain for node in graph.nodes):
        domains.append(helper.make_opsetid("ai.onnx.ml", ML))
    made = helper.make_model(
        helper.make_graph(nodes, "modnet", inputs, outputs, weights),
        opset_imports=domains,
        producer_name=OWN,
        producer_version=version(OWN),
        ir_version=helper.find_min_ir_version_for(domains),  # an older runtime reads it, too
    )
    told = {"modnet": version(OWN), **metadata}
    helper.set_model_props(made, {k: v if isinstance(v, str) else json.dumps(v) for k, v in told.items()})
    return checked(made)


def checked(made: Any) -> Any:
    """Return a model whose outputs have the shapes that follow from its nodes, checked in full."""
    bare = onnx.ModelProto()
    bare.CopyFrom(made)
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(bare, data_prop=True)
    for output, found in zip(made.graph.output, inferred.graph.output, strict=True):
        if found.type.tensor_type.HasField("shape"):
            output.type.CopyFrom(found.type)
        output.type.tensor_type.shape.dim[0].dim_param = "n"
    onnx.checker.check_model(made, full_check=True)
    return made


def node_of(node: Node) -> Any:
    """Return a node of a graph as onnx has it."""
    attributes: dict[str, Any] = {
        name: onnx.helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value
        for name, value in node.attributes.items()
    }
    return helper.make_node(node.op, node.inputs, node.outputs, node.outputs[0], domain=node.domain, **attributes)


def tensor_of(name: str, array: Array) -> Any:
    """Return an array as onnx has it; it takes no dtype but those of values."""
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)


def dtype_of(series: Any, type_: str) -> Any:
    """Return the dtype of the input for a column of a frame."""
    if "text" in type_:
        return np.dtype(object)
    if type_ == "truth values":
        return np.dtype(bool)
    dtype = np.asarray(series.to_numpy()).dtype
    if dtype.kind in "iu":
        return np.dtype(np.int64)
    return dtype if dtype == np.float32 else np.dtype(np.float64)


def feeds(model: Any, X: Any, frame: Any) -> dict[str, Array]:
    """Return what onnxruntime takes for X; `frame`: X as narwhals wraps it, if it is a data frame."""
    found: dict[str, Array] = {}
    inputs = model.graph.input
    for each in inputs:
        dtype = _DTYPES[each.type.tensor_type.elem_type]
        if frame is None and each.name == "X":
            found[each.name] = np.asarray(X, dtype)
            continue
        column = frame[each.name].to_list() if frame is not None else np.asarray(X, object)[:, int(each.name[1:])]
        if dtype.kind == "O":
            column = ["" if value is None or value != value else str(value) for value in column]
        elif dtype.kind == "f":
            column = [np.nan if value is None else value for value in column]
        found[each.name] = np.array(column, dtype).reshape(-1, 1)
    return found


def _info(name: str, dtype: Any, shape: list[Any] | None) -> Any:
    return helper.make_tensor_value_info(name, _ELEMENTS[np.dtype(dtype)], shape)

"""modnet's estimators inside of others: converters for skl2onnx, which exports the steps around them."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection._search import BaseSearchCV

from modnet.base import Graph, Value
from modnet.errors import ExportError
from modnet.estimators import NestedParameters
from modnet.estimators.holders import frame_of, type_of
from modnet.onnx.protobuf import ML, checked, dtype_of, node_of, tensor_of
from modnet.onnx.writing import OPSET, written
from modnet.registry import estimators

with suppress(ImportError):  # an extra: `to_onnx` says so where it is missing
    import skl2onnx
    from skl2onnx.common import data_types
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

_TYPES: dict[Any, str] = {
    np.dtype(np.float32): "FloatTensorType",
    np.dtype(np.float64): "DoubleTensorType",
    np.dtype(np.int64): "Int64TensorType",
    np.dtype(bool): "BooleanTensorType",
    np.dtype(object): "StringTensorType",
}
"""What skl2onnx calls them."""

_NUMBERS = {np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)}


def register() -> None:
    """Tell skl2onnx of every registered estimator."""
    options = {"zipmap": [False, True, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
    for _, cls in estimators.classes("estimator"):
        if isinstance(cls, type):
            choices = options if "predict_proba" in dir(cls) else None
            name = f"Modnet{cls.__name__}"
            skl2onnx.update_registered_converter(cls, name, _types, _converted, parser=_parsed, options=choices)


def to_onnx(model: Any, X_sample: Any, target_opset: int) -> Any:
    """Return an estimator that has one of modnet's inside as a model of ONNX; see `modnet.to_onnx`."""
    if X_sample is None:
        raise ExportError(
            f"X_sample: {type(model).__name__} needs a few rows of X, which decide the types of its inputs"
        )
    if isinstance(model, BaseSearchCV):
        model = model.best_estimator_
    frame = frame_of(X_sample)
    if frame is None:
        X = np.asarray(X_sample)
        dtype = np.dtype(object) if X.dtype.kind in "OUS" else X.dtype if X.dtype in _TYPES else np.dtype(np.float64)
        inputs = [("X", _type(dtype, [None, *X.shape[1:]]))]
    else:
        dtypes = {name: dtype_of(frame[name], type_of(frame[name])) for name in frame.columns}
        numbers = {dtype for dtype in dtypes.values() if dtype in _NUMBERS}
        if len(numbers) > 1:  # steps of scikit-learn's take one type of numbers there
            common = max(numbers - {np.dtype(np.int64)}, key=lambda dtype: dtype.itemsize)
            dtypes = {name: common if dtype in _NUMBERS else dtype for name, dtype in dtypes.items()}
        inputs = [(name, _type(dtype, [None, 1])) for name, dtype in dtypes.items()]
    options = {"zipmap": False} if is_classifier(model) else None
    try:
        made = skl2onnx.to_onnx(
            model, initial_types=inputs, target_opset={"": target_opset, "ai.onnx.ml": ML}, options=options
        )
    except (MissingConverter, MissingShapeCalculator) as error:
        known = skl2onnx.supported_converters(False)
        strange = [
            f"{name} ({type(each).__name__})"
            for name, each in model.get_params().items()
            if isinstance(each, BaseEstimator)
            and f"Sklearn{type(each).__name__}" not in known
            and not isinstance(each, NestedParameters | BaseSearchCV)
            and estimators.entry_of(type(each)) is None
        ]
        raise ExportError(
            f"{' or '.join(strange) or type(model).__name__}: skl2onnx has no converter for it: take another step, or "
            "register one with skl2onnx.update_registered_converter"
        ) from error
    return checked(made)


def _type(dtype: Any, shape: list[Any]) -> Any:
    return getattr(data_types, _TYPES[dtype])(shape)


def _graph_of(operator: Any, opset: int) -> Graph:
    """Return the graph of one of modnet's estimators, from the variables that come to it."""
    model = operator.raw_operator
    graph = Graph(opset, model.networks[0].theta_.dtype)
    written(model, graph, [_value(graph, each) for each in operator.inputs])
    return graph


def _value(graph: Graph, variable: Any) -> Value:
    dtype = next((dtype for dtype, type_ in _TYPES.items() if type(variable.type).__name__ == type_), None)
    if dtype is None:
        raise ExportError(f"{variable.raw_name} comes as {type(variable.type).__name__}, which no column is")
    return Value(graph, variable.full_name, dtype)


def _parsed(scope: Any, model: Any, inputs: Sequence[Any], custom_parsers: Any = None) -> Any:
    """Declare what an estimator puts out."""
    operator = scope.declare_local_operator(f"Modnet{type(model).__name__}", model)
    operator.inputs = inputs
    for name, value in _graph_of(operator, OPSET).outputs.items():
        operator.outputs.append(scope.declare_local_variable(name, _type(value.dtype, [])))
    return operator.outputs


def _types(operator: Any) -> None:
    """Say of which type they are, where another estimator has declared them."""
    for variable, value in zip(operator.outputs, _graph_of(operator, OPSET).outputs.values(), strict=False):
        shape = variable.type.shape or [None, None]
        variable.type = _type(value.dtype, shape)


def _converted(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of an estimator."""
    graph = _graph_of(operator, container.target_opset_any_domain(""))
    prefix = scope.get_unique_operator_name("modnet")
    names = {name: f"{prefix}/{name}" for node in graph.nodes for name in node.outputs}
    names.update((name, f"{prefix}/{name}") for name in graph.initializers)
    container.initializers.extend(tensor_of(names[name], array) for name, array in graph.initializers.items())
    for node in map(node_of, graph.nodes):
        node.name = f"{prefix}/{node.name}"
        for field in (node.input, node.output):
            field[:] = [names.get(name, name) for name in field]
        container.nodes.append(node)
        container.node_domain_version_pair_sets.add((node.domain, ML if node.domain else graph.opset))
    for variable, value in zip(operator.outputs, graph.outputs.values(), strict=False):
        name = names.get(value.name, value.name)
        container.add_node("Identity", [name], [variable.full_name], name=scope.get_unique_operator_name("Identity"))

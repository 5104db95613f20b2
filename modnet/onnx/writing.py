"""How one of modnet's estimators is written into a graph; the package onnx is not needed for it."""

from typing import Any

from modnet.base import Graph
from modnet.errors import ExportError
from modnet.estimators import NestedParameters
from modnet.estimators.graphs import METHODS, row_dtype, rows_written

OPSET = 18
"""Version of the operators that is asked for by default: onnxruntime knows it from 1.14 on."""


def written(model: NestedParameters, graph: Graph, columns: Any, dtype: Any = None) -> None:
    """Write a fitted estimator into a graph, from the values of its columns to its outputs.

    All networks of one take the same rows: they know the columns from the same X.

    Raises
    ------
    ExportError
        If a class below the one whose `onnx` it has predicts in another way.
    """
    mro = type(model).__mro__
    writer = next((cls for cls in mro if "onnx" in vars(cls)), None)
    own = [name for cls in mro[: mro.index(writer) if writer else 1] for name in METHODS if name in vars(cls)]
    if writer is None or own:
        cls, what = type(model), f"{own[0]} of its own" if own else "no onnx"
        raise ExportError(
            f"{cls.__name__} cannot be exported to ONNX: {cls.__module__}.{cls.__qualname__} has {what}, and so its "
            "author would add `def onnx(self, graph, x)`, which returns its outputs by name"
        )
    rows = dtype or (columns[0].dtype if len(columns) == 1 or len({each.dtype for each in columns}) == 1 else None)
    rows = rows if rows in ("float32", "float64") else row_dtype(model.networks[0])
    x = rows_written(model.networks[0], graph, columns, rows)
    graph.outputs.update(model.onnx(graph, x))

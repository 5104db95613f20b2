"""The contract of what writes itself as ONNX: onnxruntime predicts the same.

It is optional: where onnx or onnxruntime is not installed there is no such check, and `check_onnx` says so.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from modnet.base import Array, DensityLoss, Graph, Loss, Module, QuantileLoss, served
from modnet.network.graphs import written
from modnet.onnx import exports
from modnet.testing.comparing import expect, expect_same
from modnet.testing.problems import Problem
from modnet.testing.rules import Rules

RULES = Rules()

_TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
_ROWS = (1, 1000)


def can_run() -> bool:
    """Return whether onnx and onnxruntime are installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


@RULES.add(applies=lambda component: can_run() and exports(type(component)))
def onnxruntime_predicts_the_same(component: Module | Loss) -> None:
    """What `onnx` writes is what is predicted: to 1e-5 in float32, 1e-9 in float64, for one row and for a thousand.

    Usually: an operator on another axis, or a state that is read in `forward` alone
    """
    for dtype in _TOLERANCE:
        for rows in _ROWS:
            if isinstance(component, Loss):
                _check_loss(component, rows, np.dtype(dtype))
            else:
                _check_module(component, rows, np.dtype(dtype))


def _check_module(module: Module, rows: int, dtype: Any) -> None:
    problem = Problem.of(module, rows, dtype=dtype)
    graph = Graph(dtype=dtype)
    x = graph.add_input("x", dtype, problem.x.shape[1:])
    links = problem.network.links
    graph.outputs["y"] = written(graph, links, problem.theta, problem.state, x)[links[-1].path]
    _compare(graph, {"x": problem.x}, {"y": problem.run().y}, dtype)


def _check_loss(loss: Loss, rows: int, dtype: Any) -> None:
    for task, ready in served(loss).items():
        targets = {"binary": 1, "multioutput": 4}.get(task, 3)
        raw = 3 * np.random.default_rng(0).normal(size=(rows, ready.width(targets))).astype(dtype)
        graph = Graph(dtype=dtype)
        given = graph.add_input("raw", dtype, raw.shape[1:])
        graph.outputs["predicted"], wanted = ready.onnx(graph, given), {"predicted": ready.predict(raw)}
        if task != "regression":
            graph.outputs["codes"], wanted["codes"] = ready.onnx_codes(graph, task, given), ready.codes(task, raw)
        if isinstance(ready, DensityLoss):
            graph.outputs["std"], wanted["std"] = ready.onnx_std(graph, given), ready.predict_std(raw)
        if isinstance(ready, QuantileLoss):
            graph.outputs["q"], wanted["q"] = ready.onnx_quantiles(graph, given), ready.predict_quantiles(raw)
        _compare(graph, {"raw": raw}, wanted, dtype)


def _compare(graph: Graph, feeds: Mapping[str, Array], wanted: Mapping[str, Array], dtype: Any) -> None:
    model = import_module("modnet.onnx.protobuf").model_of(graph, metadata={})
    session = import_module("onnxruntime").InferenceSession(model.SerializeToString())
    single = any(node.op == "Erf" for node in graph.nodes)  # onnxruntime has it in float32 alone
    rtol = _TOLERANCE["float32" if single else dtype.name]
    for name, found in zip(graph.outputs, session.run(list(graph.outputs), dict(feeds)), strict=True):
        right = wanted[name]
        expect(found.shape == right.shape, f"{name} has shape {found.shape} in onnxruntime, {right.shape} here")
        size = float(np.abs(right).max(initial=1.0))
        expect_same(name, found, right.astype(found.dtype), "in onnxruntime", "here", rtol=rtol, atol=rtol * size)


def check_onnx(component: Module | Loss) -> None:
    """Hold a layer or a loss that writes itself as ONNX to what it predicts.

    Parameters
    ----------
    component : Module or Loss
        What writes itself.

    Raises
    ------
    CheckFailed
    ExportError
        If it writes nothing.
    ImportError
        If onnx or onnxruntime is not installed.
    """
    if not can_run():
        raise ImportError("check_onnx needs onnx and onnxruntime: pip install 'modnet-layers[onnx]'")
    RULES[0].check(component)

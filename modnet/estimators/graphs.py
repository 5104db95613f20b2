"""Estimators as graphs of ONNX: columns become rows of numbers, raw outputs become labels, probabilities and numbers.

What an estimator has as `onnx` writes what its `predict` does; how layers and losses write themselves is theirs.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modnet.base import Array, DensityLoss, Graph, QuantileLoss, Value
from modnet.errors import ExportError
from modnet.estimators.holders import parts_of, title_of
from modnet.estimators.parameters import loss_of
from modnet.estimators.preparation import encodes
from modnet.network.graphs import written

METHODS = ("predict", "predict_proba", "predict_quantiles", "transform")
"""What `onnx` writes: a subclass that has one of them of its own needs an `onnx` of its own."""

_OF_TYPE: dict[str, Any] = {"numbers": np.float64, "text": object, "truth values": bool}


def columns_of(estimator: Any, sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a fitted estimator's graph: their dtypes by column; none if it takes one array.

    Parameters
    ----------
    estimator : BaseModNet
    sample : mapping of str to dtype
        Of columns, where they are known; otherwise float64, text or truth values, as they were in `fit`.

    Raises
    ------
    ExportError
        If a column holds things of several types.
    """
    table = estimator.table_
    if table is None or not (table.named or table.categories):
        return {}
    found = {}
    for name, type_ in ((each.name, table.types[each.name]) for each in table.columns if each.name in table.types):
        if type_ not in _OF_TYPE:
            title = title_of(name, table.named)
            raise ExportError(f"{title} held {type_} in fit, and an input of ONNX has one type: make it one")
        found[name if table.named else f"x{name}"] = sample.get(name, _OF_TYPE[type_])
    return found


def row_dtype(estimator: Any) -> Any:
    """Return the dtype of the rows that a fitted estimator takes where X does not decide it."""
    return np.dtype(np.float64) if encodes(estimator) else estimator.theta_.dtype


def rows_written(estimator: Any, graph: Graph, columns: Sequence[Value], dtype: Any) -> Value:
    """Write what makes rows of numbers of X, and return them.

    Parameters
    ----------
    estimator : BaseModNet
    graph : Graph
    columns : sequence of Value
        One array of all columns, or a column each, shape (n, 1): those that are read, or all.
    dtype : dtype
        Of the rows.
    """
    table = estimator.table_
    graph.at("columns")
    if table is None:
        columns = [graph.concat([each.astype(dtype) for each in columns])]
    if table is None or (len(columns) == 1 and columns[0].dtype != object and not table.categories):
        return columns[0].astype(dtype)
    names = [each.name for each in table.columns]
    read = [name for name in names if name in table.types]
    if len(columns) == 1 and len(read) > 1:
        columns = [columns[0].part(j, j + 1) for j in range(len(names))]
    given = dict(zip(names if len(columns) == len(names) else read, columns, strict=True))
    made = {name: _numbers(graph, table, name, given[name]).astype(dtype) for name in read}
    any_column = next(iter(made.values()))
    if len(read) < len(names):  # what no layer reads is zero, whatever is in it
        nothing = graph.where(graph.op("IsNaN", any_column), 0.0, any_column * 0)
        made = {name: made.get(name, nothing) for name in names}
    return graph.concat([made[name] for name in names])


def _numbers(graph: Graph, table: Any, name: str, column: Value) -> Value:
    """Write what makes numbers of a column: codes of categories, −1 where there is none, NaN where it is missing."""
    text = "text" in parts_of(table.types[name])
    if text != (column.dtype == object):
        there = "text" if column.dtype == object else f"{column.dtype} numbers"
        title = title_of(name, table.named)
        raise ExportError(f"{title} held {table.types[name]} in fit, and {there} here: give it the type that it had")
    if name not in table.categories:
        return column.astype(np.float64) if column.dtype.kind in "iub" else column
    categories = table.categories[name]
    count = np.arange(len(categories))
    if text:
        keys, codes = [str(each) for each in categories], count.tolist()
        if "" not in keys:  # ONNX has no missing text
            keys, codes = [*keys, ""], [*codes, -2]
        values: dict[str, Any] = {"keys_strings": keys, "values_int64s": codes, "default_int64": -1}
        code = graph.op("LabelEncoder", column, domain="ai.onnx.ml", dtype=np.int64, **values).astype(np.float64)
        return graph.where(code.equal(-2.0), np.nan, code)
    column = column.astype(np.float64)
    here = column.equal(categories.astype(np.float64)).astype(np.float64)
    code = (here * (count + 1.0)).sum() - 1
    return graph.where(graph.op("IsNaN", column), np.nan, code)


def raw_written(estimator: Any, graph: Graph, x: Value) -> Value:
    """Write the network of a fitted estimator, and return its raw output."""
    links = estimator.network_.links
    return written(graph, links, estimator.theta_, estimator.state_, x.astype(_first(estimator, x)))[links[-1].path]


def _first(estimator: Any, x: Value) -> Any:
    return x.dtype if encodes(estimator) else estimator.theta_.dtype


def classes_written(estimator: Any, graph: Graph, x: Value) -> dict[str, Value]:
    """Write what a classifier predicts: its labels, and probabilities, or scores where the loss knows none.

    Parameters
    ----------
    estimator : BaseModNet
        A fitted one.
    graph : Graph
        What to write into.
    x : Value
        Rows of numbers, shape (n, *input_shape).

    Returns
    -------
    dict of str to Value
        The outputs of the graph, by name.
    """
    raw, loss, target = raw_written(estimator, graph, x), loss_of(estimator), estimator._target
    graph.at("loss")
    codes = loss.onnx_codes(graph, target.task, raw)
    if loss.probabilistic:
        return told(estimator, graph, codes, _parts(graph, target, loss.onnx(graph, raw)))
    scores = raw.reshape(-1) if target.task == "binary" else loss.onnx(graph, raw)
    return {**told(estimator, graph, codes), "scores": scores}


def probabilities_written(estimator: Any, graph: Graph, x: Value) -> list[Value]:
    """Write the probabilities of a fitted classifier: for each column of classes, shape (n, k); of labels, (n, labels).

    It is what an estimator of several networks combines, and hands on to `told`.
    """
    raw = raw_written(estimator, graph, x)
    graph.at("loss")
    return _parts(graph, estimator._target, loss_of(estimator).onnx(graph, raw))


def _parts(graph: Graph, target: Any, p: Value) -> list[Value]:
    """Return the probabilities of each column of classes, apart."""
    if target.kind == "multilabel":
        return [p]
    stops = np.cumsum(target.widths).tolist()
    parts = []
    for width, stop, classes in zip(target.widths, stops, target.columns, strict=True):
        part = p.part(stop - width, stop) if len(stops) > 1 else p
        part = graph.concat([1 - part, part]) if width == 1 else part
        parts.append(part if len(classes) > 1 else part.part(0, 1) * 0 + 1)
    return parts


def told(estimator: Any, graph: Graph, codes: Value, parts: Sequence[Value] = ()) -> dict[str, Value]:
    """Write the labels that a classifier gives for codes, and return them with probabilities, by name.

    Parameters
    ----------
    estimator : BaseModNet
        Fitted: its classes are meant.
    graph : Graph
    codes : Value
        The code of each column of classes, of labels 0 or 1: int64, shape (n, number of columns).
    parts : sequence of Value
        As of `probabilities_written`; none of scores.
    """
    found = {"label": _labels(graph, estimator._target, codes)}
    several = estimator._target.kind == "multioutput"
    return {**found, **{f"probabilities_{j}" if several else "probabilities": part for j, part in enumerate(parts)}}


def _labels(graph: Graph, target: Any, codes: Value) -> Value:
    """Write what makes labels of codes."""
    if target.kind == "multilabel":
        return codes
    if target.kind == "single":
        return graph.op("Gather", _plain(graph, target.columns[0]), codes.reshape(-1), dtype=_dtype(target.columns[0]))
    common = np.stack([classes[:1] for classes in target.columns]).dtype
    columns = [classes.astype(object if common.kind in "UO" else common) for classes in target.columns]
    parts = [
        graph.op("Gather", _plain(graph, classes), codes.part(j, j + 1).reshape(-1), dtype=_dtype(classes))
        for j, classes in enumerate(columns)
    ]
    return graph.concat([part.reshape(-1, 1) for part in parts])


def _dtype(classes: Array) -> Any:
    return object if classes.dtype.kind in "UO" else np.int64 if classes.dtype.kind in "iu" else classes.dtype


def _plain(graph: Graph, classes: Array) -> Value:
    """Return classes as a part of the graph, in a dtype that it has; those that no gap is known of count from 0."""
    if _dtype(classes) is object:
        classes = np.array([str(each) for each in classes], object)
    return graph.constant(classes.astype(_dtype(classes)), f"classes {len(graph.initializers)}")


def numbers_written(estimator: Any, graph: Graph, x: Value) -> dict[str, Value]:
    """Write what a regressor predicts, in the units of y: numbers, and quantiles or spreads where the loss has them.

    Parameters
    ----------
    estimator : BaseModNet
        A fitted one.
    graph : Graph
        What to write into.
    x : Value
        Rows of numbers, shape (n, *input_shape).

    Returns
    -------
    dict of str to Value
        The outputs of the graph, by name.
    """
    raw, loss, target = raw_written(estimator, graph, x), loss_of(estimator), estimator._target
    graph.at("loss")
    found = {"prediction": like_y(graph, target, loss.onnx(graph, raw), ())}
    if isinstance(loss, DensityLoss):
        found["std"] = like_y(graph, target, loss.onnx_std(graph, raw), (), spread=True)
    if isinstance(loss, QuantileLoss):
        found["quantiles"] = like_y(graph, target, loss.onnx_quantiles(graph, raw), (1,))
    return found


def like_y(graph: Graph, target: Any, found: Value, behind: tuple[int, ...], *, spread: bool = False) -> Value:
    """Write what brings numbers into the units of y; `behind`: axes behind that of the targets."""
    scale = target.scale
    if scale.kind != "none":
        dtype = np.float32 if scale.float32 else np.float64
        shift, factor = (each.reshape(1, -1, *behind) for each in (scale.shift, scale.factor))
        found = found.astype(np.float64) * graph.constant(factor, f"factor of y{behind}")
        found = (found if spread else found + graph.constant(shift, f"shift of y{behind}")).astype(dtype)
    if not target.single:
        return found
    return found.reshape(0, -1) if behind else found.reshape(-1)


def layer_written(estimator: Any, graph: Graph, x: Value) -> dict[str, Value]:
    """Write what a transformer's layer puts out.

    Parameters
    ----------
    estimator : BaseModNet
        A fitted one.
    graph : Graph
        What to write into.
    x : Value
        Rows of numbers, shape (n, *input_shape).

    Returns
    -------
    dict of str to Value
        The outputs of the graph, by name.
    """
    link = estimator.network_.layer(estimator.layer_)
    links = estimator.network_.up_to(link).links
    made = written(graph, links, estimator.theta_, estimator.state_, x.astype(_first(estimator, x)))
    return {"transformed": made[link.path].reshape(0, math.prod(link.output_shape))}

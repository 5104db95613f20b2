"""ONNX: fitted estimators as files that onnxruntime predicts with, without modnet and scikit-learn.

Importing it registers modnet's estimators with skl2onnx, where that is installed: pipelines, searches and column
transformers with modnet inside can then be exported by either.
"""

from importlib import import_module
from importlib.util import find_spec
from numbers import Integral
from typing import Any

from sklearn.utils.validation import check_is_fitted

from modnet.base import Activation, Array, Graph, Loss, Module
from modnet.errors import ExportError
from modnet.estimators import NestedParameters
from modnet.estimators.graphs import columns_of, row_dtype
from modnet.estimators.holders import frame_of, type_of
from modnet.onnx.writing import OPSET, written

__all__ = ["exports", "feeds", "to_onnx"]


def to_onnx(model: Any, X_sample: Any = None, *, target_opset: int = OPSET) -> Any:
    """Return a fitted estimator as a model of ONNX that predicts the same.

    An array goes in as one input, ``X``, of shape (n, …); a data frame, and an array that holds text, as an input of
    shape (n, 1) for each column that is read, by its name (``x0``, ``x1``, … of an array). Text that is missing is
    ``""``, another missing value NaN. Outputs are what the estimator predicts: ``label`` and ``probabilities``
    (``probabilities_0``, … for several columns of classes; ``scores`` where the loss knows none), ``prediction`` with
    ``std`` or ``quantiles``, or ``transformed``. Any number of rows will do.

    Parameters
    ----------
    model : estimator
        One of modnet's, or what has one inside and skl2onnx exports: a pipeline, a search, a column transformer.
    X_sample : array-like, optional
        A few rows as they will come, which decide the types of the inputs: float32, float64, whole numbers. Not given:
        float64 where columns are encoded, else the dtype of the weights. Whatever is around modnet's estimators needs
        it, and some steps of scikit-learn's, such as `SimpleImputer`, run in float32 only: onnxruntime has no others.
    target_opset : int
        Version of ONNX's operators, from 13 to 22.

    Returns
    -------
    onnx.ModelProto
        Checked in full. ``metadata_props`` has modnet's version and the classes.

    Raises
    ------
    ExportError
        If a layer, a loss or a step writes no nodes; the message names it, and says what to do.
    NotFittedError
        If the estimator is not fitted.
    ImportError
        If what is needed is not installed.

    Notes
    -----
    Nothing can be refused there: where `predict` raises, as for a code of `Embedding` that is none, it is taken for
    missing.

    Examples
    --------
    >>> from modnet import to_onnx
    >>> Path("model.onnx").write_bytes(to_onnx(model).SerializeToString())  # doctest: +SKIP
    """
    protobuf = _needed("onnx", "protobuf")
    if not (isinstance(target_opset, Integral) and 13 <= target_opset <= 22):
        raise ExportError(f"target_opset should be a whole number from 13 to 22, got {target_opset!r}")
    check_is_fitted(model)
    if not isinstance(model, NestedParameters):
        model_of_steps: Any = _needed("skl2onnx", "pipelines").to_onnx
        return model_of_steps(model, X_sample, target_opset)
    first = model.networks[0]
    graph = Graph(target_opset, first.theta_.dtype)
    written(model, graph, _inputs(first, graph, X_sample), row_dtype(first) if X_sample is None else None)
    return protobuf.model_of(graph, metadata=_metadata(model))


def exports(cls: type) -> bool:
    """Return whether components of a class can be exported: layers and losses that write their own nodes.

    Others, such as optimizers, are not in a model that predicts.

    Returns
    -------
    bool
        False also for what is neither.
    """
    written_by_base = getattr(cls, "onnx", None) in (Module.onnx, Activation.onnx, Loss.onnx)
    return issubclass(cls, Module | Loss) and (not written_by_base or (issubclass(cls, Loss) and not cls.links))


def feeds(model: Any, X: Any) -> dict[str, Array]:
    """Return X as `run` of an onnxruntime session takes it: an array for each input.

    Parameters
    ----------
    model : onnx.ModelProto
        What `to_onnx` returned.
    X : array-like
        An array, or a data frame with the columns that the model reads.

    Returns
    -------
    dict of str to ndarray
        One column for each column of a frame, or one matrix.
    """
    protobuf = _needed("onnx", "protobuf")
    found: dict[str, Array] = protobuf.feeds(model, X, frame_of(X))
    return found


def _inputs(model: Any, graph: Graph, sample: Any) -> list[Any]:
    """Declare the inputs of a graph, and return them."""
    frame = frame_of(sample)
    protobuf = import_module("modnet.onnx.protobuf")
    known = (
        {} if frame is None else {name: protobuf.dtype_of(frame[name], type_of(frame[name])) for name in frame.columns}
    )
    if inputs := columns_of(model, known):
        return [graph.add_input(name, dtype, (1,)) for name, dtype in inputs.items()]
    dtype = getattr(sample, "dtype", None)
    dtype = dtype if dtype in ("float32", "float64") else row_dtype(model)
    return [graph.add_input("X", dtype, model.input_shape_)]


def _metadata(model: NestedParameters) -> dict[str, Any]:
    classes = getattr(model, "classes_", None)
    found = {
        "estimator": type(model).__name__,
        "features": [str(each) for each in getattr(model, "feature_names_in_", ())],
    }
    if classes is not None:
        found["classes"] = [each.tolist() for each in classes] if isinstance(classes, list) else classes.tolist()
    return found


def _needed(package: str, module: str) -> Any:
    """Return a module of ours that needs a package."""
    if find_spec(package) is None:
        raise ImportError(f"{package} is not installed: pip install 'modnet-layers[onnx]'")
    return import_module(f"modnet.onnx.{module}")


if find_spec("skl2onnx") is not None and find_spec("onnx") is not None:
    import_module("modnet.onnx.pipelines").register()

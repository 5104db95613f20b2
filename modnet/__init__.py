"""modnet: neural networks for scikit-learn, assembled from small plugins; the backward pass is the chain rule.

The names below are the whole framework. Estimators are imported when first used, since scikit-learn takes a second
to import and a plugin that defines a layer does not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modnet import base, errors
from modnet.base import *
from modnet.component import Component, Count, Unit
from modnet.network import Network
from modnet.registry import register
from modnet.slot import Converted, Slot, Slots, default
from modnet.spec import ModelSpec

if TYPE_CHECKING:
    from modnet.diagnosis import diagnose
    from modnet.estimators import (
        BaseModNet,
        ModNetClassifier,
        ModNetRegressor,
        ModNetTransformer,
        NestedParameters,
        TrainingCurveDisplay,
    )
    from modnet.estimators.persistence import load, save
    from modnet.onnx import to_onnx
    from modnet.tracing import trace

__version__ = "0.1.0"

__all__ = ["Component", "Converted", "Count", "ModelSpec", "Network", "Slot", "Slots", "Unit", "default", "errors"]
__all__ += ["diagnose", "load", "register", "save", "to_onnx", "trace"]
__all__ += ["BaseModNet", "ModNetClassifier", "ModNetRegressor", "ModNetTransformer"]
__all__ += ["NestedParameters", "TrainingCurveDisplay"]
__all__ += base.__all__

_LAZY = {
    **dict.fromkeys(("BaseModNet", "NestedParameters", "TrainingCurveDisplay"), "modnet.estimators"),
    **dict.fromkeys(("ModNetClassifier", "ModNetRegressor", "ModNetTransformer"), "modnet.estimators"),
    **dict.fromkeys(("load", "save"), "modnet.estimators.persistence"),
    "diagnose": "modnet.diagnosis",
    "to_onnx": "modnet.onnx",
    "trace": "modnet.tracing",
}

_SUBMODULES = (
    *("activations", "constraints", "initializers", "inputs", "layers", "losses", "optimizers", "outputs"),
    *("schedules", "callbacks", "inspection", "neural_network", "onnx", "testing"),
)
"""Imported when they are looked at: ``modnet.layers.Dense`` works after ``import modnet``."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name in _SUBMODULES:
        return import_module(f"modnet.{name}")
    raise AttributeError(f"module 'modnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY, *_SUBMODULES])
